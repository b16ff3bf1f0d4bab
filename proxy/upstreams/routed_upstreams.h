// SPDX-License-Identifier: Apache-2.0
// Routing by model: the first attempt by weight, the others where it may help, and nobody who is known not to answer.
#pragma once

#include <random>

#include "proxy/upstreams/upstream_directory.h"

namespace sentinel::proxy {

class RoutedUpstreams final : public UpstreamSet {
 public:
  explicit RoutedUpstreams(std::shared_ptr<const UpstreamDirectory> directory) : directory_(std::move(directory)) {}

  std::unique_ptr<AttemptSequence> attempts(std::string_view model) override;

  std::vector<std::string> models() const override { return directory_->models(); }

  /// After a reload; requests under way go on with what they began with.
  void replace(std::shared_ptr<const UpstreamDirectory> directory) { directory_ = std::move(directory); }

 private:
  std::shared_ptr<const UpstreamDirectory> directory_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace sentinel::proxy
