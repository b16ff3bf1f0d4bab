// SPDX-License-Identifier: Apache-2.0
// Which upstreams there are, and which of them answer for which model: immutable, shared by the workers, replaced whole
// by a reload.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/upstreams/breaker.h"
#include "proxy/upstreams/upstream_set.h"

namespace sentinel::proxy {

struct UpstreamRules {
  unsigned attempts = 3;  ///< at most, for one request
  Breaker::Rules breaker;
};

class UpstreamDirectory;

/// The directory that is valid now, for who isn't told of a reload. Any thread.
class CurrentDirectory {
 public:
  explicit CurrentDirectory(std::shared_ptr<const UpstreamDirectory> directory) : directory_(std::move(directory)) {}

  std::shared_ptr<const UpstreamDirectory> get() const {
    const std::lock_guard lock(mutex_);
    return directory_;
  }

  void set(std::shared_ptr<const UpstreamDirectory> directory) {
    const std::lock_guard lock(mutex_);
    directory_ = std::move(directory);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const UpstreamDirectory> directory_;
};

class UpstreamDirectory {
 public:
  struct Choice {
    UpstreamTarget target;
    unsigned weight = 1;         ///< share of first attempts; 0: only when the others fail
    Breaker* breaker = nullptr;  ///< of the upstream
  };

  using Choices = std::vector<Choice>;

  /// What answers for a model.
  struct Offer {
    std::string upstream;  ///< its name
    std::string model;     ///< as the upstream knows it; empty: as asked for
    unsigned weight = 1;
  };

  using Offers = std::map<std::string, std::vector<Offer>>;

  /// `upstreams`: at least one, names unique. `offers` by the model's public name; "*" is any other; empty: every model
  /// is offered by all of them. Each offer names an upstream.
  UpstreamDirectory(std::vector<UpstreamTarget> upstreams, const Offers& offers, UpstreamRules rules);

  /// Null: not offered here. The empty model is that of requests without one: the first upstream, then the others.
  const Choices* find(const std::string& model) const;
  /// Public names, sorted; empty: any.
  std::vector<std::string> models() const;

  /// By upstream: 0 for a closed breaker, 1 while one request tries, 2 for an open one. Any thread.
  std::map<std::string, double> circuit_states() const;

  const UpstreamRules& rules() const { return rules_; }

  struct Upstream {
    UpstreamTarget target;
    std::unique_ptr<Breaker> breaker;
  };

  const std::vector<Upstream>& upstreams() const { return upstreams_; }

 private:
  std::vector<Upstream> upstreams_;
  std::map<std::string, Choices> choices_;
  Choices without_model_;
  UpstreamRules rules_;
};

}  // namespace sentinel::proxy
