// SPDX-License-Identifier: Apache-2.0
// The endpoints that make text or vectors from a JSON body: chat, completions, responses, embeddings. What tells them
// apart is data.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "proxy/cache/answer_store.h"
#include "proxy/json/generation_request.h"
#include "proxy/pipeline/routes.h"

namespace sentinel::proxy {

/// The member without which a whole answer is none.
enum class AnswerMember { kChoices, kId, kData };

struct GenerationShape {
  std::string_view upstream_path;          ///< behind the base's path: "/chat/completions"
  std::vector<RequiredMember> required{};  ///< beside `model`
  bool ask_for_usage = false;              ///< inject stream_options.include_usage, and strip the event that brings
  bool may_stream = true;
  bool counts_output = true;  ///< of what was used, the answer is a part
  bool names_state = false;   ///< answers name state that the upstream keeps unless it is told not to
  AnswerMember answer = AnswerMember::kChoices;
};

/// The form in which a request wants its answer.
inline AnswerForm answer_form(const RequestContext& context) {
  return context.streamed ? AnswerForm::kStream : AnswerForm::kWhole;
}

class GenerationCall;

class GenerationHandler final : public Handler {
 public:
  explicit GenerationHandler(GenerationShape shape) : shape_(std::move(shape)) {}

  Task<void> handle(RequestContext& context) override;

 private:
  /// Nothing: this answer is not to be looked up or kept.
  std::optional<CacheKey> key_of(const RequestContext& context, std::string_view body) const;

  /// Everything up to the call itself. Null: answered already, or the client is gone.
  Task<std::unique_ptr<GenerationCall>> prepare(RequestContext& context);

  GenerationShape shape_;
};

}  // namespace sentinel::proxy
