// SPDX-License-Identifier: Apache-2.0
// Lines of the displays, and that a redrawn block never leaves rubbish behind.
#include "core/report/progress.h"

#include <catch2/catch.hpp>

namespace sentinel {
namespace {

Event event_of(Event::Type type, const std::string& text, const std::string& step = {}) {
  Event event;
  event.type = type;
  event.text = text;
  event.step = step;
  return event;
}

TEST_CASE("Plain progress says one line per event that matters") {
  std::string out;
  const auto progress = make_plain_progress([&](const std::string& text) { out += text; });
  progress->stage("a", "connecting", 0);
  progress->event("a", event_of(Event::Type::kStepStarted, "sshd drop-in", "ssh/drop-in"));
  progress->event("a", event_of(Event::Type::kStepDone, "changed", "ssh/drop-in"));
  progress->event("a", event_of(Event::Type::kWaiting, "dpkg's lock is held by apt (pid 8)\x1b[2J"));
  progress->finished("a", "changed (1 step)", true);
  CHECK(out ==
        "a: connecting\n"
        "a: ssh/drop-in: changed\n"
        "a: waiting: dpkg's lock is held by apt (pid 8)\\e[2J\n"
        "a: changed (1 step)\n");
}

TEST_CASE("The event stream is one JSON object a line") {
  std::string out;
  const auto progress = make_event_stream([&](const std::string& text) { out += text; });
  progress->stage("a", "connecting", 0);
  progress->event("a", event_of(Event::Type::kPhase, "apply"));
  CHECK(out.find(R"("host":"a","type":"phase")") != std::string::npos);
  CHECK(std::count(out.begin(), out.end(), '\n') == 1);
}

TEST_CASE("A block fits the terminal's width and height") {
  std::vector<HostProgress> hosts;
  const auto now = std::chrono::steady_clock::now();
  for (int i = 0; i < 30; ++i) {
    HostProgress host;
    host.host = "host-" + std::to_string(i);
    host.text = std::string(200, 'x');
    host.total = 12;
    host.done = 3;
    host.since = now - std::chrono::seconds(5);
    host.state = i < 10 ? HostProgress::State::kGood : HostProgress::State::kRunning;
    hosts.push_back(host);
  }
  const auto block = progress_block(hosts, 60, 12, {}, now);
  CHECK(block.size() <= 11);
  CHECK(block.back() == "  10 of 30 hosts done");
  CHECK(block.front() == "* host-10  3/12 " + std::string(38, 'x') + "… 5 s");
}

TEST_CASE("Events move a host's line on") {
  HostProgress host;
  show_event(host, event_of(Event::Type::kStepStarted, "sshd drop-in", "ssh/drop-in"));
  CHECK(host.text == "ssh/drop-in: sshd drop-in");
  show_event(host, event_of(Event::Type::kStepDone, "changed", "ssh/drop-in"));
  CHECK(host.done == 1);
  show_event(host, event_of(Event::Type::kWaiting, "dpkg's lock"));
  CHECK(host.state == HostProgress::State::kWaiting);
  show_event(host, event_of(Event::Type::kPhase, "apply"));
  CHECK(host.state == HostProgress::State::kRunning);
}

// What a terminal shows after the given output: enough of one to know "up" and "erase line".
std::vector<std::string> screen_after(const std::string& output) {
  std::vector<std::string> rows(1);
  std::size_t row = 0;
  for (std::size_t at = 0; at < output.size(); ++at) {
    if (output.compare(at, 4, "\x1b[1A") == 0) {
      REQUIRE(row > 0);
      --row;
      at += 3;
    } else if (output.compare(at, 4, "\x1b[2K") == 0) {
      rows[row].clear();
      at += 3;
    } else if (output[at] == '\n') {
      if (++row == rows.size()) rows.emplace_back();
    } else if (output[at] != '\r') {
      rows[row] += output[at];
    }
  }
  while (!rows.empty() && rows.back().empty()) rows.pop_back();
  return rows;
}

TEST_CASE("While a person is asked the display keeps still, and shows later what came meanwhile") {
  std::string out;
  auto progress =
      make_terminal_progress([&](const std::string& text) { out += text; }, Style{}, [] { return TerminalSize{80, 24}; });
  progress->stage("a", "connecting", 0);
  progress->hold();
  out.clear();
  progress->stage("b", "connecting", 0);
  progress->note("a note\n");
  CHECK(out.empty());
  progress->release();
  progress.reset();
  CHECK(out.find("a note\n") == 0);
  CHECK(out.find("b") != std::string::npos);
}

TEST_CASE("On a terminal each host keeps one line and notes stay above") {
  std::string out;
  {
    const auto progress =
        make_terminal_progress([&](const std::string& text) { out += text; }, Style{}, [] { return TerminalSize{80, 24}; });
    progress->stage("a", "connecting", 0);
    progress->stage("b", "connecting", 0);
    progress->note("a note\n");
    progress->event("a", event_of(Event::Type::kWarning, "careful"));
    progress->finished("a", "changed", true);
    progress->finished("b", "failed", false);
  }
  CHECK(screen_after(out) == std::vector<std::string>{"a note", "a: warning: careful", "✓ a  changed", "✗ b  failed"});
}

}  // namespace
}  // namespace sentinel
