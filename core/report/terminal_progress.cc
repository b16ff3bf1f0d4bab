// SPDX-License-Identifier: Apache-2.0
// One line per host, redrawn in place. The block is always the last thing on the terminal; to print above it, it is
// erased, the text is printed, and it is drawn again. A ticker keeps the elapsed times moving.
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <stop_token>
#include <utility>

#include "core/report/printable.h"
#include "core/report/progress.h"

namespace sentinel {
namespace {

using Time = std::chrono::steady_clock::time_point;
constexpr std::chrono::milliseconds kTick{200};

std::string mark_of(const HostProgress& host, const Style& style) {
  switch (host.state) {
    case HostProgress::State::kRunning: return style.cyan("*");
    case HostProgress::State::kWaiting: return style.yellow("?");
    case HostProgress::State::kGood: return style.green("✓");
    case HostProgress::State::kBad: return style.red("✗");
  }
  return " ";
}

bool is_over(const HostProgress& host) {
  return host.state == HostProgress::State::kGood || host.state == HostProgress::State::kBad;
}

std::string line_of(const HostProgress& host, int name_width, int columns, const Style& style, Time now) {
  std::string counter;
  if (host.total > 0 && !is_over(host)) counter = fmt::format("{}/{} ", std::min(host.done, host.total), host.total);
  std::string elapsed;
  if (!is_over(host)) {
    elapsed = fmt::format(" {} s", std::chrono::duration_cast<std::chrono::seconds>(now - host.since).count());
  }
  const std::string name = printable_line(host.host);
  const int padding = std::max(0, name_width - display_width(name));
  const int left = columns - 5 - name_width - static_cast<int>(counter.size() + elapsed.size());
  return fmt::format("{} {}{}  {}{}{}", mark_of(host, style), style.bold(name), std::string(static_cast<std::size_t>(padding), ' '),
                     style.dim(counter), shortened(printable_line(host.text), std::max(left, 8)), style.dim(elapsed));
}

class TerminalProgress final : public Progress {
 public:
  TerminalProgress(Writer writer, Style style, std::function<TerminalSize()> size)
      : writer_(std::move(writer)), style_(style), size_(std::move(size)), ticker_([this](const std::stop_token& stop) { tick(stop); }) {}

  ~TerminalProgress() override {
    ticker_.request_stop();
    ticker_.join();
    const std::lock_guard lock(mutex_);
    draw();
  }

  void stage(const std::string& host, const std::string& text, std::size_t steps) override {
    const std::lock_guard lock(mutex_);
    HostProgress& shown = find(host);
    shown.state = HostProgress::State::kRunning;
    shown.text = text;
    if (steps > 0) {
      shown.total = steps;
      shown.done = 0;
    }
    draw();
  }

  void event(const std::string& host, const Event& event) override {
    const std::lock_guard lock(mutex_);
    show_event(find(host), event);
    if (event.type == Event::Type::kWarning) {
      above(fmt::format("{}: {}\n", printable_line(host), printable_line(plain_line(event))));
    } else {
      draw();
    }
  }

  void finished(const std::string& host, const std::string& text, bool good) override {
    const std::lock_guard lock(mutex_);
    HostProgress& shown = find(host);
    shown.state = good ? HostProgress::State::kGood : HostProgress::State::kBad;
    shown.text = text;
    draw();
  }

  void note(const std::string& lines) override {
    const std::lock_guard lock(mutex_);
    above(lines);
  }

  void hold() override {
    const std::lock_guard lock(mutex_);
    ++held_;
    writer_(erasing());
  }

  void release() override {
    const std::lock_guard lock(mutex_);
    if (--held_ > 0) return;
    writer_(std::exchange(kept_notes_, {}));
    draw();
  }

 private:
  HostProgress& find(const std::string& host) {
    const auto found = std::find_if(hosts_.begin(), hosts_.end(), [&](const HostProgress& h) { return h.host == host; });
    if (found != hosts_.end()) return *found;
    HostProgress& added = hosts_.emplace_back();
    added.host = host;
    added.since = std::chrono::steady_clock::now();
    return added;
  }

  void tick(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, stop, kTick, [&] { return stop.stop_requested(); })) {
      draw();
    }
  }

  // The cursor stands at the start of the line below the block.
  std::string erasing() {
    std::string out;
    for (; drawn_ > 0; --drawn_) out += "\x1b[1A\x1b[2K";
    return out.empty() ? out : out + "\r";
  }

  void above(const std::string& lines) {
    if (held_ > 0) {
      kept_notes_ += lines;
      return;
    }
    writer_(erasing() + lines);
    draw();
  }

  void draw() {
    if (held_ > 0) return;
    const TerminalSize size = size_();
    std::string out = erasing();
    for (const std::string& line : progress_block(hosts_, size.columns, size.rows, style_, std::chrono::steady_clock::now())) {
      out += line + "\n";
      ++drawn_;
    }
    writer_(out);
  }

  std::mutex mutex_;
  std::condition_variable_any wake_;
  Writer writer_;
  Style style_;
  std::function<TerminalSize()> size_;
  std::vector<HostProgress> hosts_;
  int drawn_ = 0;
  int held_ = 0;
  std::string kept_notes_;
  std::jthread ticker_;
};

}  // namespace

std::vector<std::string> progress_block(const std::vector<HostProgress>& hosts, int columns, int rows, const Style& style,
                                        Time now) {
  int name_width = 0;
  for (const HostProgress& host : hosts) name_width = std::max(name_width, display_width(printable_line(host.host)));
  name_width = std::min(name_width, columns / 3);
  const std::size_t room = static_cast<std::size_t>(std::max(rows - 2, 1));
  std::vector<const HostProgress*> shown;
  if (hosts.size() <= room) {
    for (const HostProgress& host : hosts) shown.push_back(&host);
  } else {
    for (const HostProgress& host : hosts) {
      if (!is_over(host) && shown.size() + 1 < room) shown.push_back(&host);
    }
  }
  std::vector<std::string> lines;
  lines.reserve(shown.size() + 1);
  for (const HostProgress* host : shown) lines.push_back(line_of(*host, name_width, columns, style, now));
  if (shown.size() < hosts.size()) {
    const auto over = std::count_if(hosts.begin(), hosts.end(), is_over);
    lines.push_back(fmt::format("  {} of {} hosts done", over, hosts.size()));
  }
  return lines;
}

std::unique_ptr<Progress> make_terminal_progress(Writer writer, Style style, std::function<TerminalSize()> size) {
  return std::make_unique<TerminalProgress>(std::move(writer), style, std::move(size));
}

}  // namespace sentinel
