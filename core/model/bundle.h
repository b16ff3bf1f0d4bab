// SPDX-License-Identifier: Apache-2.0
// A bundle: the self-contained archive that packaging/proxy/bundle makes. It carries a manifest that names every file
// with its digest, so that what was unpacked can be compared with what was packed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/tar.h"
#include "core/model/release.h"

namespace sentinel {

struct Bundle {
  Artefact artefact;
  std::string architecture;    ///< as uname -m says it: "x86_64"
  std::vector<TarFile> files;  ///< all but the manifest; views of the archive

  /// The bytes of a file; nothing when it isn't in the bundle.
  const TarFile* find(std::string_view name) const;
};

inline constexpr const char* kBundleManifest = "manifest.json";

/// Error `bundle.malformed` or `tar.malformed`: no manifest, or files that are not as the manifest says.
Result<Bundle> read_bundle(std::string_view archive);

}  // namespace sentinel
