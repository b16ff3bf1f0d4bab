// SPDX-License-Identifier: Apache-2.0
// System: a Reader that can also act. Only the engine's executor holds one. Every file operation is durable when it
// returns (file and directory synced), and idempotent.
#pragma once

#include <string>
#include <string_view>

#include "core/base/file.h"
#include "core/system/reader.h"

namespace sentinel {

class System : public Reader {
 public:
  virtual Result<void> replace_file(const std::string& path, std::string_view bytes, const FileAttributes& attributes) = 0;
  /// Appends and syncs the data (fdatasync); creates the file 0600 when it isn't there (and syncs its directory).
  virtual Result<void> append_file(const std::string& path, std::string_view bytes) = 0;
  /// A file or link; one that isn't there is fine.
  virtual Result<void> remove_file(const std::string& path) = 0;
  virtual Result<void> make_directory(const std::string& path, const FileAttributes& attributes) = 0;
  /// Only an empty one; one with entries, or none at all, is left and fine.
  virtual Result<void> remove_directory(const std::string& path) = 0;
  virtual Result<void> make_link(const std::string& path, const std::string& target) = 0;
  virtual Result<void> set_attributes(const std::string& path, const FileAttributes& attributes) = 0;
  /// Plain write to a kernel interface such as /proc/sys: no temp file, no sync.
  virtual Result<void> write_kernel_file(const std::string& path, std::string_view bytes) = 0;
  /// Runs a program that may change things.
  virtual Result<CommandResult> run(const CommandLine& command) = 0;
};

}  // namespace sentinel
