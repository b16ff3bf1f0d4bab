// SPDX-License-Identifier: Apache-2.0
// One upstream for every model, tried once.
#pragma once

#include "proxy/upstreams/upstream_set.h"

namespace sentinel::proxy {

class SingleUpstream final : public UpstreamSet {
 public:
  explicit SingleUpstream(UpstreamTarget target) : target_(std::move(target)) {}

  std::unique_ptr<AttemptSequence> attempts(std::string_view model) override;

 private:
  UpstreamTarget target_;
};

}  // namespace sentinel::proxy
