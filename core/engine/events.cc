// SPDX-License-Identifier: Apache-2.0
#include "core/engine/events.h"

#include "core/model/json.h"

namespace sentinel {

EventLog::EventLog(System& machine, Clock& clock, std::string path, Listener listener)
    : machine_(machine), clock_(clock), path_(std::move(path)), listener_(std::move(listener)) {}

void EventLog::tell(Event event) {
  if (event.time.empty()) event.time = to_rfc3339(clock_.now());
  // A disk that takes no more lines must not stop a transaction, least of all a revert.
  (void)machine_.append_file(path_, to_text(event) + "\n");
  if (listener_) listener_(event);
}

Result<std::vector<Event>> parse_events(const std::string& bytes) {
  std::vector<Event> events;
  for (std::size_t from = 0, to = bytes.find('\n'); to != std::string::npos;
       from = to + 1, to = bytes.find('\n', from)) {
    SENTINEL_TRY(const auto json, parse_json(bytes.substr(from, to - from)));
    SENTINEL_TRY(auto event, decode<Event>(json));
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace sentinel
