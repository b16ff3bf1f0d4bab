// SPDX-License-Identifier: Apache-2.0
#include "core/engine/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/model/json.h"
#include "core/model/json_fields.h"

namespace sentinel {
namespace {

constexpr std::chrono::milliseconds kPoll{100};
/// Asking who holds a lease takes a shared lock for an instant; that must not look like a holder.
constexpr std::chrono::milliseconds kGrace{300};

Result<Descriptor> open_lease(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid()) return system_error(errno, "open", path);
  return file;
}

/// True when taken, false when another process has it.
Result<bool> try_lock(const Descriptor& file, int how, const std::string& path) {
  while (::flock(file.get(), how | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) return system_error(errno, "lock", path);
  }
  return true;
}

}  // namespace

SENTINEL_JSON_FIELDS(LeaseHolder, operator_name, purpose, started, pid, transaction)

namespace {

LeaseHolder read_holder(const std::string& path) {
  const auto text = read_whole_file(path, 64U << 10);
  if (!text.ok()) return {};
  const auto json = parse_json(*text);
  return json.ok() ? decode<LeaseHolder>(*json).value_or({}) : LeaseHolder{};
}

Error held(const LeaseHolder& by) {
  const auto who = by.operator_name.empty() ? std::string("somebody") : by.operator_name;
  return Error(
      "lease.held",
      fmt::format("{} is changing this host ({}) since {}", who, by.purpose.empty() ? "purpose unknown" : by.purpose,
                  by.started.empty() ? "just now" : by.started),
      "wait for it with --wait SECONDS, or follow it with `sentinelctl attach`", ExitCode::kLeaseHeld);
}

Result<void> write_holder(const Descriptor& file, const LeaseHolder& holder, const std::string& path) {
  const auto text = to_text(holder) + "\n";
  // Over what is there: a full disk has no other place for it.
  if (::pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return system_error(errno, "write", path);
  }
  if (::ftruncate(file.get(), static_cast<off_t>(text.size())) != 0) return system_error(errno, "truncate", path);
  return {};
}

}  // namespace

Result<Lease> Lease::acquire(const std::string& path, const LeaseHolder& holder, Clock& clock,
                             std::chrono::seconds patience) {
  SENTINEL_TRY(auto file, open_lease(path));
  const auto until = clock.since_boot() + std::max<std::chrono::nanoseconds>(patience, kGrace);
  while (true) {
    SENTINEL_TRY(const bool taken, try_lock(file, LOCK_EX, path));
    if (taken) break;
    if (clock.since_boot() >= until) return held(read_holder(path));
    clock.sleep(kPoll);
  }
  SENTINEL_CHECK(write_holder(file, holder, path));
  return Lease(std::move(file));
}

Result<std::optional<LeaseHolder>> Lease::holder(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid() && errno == ENOENT) return std::optional<LeaseHolder>();
  if (!file.valid()) return system_error(errno, "open", path);
  SENTINEL_TRY(const bool taken, try_lock(file, LOCK_SH, path));
  if (taken) return std::optional<LeaseHolder>();
  return std::optional<LeaseHolder>(read_holder(path));
}

}  // namespace sentinel
