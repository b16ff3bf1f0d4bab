// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/hidden_usage.h"

#include <functional>

namespace sentinel::proxy {

SeenEvent without_usage(const SseEvent& event, const AnswerFacts& facts) {
  if (!facts.valid) return {{event.raw, {}}};
  if (facts.usage && facts.has_choices && facts.choices_empty) return {};
  if (facts.null_usage.size == 0) return {{event.raw, {}}};
  // Data of several lines is a copy of theirs, with offsets of its own; nobody writes events like this so.
  const char* const begin = event.raw.data();
  const char* const end = begin + event.raw.size();
  const char* const data = event.data.data();
  if (std::less<>()(data, begin) || std::greater_equal<>()(data, end)) return {{event.raw, {}}};
  const std::size_t cut = static_cast<std::size_t>(data - begin) + facts.null_usage.offset;
  return {{event.raw.substr(0, cut), event.raw.substr(cut + facts.null_usage.size)}};
}

std::string stream_without_usage(std::string_view events) {
  SseReader reader(events.size() + 1);
  std::string seen;
  bool hidden = false;
  const auto append = [&](const SseEvent& event) {
    // The rest of a line end goes with the event it ended.
    if (event.tail && hidden) return;
    const bool speaks = !event.data.empty() && event.data != "[DONE]";
    const SeenEvent shown = speaks ? without_usage(event, read_answer(event.data)) : SeenEvent{{event.raw, {}}};
    hidden = shown.pieces[0].empty();
    seen.append(shown.pieces[0]).append(shown.pieces[1]);
  };
  for (const SseEvent& event : reader.feed(events)) append(event);
  if (const std::optional<SseEvent> last = reader.finish_last()) append(*last);
  return seen;
}

}  // namespace sentinel::proxy
