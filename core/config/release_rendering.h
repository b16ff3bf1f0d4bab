// SPDX-License-Identifier: Apache-2.0
// A release of one host as data: the bundle's own unit templates, the project's environment and configuration, and the
// policy of `app` and `health`. Pure: secrets stay holes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/config/expand.h"
#include "core/model/bundle.h"

namespace sentinel {

struct ReleaseRendering {
  Release release;                              ///< all but what only the host knows
  std::vector<SecretSpec> secrets;              ///< those its files use
  std::map<std::string, std::string> contents;  ///< digest -> serialized bytes, the archive's among them
};

/// What the bundle is rendered for.
struct ReleaseWish {
  const Bundle& bundle;
  const std::string& archive;
  std::string id;
  std::optional<std::uint32_t> start_seconds;  ///< in place of health.start
};

/// Templates: `templates/app/environment.j2` and `templates/app/config.yaml.j2` (the project's own win), and the
/// bundle's `templates/release.{service,socket}.j2`. Nothing when anything is wrong.
std::optional<ReleaseRendering> render_release(const Project& project, const Playbook& playbook, const Host& host,
                                               const Facts& facts, const Assets& assets, const ReleaseWish& wish,
                                               Diagnostics& diagnostics);

}  // namespace sentinel
