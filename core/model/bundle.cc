// SPDX-License-Identifier: Apache-2.0
#include "core/model/bundle.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/digest.h"
#include "core/model/json.h"
#include "core/model/json_fields.h"

namespace sentinel {
namespace {

struct ManifestFile {
  std::string sha256;
  std::uint64_t size = 0;
  std::string mode;
};

struct Manifest {
  std::string name;
  std::string version;
  std::string architecture;
  std::map<std::string, ManifestFile> files;
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ManifestFile, sha256, size, mode)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Manifest, name, version, architecture, files)

Error malformed(const std::string& what) {
  return Error("bundle.malformed", "this is no bundle, or it is damaged: " + what,
               "a bundle is what packaging/proxy/bundle makes");
}

}  // namespace

const TarFile* Bundle::find(std::string_view name) const {
  const auto found = std::find_if(files.begin(), files.end(), [&](const TarFile& one) { return one.name == name; });
  return found == files.end() ? nullptr : &*found;
}

Result<Bundle> read_bundle(std::string_view archive) {
  Bundle bundle;
  SENTINEL_TRY(bundle.files, read_tar(archive));
  const auto place = std::find_if(bundle.files.begin(), bundle.files.end(),
                                  [](const TarFile& one) { return one.name == kBundleManifest; });
  if (place == bundle.files.end()) return malformed("it has no manifest");
  SENTINEL_TRY(const auto json, parse_json(std::string(place->bytes)));
  SENTINEL_TRY(const auto manifest, decode<Manifest>(json));
  bundle.files.erase(place);
  for (const auto& file : bundle.files) {
    const auto entry = manifest.files.find(file.name);
    if (entry == manifest.files.end()) return malformed(file.name + " is not in its manifest");
    if (entry->second.sha256 != sha256_hex(file.bytes) || entry->second.size != file.bytes.size() ||
        entry->second.mode != fmt::format("{:04o}", file.mode)) {
      return malformed(file.name + " is not as its manifest says");
    }
  }
  if (bundle.files.size() != manifest.files.size()) return malformed("files of its manifest are missing");
  bundle.architecture = manifest.architecture;
  bundle.artefact = {Artefact::Kind::kBundle, manifest.name, manifest.version, sha256_hex(archive), archive.size()};
  return bundle;
}

}  // namespace sentinel
