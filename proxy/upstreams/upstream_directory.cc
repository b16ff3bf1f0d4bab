// SPDX-License-Identifier: Apache-2.0
#include "proxy/upstreams/upstream_directory.h"

#include <algorithm>
#include <cstdlib>

namespace sentinel::proxy {
namespace {

constexpr const char* kAnyOther = "*";

}  // namespace

UpstreamDirectory::UpstreamDirectory(std::vector<UpstreamTarget> upstreams, const Offers& offers, UpstreamRules rules)
    : rules_(rules) {
  for (UpstreamTarget& target : upstreams) {
    upstreams_.push_back({std::move(target), std::make_unique<Breaker>(rules.breaker)});
  }
  Choices all;
  for (const Upstream& upstream : upstreams_) {
    all.push_back({upstream.target, 1, upstream.breaker.get()});
    without_model_.push_back({upstream.target, without_model_.empty() ? 1U : 0U, upstream.breaker.get()});
  }
  if (offers.empty()) choices_[kAnyOther] = all;
  for (const auto& [model, offered] : offers) {
    Choices& choices = choices_[model];
    for (const Offer& offer : offered) {
      const auto upstream = std::find_if(upstreams_.begin(), upstreams_.end(),
                                         [&](const Upstream& one) { return one.target.name == offer.upstream; });
      if (upstream == upstreams_.end()) std::abort();  // settings are checked before
      choices.push_back({upstream->target, offer.weight, upstream->breaker.get()});
      choices.back().target.model = offer.model;
    }
  }
}

const UpstreamDirectory::Choices* UpstreamDirectory::find(const std::string& model) const {
  if (model.empty()) return &without_model_;
  auto found = choices_.find(model);
  if (found == choices_.end()) found = choices_.find(kAnyOther);
  return found == choices_.end() ? nullptr : &found->second;
}

std::vector<std::string> UpstreamDirectory::models() const {
  std::vector<std::string> names;
  if (choices_.contains(kAnyOther)) return names;
  for (const auto& [model, choices] : choices_) names.push_back(model);
  return names;
}

std::map<std::string, double> UpstreamDirectory::circuit_states() const {
  std::map<std::string, double> states;
  for (const Upstream& upstream : upstreams_) {
    double& state = states[upstream.target.name];
    switch (upstream.breaker->state()) {
      case Breaker::State::kClosed: state = 0; break;
      case Breaker::State::kTrial: state = 1; break;
      case Breaker::State::kOpen: state = 2; break;
    }
  }
  return states;
}

}  // namespace sentinel::proxy
