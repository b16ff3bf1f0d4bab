// SPDX-License-Identifier: Apache-2.0
// The options: answers come from nobody, files an administrator changed stay, apt itself waits for the lock as well.
#include "core/engine/packages.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string.h>

#include <algorithm>
#include <set>

#include "core/base/descriptor.h"
#include "core/resources/dpkg_status.h"

namespace sentinel {
namespace {

constexpr const char* kLockPath = "/var/lib/dpkg/lock-frontend";
constexpr const char* kListsPath = "/var/lib/apt/lists";
constexpr std::chrono::seconds kAptTimeout{3600};
constexpr std::chrono::hours kListsAge{24};
constexpr std::chrono::milliseconds kLockPoll{500};

std::vector<std::string> apt_get(const std::string& verb, const std::vector<std::string>& names) {
  std::vector<std::string> argv{"apt-get",
                                "--quiet",
                                "--yes",
                                "-o",
                                "Dpkg::Options::=--force-confdef",
                                "-o",
                                "Dpkg::Options::=--force-confold",
                                "-o",
                                "DPkg::Lock::Timeout=120",
                                verb};
  argv.insert(argv.end(), names.begin(), names.end());
  return argv;
}

Error failed(const std::string& what, const CommandResult& result) {
  return Error("packages.failed", fmt::format("{} failed with {}", what, result.reason()));
}

std::set<std::string> lines_of(const std::string& text) {
  std::set<std::string> lines;
  for (std::size_t from = 0, to = 0; from < text.size(); from = to + 1) {
    to = std::min(text.find('\n', from), text.size());
    if (to > from) lines.insert(text.substr(from, to - from));
  }
  return lines;
}

Result<DpkgStatus> read_status(Reader& machine) {
  auto text = machine.read_file(kDpkgStatusPath);
  if (!text.ok()) return std::move(text).error().during("reading dpkg's status");
  return DpkgStatus::parse(*text);
}

}  // namespace

std::string_view policy_text() {
  return "#!/bin/sh\n"
         "# Written by sentinel for the time of one installation: services are started once they are configured.\n"
         "for word in \"$@\"; do\n"
         "  case \"$word\" in start|restart|try-restart|reload|force-reload|reload-or-restart) exit 101 ;; esac\n"
         "done\n"
         "exit 0\n";
}

std::optional<LockHolder> probe_record_lock(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.valid()) return std::nullopt;
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(file.get(), F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return std::nullopt;
  LockHolder holder{lock.l_pid, "?"};
  if (auto name = read_whole_file(fmt::format("/proc/{}/comm", lock.l_pid)); name.ok()) {
    holder.name = name->substr(0, name->find('\n'));
  }
  return holder;
}

Result<void> Packages::wait_for_lock() {
  const auto until = around_.clock.since_boot() + around_.lock_patience;
  int told = -1;
  while (const auto holder = around_.lock_probe(kLockPath)) {
    if (holder->pid != told) {
      told = holder->pid;
      Event event;
      event.type = Event::Type::kWaiting;
      event.text = fmt::format("dpkg's lock is held by {} (pid {})", holder->name, holder->pid);
      around_.events.tell(std::move(event));
    }
    if (around_.interrupted())
      return Error("engine.interrupted", "interrupted while waiting for dpkg's lock", "", ExitCode::kInterrupted);
    if (around_.clock.since_boot() >= until) {
      return Error("packages.locked",
                   fmt::format("dpkg's lock is still held by {} (pid {}) after {} s", holder->name, holder->pid,
                               around_.lock_patience.count()),
                   "let that program finish, then try again");
    }
    around_.clock.sleep(kLockPoll);
  }
  return {};
}

Result<CommandResult> Packages::run(const std::vector<std::string>& argv, std::chrono::seconds timeout) {
  SENTINEL_CHECK(wait_for_lock());
  CommandLine command;
  command.argv = argv;
  command.environment = {{"DEBIAN_FRONTEND", "noninteractive"}, {"NEEDRESTART_SUSPEND", "1"}};
  command.timeout = timeout;
  return around_.machine.run(command);
}

// What stood there before is put back by us, and after a crash by the step's undo. Finding our own text means that an
// earlier run was cut short: then nothing of anybody else's was there, or the undo still has it.
Result<void> Packages::under_policy(const std::function<Result<void>()>& work) {
  auto& machine = around_.machine;
  SENTINEL_TRY(const auto before, machine.status(kPolicyPath));
  std::string text;
  if (before.type == FileType::kRegular) {
    SENTINEL_TRY(text, machine.read_file(kPolicyPath));
  } else if (before.type != FileType::kAbsent) {
    return Error("packages.policy", fmt::format("{} is not a regular file", kPolicyPath));
  }
  const bool foreign = before.type == FileType::kRegular && text != policy_text();
  SENTINEL_CHECK(machine.replace_file(kPolicyPath, policy_text(), {0, 0, 0755}));
  auto outcome = work();
  auto back = foreign ? machine.replace_file(kPolicyPath, text, {before.uid, before.gid, before.mode})
                      : machine.remove_file(kPolicyPath);
  if (!outcome.ok()) return outcome;
  return back;
}

Result<bool> Packages::lists_are_stale() {
  auto& machine = around_.machine;
  SENTINEL_TRY(const auto names, machine.list(kListsPath));
  const bool any = std::any_of(names.begin(), names.end(),
                               [](const std::string& name) { return name.find("_Packages") != std::string::npos; });
  if (!any) return true;
  // apt replaces files in the directory when it refreshes, so its change time is the age of the lists.
  SENTINEL_TRY(const auto lists, machine.status(kListsPath));
  const auto now = std::chrono::nanoseconds(around_.clock.now().time_since_epoch()).count();
  if (now - lists.changed_ns > std::chrono::nanoseconds(kListsAge).count()) return true;
  for (const char* path : {"/etc/apt/sources.list", "/etc/apt/sources.list.d"}) {
    SENTINEL_TRY(const auto sources, machine.status(path));
    if (sources.type != FileType::kAbsent && sources.changed_ns > lists.changed_ns) return true;
  }
  return false;
}

Result<std::string> Packages::refresh() {
  SENTINEL_TRY(const auto result, run({"apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=120", "update"}, kAptTimeout));
  if (result.status == 0) return result.errors;
  return failed("apt-get update", result);
}

Result<void> Packages::install(const std::vector<std::string>& names) {
  return under_policy([&]() -> Result<void> {
    SENTINEL_TRY(const bool stale, lists_are_stale());
    std::string complaints;
    // A mirror that is down must not matter when the lists at hand suffice.
    if (stale) {
      auto refreshed = refresh();
      complaints = refreshed.ok() ? *refreshed : refreshed.error().message;
    }
    SENTINEL_TRY(auto result, run(apt_get("install", names), kAptTimeout));
    if (result.status != 0 && !stale) {
      SENTINEL_TRY(complaints, refresh());
      SENTINEL_TRY(result, run(apt_get("install", names), kAptTimeout));
    }
    if (result.status == 0) return {};
    Error error = failed(fmt::format("apt-get install {}", fmt::join(names, " ")), result);
    // A package that can't be found has its reason there more often than not.
    while (complaints.ends_with('\n')) complaints.pop_back();
    if (!complaints.empty()) error.message += "\nwhile refreshing the lists: " + complaints;
    return error;
  });
}

Result<void> Packages::remove(const std::vector<std::string>& names) {
  return under_policy([&]() -> Result<void> {
    SENTINEL_TRY(const auto result, run(apt_get("remove", names), kAptTimeout));
    if (result.status != 0) return failed(fmt::format("apt-get remove {}", fmt::join(names, " ")), result);
    return {};
  });
}

Result<std::string> Packages::snapshot() {
  SENTINEL_TRY(const auto status, read_status(around_.machine));
  std::string text;
  for (const auto& name : status.present()) text += name + "\n";
  return text;
}

Result<void> Packages::purge_added_since(const std::string& snapshot) {
  return under_policy([&]() -> Result<void> {
    // Whatever was cut short is finished first: dpkg refuses to purge what it left half-installed. What can't be
    // configured goes all the same, so this may fail.
    SENTINEL_TRY(const auto configured, run({"dpkg", "--configure", "-a"}, kAptTimeout));
    (void)configured;
    SENTINEL_TRY(const auto status, read_status(around_.machine));
    const auto before = lines_of(snapshot);
    std::vector<std::string> argv{"dpkg", "--purge", "--force-remove-reinstreq"};
    const auto fixed = argv.size();
    for (const auto& name : status.present()) {
      if (before.count(name) == 0) argv.push_back(name);
    }
    if (argv.size() == fixed) return {};
    SENTINEL_TRY(const auto result, run(argv, kAptTimeout));
    if (result.status != 0) return failed("dpkg --purge of the packages that were added", result);
    return {};
  });
}

}  // namespace sentinel
