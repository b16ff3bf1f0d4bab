// SPDX-License-Identifier: Apache-2.0
// A source that failed is not asked again; every host that needs it gets the same errors.
#include "cli/secret_vault.h"

#include "core/config/secret_source.h"

namespace sentinel {

SecretValues SecretVault::values_for(const std::vector<SecretSpec>& specs, Diagnostics& diagnostics) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const SecretSpec& spec : specs) {
    if (!spec.generated && tried_.insert(spec.name).second) names.push_back(spec.name);
  }
  if (!names.empty()) {
    for (auto& [name, value] : resolve_secrets(project_, names, found_)) values_.insert_or_assign(name, std::move(value));
  }
  SecretValues values;
  bool complete = true;
  for (const SecretSpec& spec : specs) {
    if (spec.generated) continue;
    const auto found = values_.find(spec.name);
    if (found == values_.end()) {
      complete = false;
    } else {
      values.emplace(spec.name, found->second);
    }
  }
  if (!complete) {
    for (const Error& error : found_.errors) diagnostics.add(error);
  }
  for (const Error& warning : found_.warnings) diagnostics.warn(warning);
  return values;
}

}  // namespace sentinel
