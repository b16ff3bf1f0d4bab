// SPDX-License-Identifier: Apache-2.0
// Telling: events go to a file of JSON lines in the journal directory first and to a listener after, so that following
// a transaction, live or late, is reading that file from a byte offset.
#pragma once

#include <functional>
#include <string>

#include "core/base/clock.h"
#include "core/engine/state_directory.h"
#include "core/model/event.h"

namespace sentinel {

class EventSink {
 public:
  virtual ~EventSink() = default;
  /// Stamps the time when it is empty. Telling never fails a transaction: what counts is in the journal.
  virtual void tell(Event event) = 0;
};

/// Appends each event as one line to journal/<tx>/events, then calls the listener.
class EventLog final : public EventSink {
 public:
  using Listener = std::function<void(const Event&)>;

  EventLog(System& machine, Clock& clock, std::string path, Listener listener = {});
  void tell(Event event) override;

 private:
  System& machine_;
  Clock& clock_;
  std::string path_;
  Listener listener_;
};

/// The events of a log's bytes; an incomplete last line is left out.
Result<std::vector<Event>> parse_events(const std::string& bytes);

}  // namespace sentinel
