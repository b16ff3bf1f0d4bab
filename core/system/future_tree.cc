// SPDX-License-Identifier: Apache-2.0
// Everything is prepared before the fork; the child only makes system calls.
#include "core/system/future_tree.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/file.h"
#include "core/system/process.h"

namespace sentinel {
namespace {

struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  std::string home = "/root";
};

std::vector<std::string> fields_of(const std::string& line, char separator) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  for (;;) {
    const auto end = line.find(separator, begin);
    out.push_back(line.substr(begin, end - begin));
    if (end == std::string::npos) return out;
    begin = end + 1;
  }
}

bool read_id(const std::string& text, unsigned& id) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size();
}

/// Groups the user is a member of by name, beside the primary one.
std::vector<gid_t> groups_of(const std::string& user, const std::string& group_file) {
  std::vector<gid_t> out;
  for (const auto& line : fields_of(group_file, '\n')) {
    const auto fields = fields_of(line, ':');
    unsigned gid = 0;
    if (fields.size() != 4 || !read_id(fields[2], gid)) continue;
    const auto members = fields_of(fields[3], ',');
    if (std::find(members.begin(), members.end(), user) != members.end()) out.push_back(gid);
  }
  return out;
}

Result<Identity> identity_of(const std::string& user) {
  Identity out;
  if (user.empty() || user == "root") return out;
  SENTINEL_TRY(const auto passwd, read_whole_file("/etc/passwd"));
  SENTINEL_TRY(const auto group, read_whole_file("/etc/group"));
  for (const auto& line : fields_of(passwd, '\n')) {
    const auto fields = fields_of(line, ':');
    if (fields.size() != 7 || fields[0] != user || !read_id(fields[2], out.uid) || !read_id(fields[3], out.gid))
      continue;
    out.home = fields[5];
    out.groups = groups_of(user, group);
    out.groups.push_back(out.gid);
    return out;
  }
  return Error("future.no-user", fmt::format("there is no user '{}' to run a check as", user));
}

int become(const Identity& identity) {
  if (::setgroups(identity.groups.size(), identity.groups.data()) != 0) return errno;
  if (::setresgid(identity.gid, identity.gid, identity.gid) != 0) return errno;
  if (::setresuid(identity.uid, identity.uid, identity.uid) != 0) return errno;
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
}

int enter_private_namespace() {
  if (::unshare(CLONE_NEWNS) != 0) return errno;
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 ? 0 : errno;
}

/// Errors by which a kernel says that it can't do this overlay (no module, too many layers), not that something is
/// wrong.
bool overlay_is_missing(const Error& error) {
  return error.code == "system.ENODEV" || error.code == "system.EINVAL" || error.code == "system.ENOTSUP" ||
         error.code == "system.EPERM";
}

/// A copy of /etc with the staged files in it, removed at the end.
class MergedCopy {
 public:
  static Result<MergedCopy> make(const std::string& staged_root) {
    std::string pattern = staged_root + ".merged.XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) return system_error(errno, "make directory", pattern);
    MergedCopy out(pattern);
    for (const auto& source : {std::string("/etc"), staged_root + "/etc"}) {
      CommandLine copy;
      copy.argv = {"cp", "-a", "--", source + "/.", pattern};
      SENTINEL_TRY(const auto result, run_process(copy));
      if (result.status != 0) return Error("future.no-copy", fmt::format("/etc can't be copied: {}", result.errors));
    }
    return out;
  }

  MergedCopy(MergedCopy&& other) noexcept : path_(std::exchange(other.path_, {})) {}

  MergedCopy& operator=(MergedCopy&&) = delete;

  ~MergedCopy() {
    if (path_.empty()) return;
    CommandLine remove;
    remove.argv = {"rm", "-rf", "--one-file-system", "--", path_};
    (void)run_process(remove);
  }

  const std::string& path() const { return path_; }

 private:
  explicit MergedCopy(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

Result<CommandResult> run_over_copy(const std::string& staged_root, const CommandLine& command,
                                    const Identity& identity) {
  SENTINEL_TRY(const auto copy, MergedCopy::make(staged_root));
  const char* merged = copy.path().c_str();
  return run_process(command, [&]() -> int {
    if (const int failure = enter_private_namespace(); failure != 0) return failure;
    if (::mount(merged, "/etc", nullptr, MS_BIND, nullptr) != 0) return errno;
    if (::mount("none", "/etc", nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0) return errno;
    return become(identity);
  });
}

}  // namespace

Result<CommandResult> run_in_future_tree(const std::string& staged_root, const CommandLine& command,
                                         const std::string& user) {
  // Overlay options have no quoting that all kernels understand for these.
  if (staged_root.empty() || staged_root[0] != '/' || staged_root.find_first_of(",:\\") != std::string::npos) {
    return Error("future.bad-root", fmt::format("'{}' can't hold a tree of staged files", staged_root));
  }
  SENTINEL_TRY(const auto identity, identity_of(user));
  CommandLine prepared = command;
  prepared.environment.try_emplace("HOME", identity.home);
  const std::string options = fmt::format("lowerdir={}/etc:/etc", staged_root);
  auto result = run_process(prepared, [&]() -> int {
    if (const int failure = enter_private_namespace(); failure != 0) return failure;
    if (::mount("overlay", "/etc", "overlay", MS_RDONLY, options.c_str()) != 0) return errno;
    return become(identity);
  });
  if (!result.ok() && overlay_is_missing(result.error())) return run_over_copy(staged_root, prepared, identity);
  return result;
}

}  // namespace sentinel
