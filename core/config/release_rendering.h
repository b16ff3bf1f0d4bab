// SPDX-License-Identifier: Apache-2.0
// A release of one host as data: the bundle's own unit templates or the project's compose file, the project's
// environment and configuration, and the policy of `app` and `health`. Pure: secrets stay holes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/tar.h"
#include "core/config/expand.h"
#include "core/model/release.h"

namespace sentinel {

struct ReleaseRendering {
  Release release;                              ///< all but what only the host knows
  std::vector<SecretSpec> secrets;              ///< those its files use
  std::map<std::string, std::string> contents;  ///< digest -> serialized bytes, the archive's among them
};

/// What is to be shipped, and as which release.
struct ReleaseWish {
  Artefact artefact;
  std::string architecture;                          ///< as uname -m says it; empty: only the host finds out
  std::map<std::string, std::string_view> contents;  ///< digest -> bytes of the artefact, for hosts that lack them
  std::vector<TarFile> files;                        ///< of a bundle: views of its archive
  std::string id;
  std::optional<std::uint32_t> start_seconds;  ///< in place of health.start
};

/// Reads a bundle or an image, by what the archive is. The archive must outlive the wish. Errors `bundle.malformed`,
/// `image.malformed`, `tar.malformed`.
Result<ReleaseWish> wish_of_archive(std::string_view archive);

/// Templates: `app/environment.j2` and `app/config.yaml.j2` (the project's own win); for systemd the bundle's
/// `templates/release.{service,socket}.j2`, for compose `app/compose.yaml.j2`. Nothing when anything is wrong.
std::optional<ReleaseRendering> render_release(const Project& project, const Playbook& playbook, const Host& host,
                                               const Facts& facts, const Assets& assets, const ReleaseWish& wish,
                                               Diagnostics& diagnostics);

}  // namespace sentinel
