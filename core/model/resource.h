// SPDX-License-Identifier: Apache-2.0
// The closed set of things that should be so on a host. Plain values: what a playbook says after expansion, what travels
// to the agent, what a generation records. observe() and plan() for each kind live in core/resources.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/model/content.h"

namespace sentinel {

enum class Ensure { kPresent, kAbsent };

/// How a file is validated before it is put in place, and what else follows from what it is.
enum class FileFormat {
  kPlain,
  kSudoers,          ///< visudo -c; a mistake can cost root: lock-out risk
  kCaddyfile,        ///< caddy validate, as the service's user, in the future tree
  kPrometheus,       ///< promtool check config
  kPrometheusRules,  ///< promtool check rules
  kSystemdUnit,      ///< systemd-analyze verify; owes a daemon-reload
  kFail2ban,         ///< fail2ban-client -t
};

/// A regular file with exactly this content.
struct File {
  std::string path;
  ContentRef content;
  std::string owner = "root";  ///< name, or decimal id
  std::string group = "root";
  std::uint32_t mode = 0644;  ///< permission bits
  Ensure ensure = Ensure::kPresent;
  FileFormat format = FileFormat::kPlain;

  bool operator==(const File&) const = default;
};

/// sshd's drop-in. Beside the file it owns the *effective* values: `sshd -T` must say `effective` (lower-case keywords),
/// and the running daemon must have loaded its configuration after the last change to it.
struct SshdConfig {
  std::string path;  ///< sorts before 50-cloud-init.conf: sshd takes the first value it meets
  ContentRef content;
  std::map<std::string, std::string> effective;

  bool operator==(const SshdConfig&) const = default;
};

struct Directory {
  std::string path;
  std::string owner = "root";
  std::string group = "root";
  std::uint32_t mode = 0755;
  Ensure ensure = Ensure::kPresent;

  bool operator==(const Directory&) const = default;
};

struct Link {
  std::string path;
  std::string target;
  Ensure ensure = Ensure::kPresent;

  bool operator==(const Link&) const = default;
};

/// Distribution packages; all package resources of a plan that no apt source separates are installed in one run.
struct Package {
  std::vector<std::string> names;
  Ensure ensure = Ensure::kPresent;

  bool operator==(const Package&) const = default;
};

/// A third-party repository: its key under /etc/apt/keyrings and its list, which names that key by signed-by.
struct AptSource {
  std::string name;  ///< /etc/apt/sources.list.d/<name>.list and /etc/apt/keyrings/<name>.asc
  ContentRef key;    ///< ASCII-armoured
  std::string line;  ///< "deb [signed-by=/etc/apt/keyrings/<name>.asc] https://... suite component"
  Ensure ensure = Ensure::kPresent;

  bool operator==(const AptSource&) const = default;
};

struct User {
  std::string name;
  std::optional<std::uint32_t> uid;  ///< left to the system when absent; never assumes 1000
  std::string group;                 ///< primary group; empty: one named like the user
  std::vector<std::string> groups;   ///< supplementary groups the user must at least be in
  std::string home;                  ///< empty: /home/<name>, or / for a system user
  std::string shell = "/bin/bash";
  std::string comment;
  bool system = false;
  Ensure ensure = Ensure::kPresent;
  std::vector<std::string> not_groups = {};  ///< supplementary groups the user must not be in: what a rollback takes back

  bool operator==(const User&) const = default;
};

struct Group {
  std::string name;
  std::optional<std::uint32_t> gid;
  bool system = false;
  Ensure ensure = Ensure::kPresent;

  bool operator==(const Group&) const = default;
};

/// Lines of ~user/.ssh/authorized_keys. Keys are compared by type and blob, not by comment.
struct AuthorizedKeys {
  std::string user;
  std::vector<std::string> keys;  ///< whole lines; options before the type allowed
  bool exclusive = false;         ///< remove every other key

  bool operator==(const AuthorizedKeys&) const = default;
};

/// Kernel parameters: the file that sets them at boot and the values in force now.
struct Sysctl {
  std::string path;  ///< /etc/sysctl.d/60-sentinel.conf
  std::map<std::string, std::string> values;  ///< dotted keys
  Ensure ensure = Ensure::kPresent;

  bool operator==(const Sysctl&) const = default;
};

/// A systemd unit. What is absent is left alone.
struct Service {
  std::string unit;  ///< with suffix: "caddy.service"
  std::optional<bool> enabled;
  std::optional<bool> active;
  std::optional<bool> masked;
  /// Files the running service was started from: when one changed after the unit last (re)loaded, the unit is stale and
  /// a reload is planned. Directories count with their entries.
  std::vector<std::string> reads;

  bool operator==(const Service&) const = default;
};

struct FirewallRule {
  std::string action = "allow";  ///< allow, deny, reject, limit
  std::string port;              ///< "22", "6000:6007"; empty: any
  std::string protocol = "tcp";  ///< tcp, udp, or any
  std::string from = "any";      ///< address or prefix
  std::string comment;

  bool operator==(const FirewallRule&) const = default;
};

/// UFW as a whole: every rule that isn't listed is removed, except that the port in use for SSH is always kept open.
struct Firewall {
  bool enabled = true;
  std::string incoming = "deny";
  std::string outgoing = "allow";
  std::string routed = "deny";
  std::string logging = "low";  ///< off, low, medium, high, full
  bool ipv6 = true;
  std::vector<FirewallRule> rules;

  bool operator==(const Firewall&) const = default;
};

/// A guarded command: runs only when its guard says so.
struct Command {
  std::vector<std::string> argv;
  std::string creates;               ///< not run when this path exists
  std::vector<std::string> unless;   ///< not run when this exits 0
  bool always = false;
  std::vector<std::string> undo;     ///< empty: irreversible, and named as such before the first change
  std::uint32_t timeout_seconds = 300;

  bool operator==(const Command&) const = default;
};

using ResourceBody = std::variant<File, SshdConfig, Directory, Link, Package, AptSource, User, Group, AuthorizedKeys,
                                  Sysctl, Service, Firewall, Command>;

/// What a change owes. Owed effects are journalled with the change, merged, and paid once.
struct Effect {
  enum class Kind { kDaemonReload, kReload, kRestart };
  Kind kind = Kind::kReload;
  std::string unit;  ///< empty for daemon-reload

  auto operator<=>(const Effect&) const = default;
};

/// "daemon-reload", "reload caddy.service", "restart redis-server.service"
std::string to_string(const Effect& effect);
/// Inverse of to_string; a unit without suffix gets ".service".
Result<Effect> parse_effect(const std::string& text);

struct Resource {
  std::string id;     ///< unique in a request: "<role>/<name>"
  std::string title;  ///< for people: "sshd drop-in"
  ResourceBody body;
  std::vector<Effect> notify;
  std::string origin;  ///< "playbooks/roles/ssh.yaml:12", for messages

  bool operator==(const Resource&) const = default;
};

/// "file", "sshd", "directory", "link", "package", "apt_source", "user", "group", "authorized_keys", "sysctl", "service",
/// "firewall", "command"
std::string kind_of(const ResourceBody& body);
std::string to_string(FileFormat format);

/// Every content a resource refers to.
std::vector<ContentRef> contents_of(const ResourceBody& body);

}  // namespace sentinel
