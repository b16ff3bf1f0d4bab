// SPDX-License-Identifier: Apache-2.0
#include "core/engine/host_state.h"

namespace sentinel {

HostState::HostState(System& machine_, StateDirectory directory_)
    : machine(machine_),
      directory(directory_),
      blobs(machine_, directory_),
      secrets(machine_, directory_),
      generations(machine_, directory_),
      audit(machine_, directory_) {}

Result<Surroundings> HostState::surroundings(SecretView& secrets_view, const std::vector<std::string>& keep_open) {
  SENTINEL_TRY(auto key, secrets.host_key());
  auto content = [this](const ContentRef& reference) -> std::optional<std::string> {
    auto bytes = blobs.get(reference.digest);
    if (!bytes.ok()) return std::nullopt;
    return std::move(bytes).value();
  };
  auto secret = [&secrets_view](const std::string& name) { return secrets_view.find(name); };
  auto keep = [this](std::string_view bytes) -> Result<void> {
    SENTINEL_CHECK(blobs.put(bytes));
    return {};
  };
  return Surroundings{machine, std::move(content), std::move(secret), std::move(key), keep_open, std::move(keep)};
}

}  // namespace sentinel
