// SPDX-License-Identifier: Apache-2.0
// A container image as an archive, as `docker save` and packaging/proxy/image make it. An image is its configuration
// and the layers that names; each goes to a host by its own digest, so that only what the host lacks travels.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/base/tar.h"
#include "core/model/release.h"

namespace sentinel {

struct Image {
  Artefact artefact;
  std::string architecture;                       ///< as uname -m says it: "x86_64"
  std::map<std::string, std::string_view> parts;  ///< digest -> bytes; views of the archive
};

/// Whether an archive is an image and no bundle.
bool is_image(const std::vector<TarFile>& files);

/// Format: Docker Image Specification v1.2, "Combined Image JSON + Filesystem Changeset Format". Error
/// `image.malformed` or `tar.malformed`: not one image, or layers that are compressed or not as the configuration says.
Result<Image> read_image(std::string_view archive);

/// An image in a registry by its digest: "name[:tag]@sha256:<64 hex digits>". Error `image.reference` (usage).
Result<Artefact> parse_image_reference(const std::string& text);

}  // namespace sentinel
