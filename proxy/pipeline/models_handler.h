// SPDX-License-Identifier: Apache-2.0
// GET /v1/models and /v1/models/{id}: where only some models are offered, those by their public names; else the
// upstream's answer, or that of a fixed list when the upstream has none. Not metered.
#pragma once

#include "proxy/pipeline/routes.h"

namespace sentinel::proxy {

class ModelsHandler final : public Handler {
 public:
  enum class Question { kList, kOne };

  explicit ModelsHandler(Question question) : question_(question) {}

  Task<void> handle(RequestContext& context) override;

 private:
  /// Nobody else is asked: upstreams know nothing of names that are only ours.
  Task<void> answer_offered(RequestContext& context, const std::vector<std::string>& offered);

  Question question_;
};

}  // namespace sentinel::proxy
