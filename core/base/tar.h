// SPDX-License-Identifier: Apache-2.0
// Reads tar archives of plain files and directories, and nothing else: an archive with a link, a device, a name that
// leaves its directory, or a field we don't understand is refused as a whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace sentinel {

struct TarFile {
  std::string name;  ///< relative, without `.` and `..`
  std::uint32_t mode = 0644;
  std::string_view bytes;  ///< of the archive it was read from
};

/// The files of an uncompressed archive, in its order; directories are only implied by them. Format: POSIX.1-2017,
/// pax, "ustar Interchange Format"; GNU's variant of the signature is read too. Error `tar.malformed` names the offset.
Result<std::vector<TarFile>> read_tar(std::string_view archive);

/// An archive of these files, owned by root and without a time. Names have at most 100 bytes.
std::string write_tar(const std::vector<TarFile>& files);

}  // namespace sentinel
