// SPDX-License-Identifier: Apache-2.0
// A name that was made or removed is durable only after its directory was synced, so every operation ends with that.
#include "core/system/local_system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "core/base/descriptor.h"
#include "core/base/temporary_name.h"
#include "core/system/process.h"

namespace sentinel {
namespace {

Result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return system_error(errno, "write", path);
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return {};
}

FileType type_of(mode_t mode) {
  if (S_ISREG(mode)) return FileType::kRegular;
  if (S_ISDIR(mode)) return FileType::kDirectory;
  if (S_ISLNK(mode)) return FileType::kLink;
  return FileType::kOther;
}

}  // namespace

Result<FileStatus> LocalSystem::status(const std::string& path) {
  struct stat info {};

  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return FileStatus{};
    return system_error(errno, "look at", path);
  }
  return FileStatus{type_of(info.st_mode),
                    info.st_uid,
                    info.st_gid,
                    static_cast<std::uint32_t>(info.st_mode & 07777),
                    static_cast<std::uint64_t>(info.st_size),
                    std::int64_t{info.st_ctim.tv_sec} * 1'000'000'000 + info.st_ctim.tv_nsec};
}

Result<std::string> LocalSystem::read_file(const std::string& path) {
  return read_whole_file(path);
}

Result<std::string> LocalSystem::read_link(const std::string& path) {
  char buffer[4096];
  const ssize_t got = ::readlink(path.c_str(), buffer, sizeof buffer);
  if (got < 0) return system_error(errno, "read link", path);
  return std::string(buffer, static_cast<std::size_t>(got));
}

Result<std::vector<std::string>> LocalSystem::list(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (directory == nullptr) {
    if (errno == ENOENT || errno == ENOTDIR) return names;
    return system_error(errno, "list", path);
  }
  errno = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
    errno = 0;
  }
  if (errno != 0) return system_error(errno, "list", path);
  std::sort(names.begin(), names.end());
  return names;
}

Result<CommandResult> LocalSystem::query(const CommandLine& command) {
  return run_process(command);
}

Result<CommandResult> LocalSystem::run(const CommandLine& command) {
  return run_process(command);
}

Result<void> LocalSystem::replace_file(const std::string& path, std::string_view bytes,
                                       const FileAttributes& attributes) {
  return sentinel::replace_file(path, bytes, attributes);
}

Result<void> LocalSystem::append_file(const std::string& path, std::string_view bytes) {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
  bool created = false;
  Descriptor fd(::open(path.c_str(), kFlags));
  if (!fd.valid() && errno == ENOENT) {
    fd = Descriptor(::open(path.c_str(), kFlags | O_CREAT, 0600));
    created = true;
  }
  if (!fd.valid()) return system_error(errno, "open", path);
  SENTINEL_CHECK(write_all(fd.get(), bytes, path));
  if (::fdatasync(fd.get()) != 0) return system_error(errno, "sync", path);
  if (created) return sync_directory(parent_directory(path));
  return {};
}

Result<void> LocalSystem::remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return system_error(errno, "remove", path);
  }
  return sync_directory(parent_directory(path));
}

Result<void> LocalSystem::make_directory(const std::string& path, const FileAttributes& attributes) {
  SENTINEL_CHECK(make_directories(parent_directory(path)));
  // Closed to others until it has its owner.
  const bool made = ::mkdir(path.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return system_error(errno, "make directory", path);
  SENTINEL_TRY(const auto now, status(path));
  if (now.type != FileType::kDirectory) return system_error(ENOTDIR, "make directory", path);
  SENTINEL_CHECK(set_attributes(path, attributes));
  return sync_directory(parent_directory(path));
}

Result<void> LocalSystem::remove_directory(const std::string& path) {
  if (::rmdir(path.c_str()) != 0) {
    if (errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR) return {};
    return system_error(errno, "remove directory", path);
  }
  return sync_directory(parent_directory(path));
}

Result<void> LocalSystem::make_link(const std::string& path, const std::string& target) {
  const std::string directory = parent_directory(path);
  const std::string temporary = temporary_name(path);
  if (::symlink(target.c_str(), temporary.c_str()) != 0) return system_error(errno, "make a link in", directory);
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int failure = errno;
    ::unlink(temporary.c_str());
    return system_error(failure, "replace", path);
  }
  return sync_directory(directory);
}

Result<void> LocalSystem::set_attributes(const std::string& path, const FileAttributes& attributes) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) return system_error(errno, "open", path);
  if (::fchown(fd.get(), attributes.uid, attributes.gid) != 0) return system_error(errno, "change the owner of", path);
  // After fchown, which clears set-id bits.
  if (::fchmod(fd.get(), attributes.mode) != 0) return system_error(errno, "change the mode of", path);
  if (::fsync(fd.get()) != 0) return system_error(errno, "sync", path);
  return {};
}

Result<void> LocalSystem::write_kernel_file(const std::string& path, std::string_view bytes) {
  const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) return system_error(errno, "open", path);
  return write_all(fd.get(), bytes, path);
}

}  // namespace sentinel
