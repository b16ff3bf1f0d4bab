// SPDX-License-Identifier: Apache-2.0
// LocalSystem: the machine this program runs on. File operations are POSIX calls, durable when they return.
#pragma once

#include "core/system/system.h"

namespace sentinel {

/// Stateless; any thread may use it.
class LocalSystem final : public System {
 public:
  Result<FileStatus> status(const std::string& path) override;
  Result<std::string> read_file(const std::string& path) override;
  Result<std::string> read_link(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<CommandResult> query(const CommandLine& command) override;

  Result<void> replace_file(const std::string& path, std::string_view bytes, const FileAttributes& attributes) override;
  Result<void> append_file(const std::string& path, std::string_view bytes) override;
  Result<void> remove_file(const std::string& path) override;
  Result<void> make_directory(const std::string& path, const FileAttributes& attributes) override;
  Result<void> remove_directory(const std::string& path) override;
  Result<void> make_link(const std::string& path, const std::string& target) override;
  Result<void> set_attributes(const std::string& path, const FileAttributes& attributes) override;
  Result<void> write_kernel_file(const std::string& path, std::string_view bytes) override;
  Result<CommandResult> run(const CommandLine& command) override;
};

}  // namespace sentinel
