// SPDX-License-Identifier: Apache-2.0
// POSIX only: std::filesystem has no fsync.
#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/descriptor.h"
#include "core/base/temporary_name.h"

namespace sentinel {
namespace {

Result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0) {
      if (errno == EINTR) continue;
      return system_error(errno, "write", path);
    }
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return {};
}

Result<void> write_and_sync(int fd, std::string_view bytes, const FileAttributes& attributes, const std::string& path) {
  SENTINEL_CHECK(write_all(fd, bytes, path));
  if (::fchown(fd, attributes.uid, attributes.gid) != 0) return system_error(errno, "change the owner of", path);
  // After fchown, which clears set-id bits.
  if (::fchmod(fd, attributes.mode) != 0) return system_error(errno, "change the mode of", path);
  if (::fsync(fd) != 0) return system_error(errno, "sync", path);
  return {};
}

}  // namespace

std::string parent_directory(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<std::string> read_whole_file(const std::string& path, std::size_t limit) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd.valid()) return system_error(errno, "open", path);

  struct stat info {};

  if (::fstat(fd.get(), &info) != 0) return system_error(errno, "stat", path);
  if (S_ISDIR(info.st_mode)) return system_error(EISDIR, "read", path);
  std::string out;
  // Without the copies of growing; files of /proc say 0.
  if (const auto size = static_cast<std::size_t>(info.st_size); size <= limit) out.reserve(size);
  char buffer[64 * 1024];
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0) {
      if (errno == EINTR) continue;
      return system_error(errno, "read", path);
    }
    if (got == 0) return out;
    if (out.size() + static_cast<std::size_t>(got) > limit) {
      return Error("file.too-large", fmt::format("{} is larger than {} bytes", path, limit));
    }
    out.append(buffer, static_cast<std::size_t>(got));
  }
}

Result<void> sync_directory(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return system_error(errno, "open directory", path);
  if (::fsync(fd.get()) != 0) return system_error(errno, "sync directory", path);
  return {};
}

Result<void> replace_file(const std::string& path, std::string_view bytes, const FileAttributes& attributes) {
  const std::string directory = parent_directory(path);
  const std::string temporary = temporary_name(path);
  Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return system_error(errno, "create a file in", directory);
  auto written = write_and_sync(fd.get(), bytes, attributes, path);
  fd.close();
  if (written.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) written = system_error(errno, "replace", path);
  if (!written.ok()) {
    ::unlink(temporary.c_str());
    return written;
  }
  return sync_directory(directory);
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  if (path.empty() || path == "/" || path == ".") return {};

  struct stat info {};

  if (::stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return {};
    return system_error(ENOTDIR, "make directory", path);
  }
  const std::string parent = parent_directory(path);
  SENTINEL_CHECK(make_directories(parent));
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return system_error(errno, "make directory", path);
  if (::chmod(path.c_str(), mode) != 0) return system_error(errno, "change the mode of", path);
  return sync_directory(parent);
}

}  // namespace sentinel
