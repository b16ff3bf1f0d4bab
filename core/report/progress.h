// SPDX-License-Identifier: Apache-2.0
// How a run is shown while it goes on: one redrawn line per host on a terminal, plain lines elsewhere, JSON lines for
// programs. Hosts report from their own threads; every display takes calls from any thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/model/event.h"
#include "core/report/style.h"

namespace sentinel {

class Progress {
 public:
  virtual ~Progress() = default;
  /// The host comes to a new stage: "connecting", "planning". `steps` is how many will follow, 0 when unknown.
  virtual void stage(const std::string& host, const std::string& text, std::size_t steps) = 0;
  virtual void event(const std::string& host, const Event& event) = 0;
  /// The host is done; `text` is its last line.
  virtual void finished(const std::string& host, const std::string& text, bool good) = 0;
  /// Something to say between: a warning, a question's preamble. Whole lines.
  virtual void note(const std::string& lines) = 0;
  /// Takes the display off the terminal, so that a person can be asked; release puts it back. They nest.
  virtual void hold() = 0;
  virtual void release() = 0;
};

/// One host on the display.
struct HostProgress {
  enum class State { kRunning, kWaiting, kGood, kBad };
  std::string host;
  State state = State::kRunning;
  std::string text;
  std::size_t done = 0;
  std::size_t total = 0;  ///< 0: unknown
  std::chrono::steady_clock::time_point since;
};

/// What an event changes on the display.
void show_event(HostProgress& host, const Event& event);

/// The line an event is worth in a log; empty for those that say nothing new.
std::string plain_line(const Event& event);

/// The block of lines on a terminal of `columns` and `rows`: running hosts first come, those that fit, then how many more.
std::vector<std::string> progress_block(const std::vector<HostProgress>& hosts, int columns, int rows, const Style& style,
                                        std::chrono::steady_clock::time_point now);

/// Where a display writes: text as it is.
using Writer = std::function<void(const std::string&)>;

struct TerminalSize {
  int columns = 80;
  int rows = 24;
};

std::unique_ptr<Progress> make_terminal_progress(Writer writer, Style style, std::function<TerminalSize()> size);
std::unique_ptr<Progress> make_plain_progress(Writer writer);
/// Events as JSON lines (documents.h); stages, ends and notes go nowhere: they are in the final record.
std::unique_ptr<Progress> make_event_stream(Writer writer);
/// Shows nothing.
std::unique_ptr<Progress> make_silent_progress();

}  // namespace sentinel
