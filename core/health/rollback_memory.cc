// SPDX-License-Identifier: Apache-2.0
// A JSON list, replaced as a whole. Old steps go when there are more than a host has releases for.
#include "core/health/rollback_memory.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/model/json.h"
#include "core/model/json_fields.h"

namespace sentinel {
namespace {

constexpr std::size_t kMostSteps = 200;

}  // namespace

SENTINEL_JSON_FIELDS(AutomaticRollback, app, from, to, reason, time, failed)

Result<void> RollbackMemory::load() {
  const auto text = machine_.read_file(path_);
  if (!text.ok() && text.error().code == "system.ENOENT") return {};
  if (!text.ok()) return text.error();
  SENTINEL_TRY(const auto json, parse_json(*text));
  SENTINEL_TRY(steps_, decode<std::vector<AutomaticRollback>>(json));
  return {};
}

std::string RollbackMemory::objection(const std::string& app, const std::string& release) const {
  for (const auto& step : steps_) {
    if (step.app != app) continue;
    if (step.from == release) return fmt::format("release {} was taken back once already", release);
    if (step.to == release) return fmt::format("release {} is in force since {} was taken back", release, step.from);
  }
  return {};
}

Result<void> RollbackMemory::save(std::vector<AutomaticRollback> steps) {
  if (steps.size() > kMostSteps) steps.erase(steps.begin(), steps.end() - static_cast<std::ptrdiff_t>(kMostSteps));
  SENTINEL_CHECK(machine_.replace_file(path_, to_text(nlohmann::json(steps)) + "\n", {0, 0, 0600}));
  steps_ = std::move(steps);
  return {};
}

Result<void> RollbackMemory::begin(AutomaticRollback step) {
  if (const auto why = objection(step.app, step.from); !why.empty()) return Error("watch.once", why);
  auto steps = steps_;
  steps.push_back(std::move(step));
  return save(std::move(steps));
}

Result<void> RollbackMemory::arrived(const std::string& app, const std::string& release) {
  auto steps = steps_;
  for (auto& step : steps) {
    // What comes after a step that failed came by something else.
    if (step.app == app && step.to.empty() && step.failed.empty() && step.from != release) step.to = release;
  }
  if (steps == steps_) return {};
  return save(std::move(steps));
}

bool RollbackMemory::under_way(const std::string& app, const std::string& release) const {
  return std::any_of(steps_.begin(), steps_.end(), [&](const AutomaticRollback& step) {
    return step.app == app && step.from == release && step.to.empty() && step.failed.empty();
  });
}

RollbackCounts RollbackMemory::counts(const std::string& app) const {
  RollbackCounts out;
  for (const auto& step : steps_) {
    if (step.app != app) continue;
    out.done += step.to.empty() ? 0 : 1;
    out.failed += step.failed.empty() ? 0 : 1;
  }
  return out;
}

Result<bool> RollbackMemory::failed(const std::string& app, const std::string& release, const std::string& how) {
  if (!under_way(app, release)) return false;
  auto steps = steps_;
  for (auto& step : steps) {
    if (step.app == app && step.from == release && step.to.empty()) step.failed = how;
  }
  SENTINEL_CHECK(save(std::move(steps)));
  return true;
}

}  // namespace sentinel
