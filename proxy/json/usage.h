// SPDX-License-Identifier: Apache-2.0
// Token counts as upstreams report them, in answers and in stream events. Both families of names are understood:
// prompt_tokens/completion_tokens and input_tokens/output_tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/json/cursor.h"

namespace sentinel::proxy {

struct TokenCount {
  std::uint64_t input = 0;
  std::uint64_t output = 0;
};

struct AnswerFacts {
  bool valid = false;               ///< whole and well-formed JSON
  std::optional<TokenCount> usage;  ///< of `usage`, or of `response.usage`; null and zeros count as none
  bool has_choices = false;
  bool choices_empty = false;  ///< `choices` is there and []
  bool has_id = false;
  bool has_data = false;       ///< `data` is there and an array
  bool has_error = false;      ///< an `error` that is not null
  std::size_t finished = 0;    ///< choices that say why they end
  bool ends_stream = false;    ///< an event of /v1/responses behind which nothing follows
  JsonSpan null_usage;         ///< `"usage":null` of an event, with the comma that goes with it; size 0: none
  std::size_t text_bytes = 0;  ///< of generated text, as written: content, text and delta strings
};

/// Reads a whole answer, or the data of one stream event.
AnswerFacts read_answer(std::string_view json);

}  // namespace sentinel::proxy
