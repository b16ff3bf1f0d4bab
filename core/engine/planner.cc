// SPDX-License-Identifier: Apache-2.0
// Secrets come first: contents are compared and written with their values.
#include "core/engine/planner.h"

#include <fmt/format.h>

#include <set>

#include "core/base/digest.h"
#include "core/model/json.h"

namespace sentinel {
namespace {

constexpr std::uint32_t kMaximalSecretBytes = 1024;

Result<void> plan_secrets(HostState& host, SecretView& secrets, PlannedRequest& out) {
  if (secrets.specs().empty()) return {};
  SENTINEL_TRY(const auto key, host.secrets.host_key());
  for (const auto& spec : secrets.specs()) {
    SENTINEL_TRY(auto state, secrets.observe(spec, key));
    SENTINEL_TRY(auto step, secrets.plan(spec, host.blobs));
    out.states["secret/" + spec.name] = std::move(state);
    if (step.changes.empty()) {
      ++out.plan.unchanged;
    } else {
      out.plan.steps.push_back(std::move(step));
    }
  }
  return {};
}

std::string where(const Resource& resource) {
  return resource.origin.empty() ? resource.id : fmt::format("{} ({})", resource.id, resource.origin);
}

}  // namespace

Result<PlannedRequest> plan_request(const Request& request, HostState& host, SecretView& secrets, Survey& survey) {
  SENTINEL_CHECK(check_request(request));
  PlannedRequest out;
  out.plan.host = request.host;
  SENTINEL_CHECK(plan_secrets(host, secrets, out));
  survey.prefetch(request.resources);
  for (const auto& resource : request.resources) {
    auto state = survey.observe(resource.body);
    if (!state.ok()) return std::move(state).error().during("looking at " + where(resource));
    auto step = survey.plan(resource, *state);
    if (!step.ok()) return std::move(step).error().during("planning " + where(resource));
    out.states[resource.id] = std::move(state).value();
    if (step->changes.empty()) {
      ++out.plan.unchanged;
    } else {
      out.plan.steps.push_back(std::move(step).value());
    }
  }
  out.missing = survey.missing();
  out.plan.observed = digest_of(out.states);
  return out;
}

std::string digest_of(const std::map<std::string, nlohmann::json>& states) {
  Sha256 sum;
  for (const auto& [id, state] : states) {
    sum.update(to_text(nlohmann::json{id, state}));
    sum.update("\n");
  }
  return sum.finish_hex();
}

std::vector<std::string> irreversible_steps(const Plan& plan) {
  std::vector<std::string> out;
  for (const auto& step : plan.steps) {
    if (const auto* why = std::get_if<Irreversible>(&step.undo))
      out.push_back(fmt::format("{}: {}", step.id, why->why));
  }
  return out;
}

Result<void> check_request(const Request& request) {
  std::set<std::string> ids;
  for (const auto& resource : request.resources) {
    if (resource.id.empty()) return Error("request.invalid", "a resource has no id");
    if (resource.id.starts_with("secret/")) {
      return Error("request.invalid", fmt::format("resource id '{}': 'secret/' is reserved", resource.id));
    }
    if (!ids.insert(resource.id).second) {
      return Error("request.invalid", fmt::format("resource id '{}' occurs twice", resource.id));
    }
  }
  std::set<std::string> secrets;
  for (const auto& spec : request.secrets) {
    if (!is_secret_name(spec.name)) {
      return Error("request.invalid", fmt::format("'{}' is not a name for a secret", spec.name));
    }
    if (!secrets.insert(spec.name).second) {
      return Error("request.invalid", fmt::format("secret '{}' occurs twice", spec.name));
    }
    const bool known_encoding = spec.encoding == "hex" || spec.encoding == "base64";
    if (spec.generated && (!known_encoding || spec.bytes == 0 || spec.bytes > kMaximalSecretBytes)) {
      return Error("request.invalid", fmt::format("secret '{}' can't be generated as {} of {} bytes", spec.name,
                                                  spec.encoding, spec.bytes));
    }
  }
  return {};
}

}  // namespace sentinel
