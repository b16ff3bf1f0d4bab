// SPDX-License-Identifier: Apache-2.0
// The endpoints that make text or vectors from a JSON body: chat, completions, responses, embeddings. What tells them
// apart is data.
#pragma once

#include <string_view>
#include <vector>

#include "proxy/json/generation_request.h"
#include "proxy/pipeline/routes.h"

namespace sentinel::proxy {

struct GenerationShape {
  std::string_view upstream_path;        ///< behind the base's path: "/chat/completions"
  std::vector<RequiredMember> required;  ///< beside `model`
  bool ask_for_usage = false;            ///< inject stream_options.include_usage, and strip the event that brings
  bool may_stream = true;
};

class GenerationHandler final : public Handler {
 public:
  explicit GenerationHandler(GenerationShape shape) : shape_(std::move(shape)) {}

  Task<void> handle(RequestContext& context) override;

 private:
  GenerationShape shape_;
};

}  // namespace sentinel::proxy
