// SPDX-License-Identifier: Apache-2.0
// Asking for usage on a client's behalf adds two things to a stream: the event with the count, and `"usage":null` in
// all others. Both are taken out again, so that the client gets the bytes it would have got
// (docs/decisions/011-streams-relayed-not-rebuilt.md). Format: OpenAI's API reference, "stream_options.include_usage".
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "proxy/json/usage.h"
#include "proxy/net/sse_reader.h"

namespace sentinel::proxy {

/// What a client that didn't ask gets to see of an event: its bytes in up to two pieces, which are views of it.
struct SeenEvent {
  std::array<std::string_view, 2> pieces;
};

/// `facts`: of the event's data.
SeenEvent without_usage(const SseEvent& event, const AnswerFacts& facts);

/// The same for all events of a stream that has ended.
std::string stream_without_usage(std::string_view events);

}  // namespace sentinel::proxy
