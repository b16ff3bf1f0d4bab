// SPDX-License-Identifier: Apache-2.0
// Reading and durably replacing files. Every file the project replaces goes through replace_file: there is one way.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sentinel {

/// Owner, group and permission bits a replaced file gets before it becomes visible.
struct FileAttributes {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0644;  ///< permission bits only (07777)

  bool operator==(const FileAttributes&) const = default;
};

/// The whole file. Error `system.E…`, or `file.too-large` above `limit` bytes.
Result<std::string> read_whole_file(const std::string& path, std::size_t limit = 64U << 20);

/// Temp file in the same directory, write, attributes, fsync, rename, fsync of the directory. After success the content
/// survives a power cut; after failure or a crash the old file is whole. Replaces a symlink itself, not its target.
Result<void> replace_file(const std::string& path, std::string_view bytes, const FileAttributes& attributes);

/// fsync of a directory, so that names made or removed in it survive a power cut.
Result<void> sync_directory(const std::string& path);

/// The directory part of an absolute path ("/" for "/x").
std::string parent_directory(const std::string& path);

/// Creates missing parents with mode 0755 (or `mode` for the last one) and syncs each directory that got a new name.
Result<void> make_directories(const std::string& path, mode_t mode = 0755);

}  // namespace sentinel
