// SPDX-License-Identifier: Apache-2.0
// What events look like, and the displays that print lines. The one that redraws is in terminal_progress.cc.
#include "core/report/progress.h"

#include <fmt/format.h>

#include "core/report/documents.h"
#include "core/report/printable.h"

namespace sentinel {
namespace {

std::string seconds(std::uint64_t milliseconds) {
  return fmt::format("{} s", (milliseconds + 999) / 1000);
}

class PlainProgress final : public Progress {
 public:
  explicit PlainProgress(Writer writer) : writer_(std::move(writer)) {}

  void stage(const std::string& host, const std::string& text, std::size_t) override { line(host, text); }

  void event(const std::string& host, const Event& event) override {
    if (const std::string text = plain_line(event); !text.empty()) line(host, text);
  }

  void finished(const std::string& host, const std::string& text, bool) override { line(host, text); }

  void note(const std::string& lines) override {
    const std::lock_guard lock(mutex_);
    writer_(lines);
  }

  void hold() override {}

  void release() override {}

 private:
  void line(const std::string& host, const std::string& text) {
    const std::lock_guard lock(mutex_);
    writer_(fmt::format("{}: {}\n", printable_line(host), printable_line(text)));
  }

  std::mutex mutex_;
  Writer writer_;
};

class EventStream final : public Progress {
 public:
  explicit EventStream(Writer writer) : writer_(std::move(writer)) {}

  void stage(const std::string&, const std::string&, std::size_t) override {}

  void event(const std::string& host, const Event& event) override {
    const std::lock_guard lock(mutex_);
    writer_(document_line(event_line(host, event)));
  }

  void finished(const std::string&, const std::string&, bool) override {}

  void note(const std::string&) override {}

  void hold() override {}

  void release() override {}

 private:
  std::mutex mutex_;
  Writer writer_;
};

class SilentProgress final : public Progress {
 public:
  void stage(const std::string&, const std::string&, std::size_t) override {}

  void event(const std::string&, const Event&) override {}

  void finished(const std::string&, const std::string&, bool) override {}

  void note(const std::string&) override {}

  void hold() override {}

  void release() override {}
};

}  // namespace

void show_event(HostProgress& host, const Event& event) {
  host.state = HostProgress::State::kRunning;
  switch (event.type) {
    case Event::Type::kStepDone: ++host.done; return;
    case Event::Type::kStepStarted:
      host.text = event.text.empty() ? event.step : fmt::format("{}: {}", event.step, event.text);
      return;
    case Event::Type::kWaiting:
    case Event::Type::kAwaitConfirm: host.state = HostProgress::State::kWaiting; break;
    case Event::Type::kResult: return;
    default: break;
  }
  if (const std::string text = plain_line(event); !text.empty()) host.text = text;
}

std::string plain_line(const Event& event) {
  switch (event.type) {
    case Event::Type::kPhase: return event.text;
    case Event::Type::kStepStarted: return {};
    case Event::Type::kStepDone: return event.step + ": changed";
    case Event::Type::kEffect: return event.text;
    case Event::Type::kWaiting: return "waiting: " + event.text;
    case Event::Type::kGuardArmed:
      return "guard armed: without a confirmation over a new connection the host takes everything back";
    case Event::Type::kAwaitConfirm:
      return fmt::format("confirming over a new connection ({} left)", seconds(event.deadline_ms));
    case Event::Type::kConfirmed: return "confirmed over a new connection";
    case Event::Type::kReverting: return "reverting: " + event.text;
    case Event::Type::kWarning: return "warning: " + event.text;
    case Event::Type::kResult: return {};
  }
  return {};
}

std::unique_ptr<Progress> make_plain_progress(Writer writer) {
  return std::make_unique<PlainProgress>(std::move(writer));
}

std::unique_ptr<Progress> make_event_stream(Writer writer) {
  return std::make_unique<EventStream>(std::move(writer));
}

std::unique_ptr<Progress> make_silent_progress() {
  return std::make_unique<SilentProgress>();
}

}  // namespace sentinel
