// SPDX-License-Identifier: Apache-2.0
// Reader: the one way to look at a machine. observe() functions get a Reader and can't act, by type. Paths are absolute.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace sentinel {

enum class FileType { kAbsent, kRegular, kDirectory, kLink, kOther };

/// lstat in our words. A path that isn't there is `kAbsent`, not an error.
struct FileStatus {
  FileType type = FileType::kAbsent;
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint32_t mode = 0;  ///< permission bits
  std::uint64_t size = 0;
  std::int64_t changed_ns = 0;  ///< ctime, nanoseconds since 1970

  bool operator==(const FileStatus&) const = default;
};

struct CommandLine {
  std::vector<std::string> argv;  ///< argv[0] is looked up in a fixed PATH (/usr/sbin:/usr/bin:/sbin:/bin)
  std::string input;              ///< given on stdin
  std::map<std::string, std::string> environment;  ///< added to a minimal one (PATH, LC_ALL=C.UTF-8, HOME=/root)
  std::chrono::milliseconds timeout{60'000};         ///< then SIGKILL to its process group, and an error
  /// Called with whole lines of stdout and stderr as they come; may be empty.
  std::function<void(const std::string&)> on_line;
};

struct CommandResult {
  int status = 0;  ///< exit status; 128 + signal when killed by one; 127 when the program isn't there
  std::string output;
  std::string errors;

  /// "status 1: the end of what it said", for a message: its reason without pages of progress.
  std::string reason() const;
};

class Reader {
 public:
  virtual ~Reader() = default;
  virtual Result<FileStatus> status(const std::string& path) = 0;
  /// Error `system.ENOENT` when it isn't there; `file.too-large` above 64 MiB.
  virtual Result<std::string> read_file(const std::string& path) = 0;
  virtual Result<std::string> read_link(const std::string& path) = 0;
  /// Names in a directory, sorted; a directory that isn't there is empty.
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  /// Runs a program that only looks. Not starting at all is an error; a non-zero status is a result.
  virtual Result<CommandResult> query(const CommandLine& command) = 0;
};

}  // namespace sentinel
