// SPDX-License-Identifier: Apache-2.0
// Dispatch over the closed set of kinds. A kind's state type is what its observe() returns.
#include "core/resources/survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/facts/ssh_facts.h"
#include "core/model/json.h"
#include "core/resources/apt_source.h"
#include "core/resources/authorized_keys.h"
#include "core/resources/command.h"
#include "core/resources/directory.h"
#include "core/resources/file.h"
#include "core/resources/firewall.h"
#include "core/resources/group.h"
#include "core/resources/link.h"
#include "core/resources/look.h"
#include "core/resources/package.h"
#include "core/resources/service.h"
#include "core/resources/sshd.h"
#include "core/resources/sysctl.h"
#include "core/resources/user.h"

namespace sentinel {
namespace {

template <typename Body>
using StateOf = typename decltype(observe(std::declval<const Body&>(), std::declval<Look&>()))::value_type;

template <typename Body>
Result<Step> plan_body(const Body& body, const StateOf<Body>& state, Look& look) {
  if constexpr (requires { plan(body, state, look); }) {
    return plan(body, state, look);
  } else {
    return plan(body, state);
  }
}

/// What a mistake with this unit can cost.
Risk risk_of_effect(const Effect& effect) {
  static constexpr std::array<std::string_view, 5> kDoors{"ssh.service", "sshd.service", "ssh.socket",
                                                          "fail2ban.service", "ufw.service"};
  if (effect.unit.empty()) return Risk::kNone;
  return std::find(kDoors.begin(), kDoors.end(), effect.unit) != kDoors.end() ? Risk::kLockout : Risk::kService;
}

void finish(const Resource& resource, Step& step) {
  step.id = resource.id;
  step.kind = kind_of(resource.body);
  step.title = resource.title;
  if (step.changes.empty()) return;
  step.effects.insert(step.effects.end(), resource.notify.begin(), resource.notify.end());
  std::sort(step.effects.begin(), step.effects.end());
  step.effects.erase(std::unique(step.effects.begin(), step.effects.end()), step.effects.end());
  for (const auto& effect : step.effects) step.risk = std::max(step.risk, risk_of_effect(effect));
}

}  // namespace

struct Survey::Shared {
  explicit Shared(Surroundings surroundings) : look(std::move(surroundings)) {}

  Look look;
};

Survey::Survey(Surroundings surroundings) : shared_(std::make_unique<Shared>(std::move(surroundings))) {}

Survey::~Survey() = default;

void Survey::prefetch(const std::vector<Resource>& resources) {
  auto& look = shared_->look;
  for (const auto& resource : resources) {
    if (const auto* service = std::get_if<Service>(&resource.body)) look.expect_unit(service->unit);
    if (std::holds_alternative<Firewall>(resource.body)) look.expect_unit("ufw.service");
    if (std::holds_alternative<SshdConfig>(resource.body)) look.expect_unit(ssh_unit(look.machine()));
  }
}

Result<nlohmann::json> Survey::observe(const ResourceBody& body) {
  return std::visit(
      [&](const auto& wanted) -> Result<nlohmann::json> {
        SENTINEL_TRY(auto state, sentinel::observe(wanted, shared_->look));
        return nlohmann::json(state);
      },
      body);
}

Result<Step> Survey::plan(const Resource& resource, const nlohmann::json& state) {
  auto step = std::visit(
      [&](const auto& wanted) -> Result<Step> {
        SENTINEL_TRY(const auto now, decode<StateOf<std::decay_t<decltype(wanted)>>>(state));
        return plan_body(wanted, now, shared_->look);
      },
      resource.body);
  if (!step.ok()) return std::move(step).error().during(fmt::format("planning {}", resource.id));
  finish(resource, *step);
  return step;
}

const std::vector<ContentRef>& Survey::missing() const {
  return shared_->look.missing();
}

void Survey::forget() {
  shared_->look.forget();
}

Look& Survey::look() {
  return shared_->look;
}

std::optional<ResourceBody> restored(const ResourceBody& managed, const nlohmann::json& then) {
  return std::visit(
      [&](const auto& body) -> std::optional<ResourceBody> {
        const auto state = decode<StateOf<std::decay_t<decltype(body)>>>(then);
        if (!state.ok()) return std::nullopt;
        return restored(body, *state);
      },
      managed);
}

nlohmann::json lasting(nlohmann::json state) {
  if (state.is_object()) state.erase("stale");
  return state;
}

}  // namespace sentinel
