// SPDX-License-Identifier: Apache-2.0
// An answer of chat or completions is whole or a stream of events, and says the same either way. What was kept in one
// form is told in the other here, as long as nothing of it is lost or made up; otherwise it stays in its own form
// (docs/decisions/012-cached-answers-by-exact-bytes.md). Formats: OpenAI's API reference, "chat.completion",
// "chat.completion.chunk" and "text_completion".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sentinel::proxy {

enum class AnswerForm { kWhole, kStream };

constexpr AnswerForm other_form(AnswerForm form) {
  return form == AnswerForm::kWhole ? AnswerForm::kStream : AnswerForm::kWhole;
}

/// A whole answer of all the events of a stream that was asked for with its usage. Nothing: some member isn't known
/// here, a choice has not finished, or there is no usage.
std::optional<std::string> whole_of_stream(std::string_view events);

/// The events, with usage as for a client that asked for it, of a whole answer: for each choice one with all that it
/// says and one with its end. Nothing: as above.
std::optional<std::string> stream_of_whole(std::string_view body);

}  // namespace sentinel::proxy
