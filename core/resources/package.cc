// SPDX-License-Identifier: Apache-2.0
// Undo of an installation is a purge of what came with it, dependencies included, so it names no packages but a
// snapshot.
#include "core/resources/package.h"

#include <fmt/format.h>

#include "core/model/json_fields.h"
#include "core/resources/dpkg_status.h"

namespace sentinel {
namespace {

constexpr const char* kInstalled = "installed";
constexpr const char* kAbsent = "absent";
constexpr const char* kBroken = "broken";

std::string shown_state(PackageState state) {
  switch (state) {
    case PackageState::kInstalled: return kInstalled;
    case PackageState::kBroken: return kBroken;
    case PackageState::kAbsent: break;
  }
  return kAbsent;
}

}  // namespace

SENTINEL_JSON_FIELDS(PackagesState, packages)

Result<PackagesState> observe(const Package& want, Look& look) {
  SENTINEL_TRY(const auto* status, dpkg_status(look));
  PackagesState out;
  for (const auto& name : want.names) {
    if (!is_package_name(name))
      return Error("resource.bad-package", fmt::format("'{}' is not the name of a package", name));
    out.packages[name] = shown_state(status->state(name));
  }
  return out;
}

Result<Step> plan(const Package& want, const PackagesState& now, Look&) {
  Step step;
  const bool install = want.ensure == Ensure::kPresent;
  std::vector<std::string> names;
  for (const auto& name : want.names) {
    const auto found = now.packages.find(name);
    const std::string state = found == now.packages.end() ? kAbsent : found->second;
    if (state == (install ? kInstalled : kAbsent)) continue;
    names.push_back(name);
    step.changes.push_back({name, state, install ? kInstalled : kAbsent, false});
  }
  if (names.empty()) return step;
  if (install) {
    step.actions = {InstallPackages{names}};
    step.undo = std::vector<Action>{PurgePackagesAddedSince{}};
  } else {
    step.actions = {RemovePackages{names}};
    step.undo = std::vector<Action>{InstallPackages{names}};
  }
  step.risk = Risk::kService;
  return step;
}

std::optional<ResourceBody> restored(const Package& managed, const PackagesState& then) {
  const bool managed_present = managed.ensure == Ensure::kPresent;
  Package back{{}, managed_present ? Ensure::kAbsent : Ensure::kPresent};
  for (const auto& name : managed.names) {
    const auto found = then.packages.find(name);
    const bool was_present = found != then.packages.end() && found->second != kAbsent;
    if (was_present != managed_present) back.names.push_back(name);
  }
  if (back.names.empty()) return managed;
  return back;
}

}  // namespace sentinel
