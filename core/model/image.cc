// SPDX-License-Identifier: Apache-2.0
#include "core/model/image.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/digest.h"
#include "core/model/json.h"

namespace sentinel {
namespace {

constexpr const char* kManifest = "manifest.json";
constexpr std::string_view kSha256 = "sha256:";
constexpr std::size_t kDigest = 64;
// What images and kernels call the same processors.
const std::map<std::string, std::string> kArchitectures{{"amd64", "x86_64"}, {"arm64", "aarch64"}};

Error malformed(const std::string& what) {
  return Error("image.malformed", "this is no image, or it is damaged: " + what,
               "an image is what docker save or packaging/proxy/image makes");
}

const TarFile* find(const std::vector<TarFile>& files, const std::string& name) {
  const auto found = std::find_if(files.begin(), files.end(), [&](const TarFile& one) { return one.name == name; });
  return found == files.end() ? nullptr : &*found;
}

struct Manifest {
  std::string config;
  std::string tag;  ///< may be empty
  std::vector<std::string> layers;
};

Result<Manifest> manifest_of(const std::vector<TarFile>& files) {
  const auto* file = find(files, kManifest);
  if (file == nullptr) return malformed("it has no manifest");
  SENTINEL_TRY(const auto json, parse_json(std::string(file->bytes)));
  if (!json.is_array() || json.size() != 1) return malformed("it does not hold exactly one image");
  try {
    Manifest manifest;
    json[0].at("Config").get_to(manifest.config);
    json[0].at("Layers").get_to(manifest.layers);
    if (const auto tags = json[0].find("RepoTags"); tags != json[0].end() && tags->is_array() && !tags->empty()) {
      (*tags)[0].get_to(manifest.tag);
    }
    return manifest;
  } catch (const nlohmann::json::exception& failure) {
    return malformed(failure.what());
  }
}

struct Configuration {
  std::string architecture;
  std::vector<std::string> layers;  ///< digests of the uncompressed layers, the lowest first
};

Result<Configuration> configuration_of(const TarFile& file) {
  SENTINEL_TRY(const auto json, parse_json(std::string(file.bytes)));
  try {
    Configuration out;
    json.at("architecture").get_to(out.architecture);
    json.at("rootfs").at("diff_ids").get_to(out.layers);
    return out;
  } catch (const nlohmann::json::exception& failure) {
    return malformed(failure.what());
  }
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

bool is_image(const std::vector<TarFile>& files) {
  const auto* manifest = find(files, kManifest);
  return manifest != nullptr && manifest->bytes.starts_with('[');
}

Result<Image> read_image(std::string_view archive) {
  SENTINEL_TRY(const auto files, read_tar(archive));
  SENTINEL_TRY(const auto manifest, manifest_of(files));
  const auto* configuration = find(files, manifest.config);
  if (configuration == nullptr) return malformed("its configuration is missing");
  SENTINEL_TRY(const auto known, configuration_of(*configuration));
  if (known.layers.size() != manifest.layers.size()) return malformed("layers are missing");
  Image image;
  image.artefact.kind = Artefact::Kind::kImage;
  image.artefact.sha256 = sha256_hex(configuration->bytes);
  const auto take = [&](const std::string& digest, std::string_view bytes) {
    image.parts.emplace(digest, bytes);
    image.artefact.parts.push_back({digest, false, bytes.size()});
    image.artefact.size += bytes.size();
  };
  take(image.artefact.sha256, configuration->bytes);
  for (std::size_t i = 0; i < known.layers.size(); ++i) {
    const auto* layer = find(files, manifest.layers[i]);
    if (layer == nullptr) return malformed(manifest.layers[i] + " is missing");
    const auto digest = sha256_hex(layer->bytes);
    if (std::string(kSha256) + digest != known.layers[i]) {
      return malformed(manifest.layers[i] + " is compressed, or not as the configuration says");
    }
    take(digest, layer->bytes);
  }
  const auto colon = manifest.tag.rfind(':');
  image.artefact.name = manifest.tag.substr(0, colon);
  image.artefact.version =
      colon == std::string::npos ? image.artefact.sha256.substr(0, 12) : manifest.tag.substr(colon + 1);
  const auto processor = kArchitectures.find(known.architecture);
  image.architecture = processor == kArchitectures.end() ? known.architecture : processor->second;
  return image;
}

Result<Artefact> parse_image_reference(const std::string& text) {
  const auto at = text.find('@');
  const auto name = text.substr(0, at);
  const auto digest = at == std::string::npos ? std::string() : text.substr(at + 1);
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("._-/:").find(c) != std::string_view::npos;
  };
  if (name.empty() || name.front() == '-' || !std::all_of(name.begin(), name.end(), plain) ||
      !digest.starts_with(kSha256) || digest.size() != kSha256.size() + kDigest ||
      !is_hex(std::string_view(digest).substr(kSha256.size()))) {
    return Error("image.reference", fmt::format("'{}' does not name an image by its digest", text),
                 "write NAME@sha256:DIGEST: a tag may be another image tomorrow", ExitCode::kUsage);
  }
  Artefact artefact;
  artefact.kind = Artefact::Kind::kImage;
  artefact.reference = text;
  artefact.sha256 = digest.substr(kSha256.size());
  const auto slash = name.rfind('/');
  const auto colon = name.find(':', slash == std::string::npos ? 0 : slash);
  artefact.name = name.substr(0, colon);
  artefact.version = colon == std::string::npos ? artefact.sha256.substr(0, 12) : name.substr(colon + 1);
  return artefact;
}

}  // namespace sentinel
