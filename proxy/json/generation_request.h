// SPDX-License-Identifier: Apache-2.0
// What the proxy must know of a request body, and where it stands in it. Fields the proxy decides by are "policed":
// twice in one body they are refused, because the upstream might take the other one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/json/splices.h"

namespace sentinel::proxy {

/// A member an endpoint can't do without; `kind` kBad: any kind will do.
struct RequiredMember {
  std::string_view name;
  JsonKind kind = JsonKind::kBad;
};

struct GenerationRequest {
  std::string model;
  JsonSpan model_span;  ///< its value, quotes included
  bool stream = false;
  std::optional<JsonSpan> stream_span;
  bool include_usage = false;                   ///< asked for by the client
  std::optional<JsonSpan> include_usage_span;   ///< its value
  std::optional<JsonSpan> stream_options_span;  ///< the object, or null
  bool stream_options_empty = true;             ///< null, or an object without members
  std::optional<std::uint64_t> max_tokens;      ///< the larger of max_tokens, max_completion_tokens, max_output_tokens
  std::uint64_t choices = 1;                    ///< n
  std::size_t prompt_bytes = 0;                 ///< of the text in messages, prompt or input
  std::size_t messages = 0;                     ///< objects among them; 0 where there are none
  std::size_t insert_at = 0;                    ///< behind the body's first brace

  /// Tokens of the prompt by rule of thumb, the frame around each message included.
  std::uint64_t estimated_input() const;
};

struct GenerationRequestResult {
  std::optional<GenerationRequest> request;
  std::string problem;  ///< for "Invalid request body: …" when there is none
};

GenerationRequestResult read_generation_request(std::string_view body, const std::vector<RequiredMember>& required);

/// Makes a streamed request ask for usage, whatever it said before.
void splice_include_usage(const GenerationRequest& request, Splices& splices);
/// Another model name goes upstream.
void splice_model(const GenerationRequest& request, std::string_view model, Splices& splices);

}  // namespace sentinel::proxy
