// SPDX-License-Identifier: Apache-2.0
#include "proxy/upstreams/single_upstream.h"

#include <utility>

namespace sentinel::proxy {
namespace {

class OneAttempt final : public AttemptSequence {
 public:
  explicit OneAttempt(const UpstreamTarget& target) : target_(&target) {}

  const UpstreamTarget* next() override { return std::exchange(target_, nullptr); }

  bool report(const AttemptReport&) override { return false; }

 private:
  const UpstreamTarget* target_;
};

}  // namespace

std::unique_ptr<AttemptSequence> SingleUpstream::attempts(std::string_view) {
  return std::make_unique<OneAttempt>(target_);
}

}  // namespace sentinel::proxy
