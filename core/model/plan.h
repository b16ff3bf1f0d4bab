// SPDX-License-Identifier: Apache-2.0
// Work as data: what would change, by which few primitive actions, and how each is undone.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/model/resource.h"

namespace sentinel {

/// One attribute of one resource, for a person to read. Never holds a secret: `sensitive` values are shown as such.
struct Change {
  std::string attribute;
  std::string before;
  std::string after;
  bool sensitive = false;

  bool operator==(const Change&) const = default;
};

/// @name Actions
/// The primitives the executor knows. Each is idempotent: after a crash nobody knows whether it ran.
/// In an undo, an empty content or snapshot means "what stands there right before acting": the executor captures it into
/// the blob store and fills the reference in before it journals the undo.
/// @{

/// Durably replaces `path`. Holes are filled from the host's secrets at this moment.
struct WriteFile {
  std::string path;
  ContentRef content;
  std::string owner = "root";
  std::string group = "root";
  std::uint32_t mode = 0644;

  bool operator==(const WriteFile&) const = default;
};

/// Removes a file or link; one that is already gone is fine.
struct RemoveFile {
  std::string path;

  bool operator==(const RemoveFile&) const = default;
};

/// Makes a directory (parents exist or are made 0755 root) and sets its attributes.
struct MakeDirectory {
  std::string path;
  std::string owner = "root";
  std::string group = "root";
  std::uint32_t mode = 0755;

  bool operator==(const MakeDirectory&) const = default;
};

/// Removes a directory if it is empty; one with entries stays (they are not ours).
struct RemoveDirectory {
  std::string path;

  bool operator==(const RemoveDirectory&) const = default;
};

/// Atomically makes `path` a symlink to `target`.
struct MakeLink {
  std::string path;
  std::string target;

  bool operator==(const MakeLink&) const = default;
};

struct SetAttributes {
  std::string path;
  std::string owner;
  std::string group;
  std::uint32_t mode = 0;

  bool operator==(const SetAttributes&) const = default;
};

/// Runs argv without a shell. Fails unless the exit status is 0 (or `may_fail`).
struct RunCommand {
  std::vector<std::string> argv;
  std::uint32_t timeout_seconds = 300;
  bool may_fail = false;

  bool operator==(const RunCommand&) const = default;
};

/// apt-get install of exactly these, under a policy-rc.d that forbids starts; package lists are refreshed when they are
/// missing, a day old, or lack a name. Waits for dpkg's lock and says who holds it.
struct InstallPackages {
  std::vector<std::string> names;

  bool operator==(const InstallPackages&) const = default;
};

struct RemovePackages {
  std::vector<std::string> names;

  bool operator==(const RemovePackages&) const = default;
};

/// Undo of an installation: `dpkg --configure -a`, then purge of exactly the packages that are installed now and were not
/// when the snapshot (a blob: one "name:arch" a line, sorted) was taken.
struct PurgePackagesAddedSince {
  std::string snapshot;

  bool operator==(const PurgePackagesAddedSince&) const = default;
};

/// Writes /proc/sys/<key with slashes>.
struct SetKernelParameter {
  std::string key;
  std::string value;

  bool operator==(const SetKernelParameter&) const = default;
};

/// Puts a firewall snapshot (a blob, JSON) back: ufw's files, and per family the built-in policies and ufw's own chains of
/// table filter by one iptables-restore --noflush; nothing of Docker or fail2ban is touched.
struct RestoreFirewall {
  std::string snapshot;

  bool operator==(const RestoreFirewall&) const = default;
};
/// @}

using Action = std::variant<WriteFile, RemoveFile, MakeDirectory, RemoveDirectory, MakeLink, SetAttributes, RunCommand,
                            InstallPackages, RemovePackages, PurgePackagesAddedSince, SetKernelParameter, RestoreFirewall>;

std::string kind_of(const Action& action);
/// One line for people and the journal: "write /etc/motd", "run ufw allow 22/tcp".
std::string describe(const Action& action);

/// Can't be taken back; listed before the confirmation.
struct Irreversible {
  std::string why;

  bool operator==(const Irreversible&) const = default;
};

using Undo = std::variant<std::vector<Action>, Irreversible>;

enum class Risk { kNone, kService, kLockout, kIrreversible };
std::string to_string(Risk risk);

struct Step {
  std::string id;
  std::string kind;
  std::string title;
  Risk risk = Risk::kNone;
  std::vector<Change> changes;  ///< empty: already so
  std::vector<Action> actions;
  Undo undo;  ///< in the order to run
  std::vector<Effect> effects;

  bool operator==(const Step&) const = default;
};

/// What one host would go through. `observed` digests everything that was looked at, so that a plan applied later can be
/// refused when the host is no longer as it was.
struct Plan {
  std::string host;
  std::string observed;
  std::vector<Step> steps;  ///< only those with changes, in order
  std::uint32_t unchanged = 0;  ///< resources that are already so

  bool operator==(const Plan&) const = default;
};

}  // namespace sentinel
