// SPDX-License-Identifier: Apache-2.0
// sentinel.yaml as values: hosts, variables, secrets by name, and the settings of the application. Everything has been
// checked against docs/reference/project.yaml when a Project exists. Values of secrets are not here: see
// secret_source.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/assets.h"
#include "core/config/diagnostics.h"
#include "core/config/yaml.h"
#include "core/model/audit.h"
#include "core/model/health.h"
#include "core/model/request.h"
#include "core/model/watch.h"

namespace sentinel {

struct Host {
  std::string name;
  std::string address;
  std::optional<std::uint16_t> port;  ///< missing: what ~/.ssh/config says, else 22
  std::optional<std::string> user;    ///< first contact; missing: what ~/.ssh/config says, else root
  std::string identity;               ///< path as written ("~/.ssh/id_ed25519"); empty: agent and the usual files
  std::string host_key;               ///< pin: "ssh-ed25519 AAAA..."; empty: known_hosts
  std::string jump;                   ///< name of another host of the project; empty: direct
  std::vector<std::string> tags;
  Node vars;  ///< overrides project vars
  Position position;
};

/// Where a secret's value comes from.
struct SecretSource {
  enum class Kind { kEnvironment, kFile, kCommand, kGenerate };
  std::string name;
  Kind kind = Kind::kEnvironment;
  std::string variable;           ///< environment
  std::string path;               ///< file, relative to the project
  std::vector<std::string> argv;  ///< command, run without a shell in the project's directory
  std::string encoding = "hex";   ///< generate: hex or base64
  std::uint32_t bytes = 32;       ///< generate
  Position position;

  SecretSpec spec() const;
};

/// A command on the operator's machine, as argv.
using HookCommands = std::vector<std::vector<std::string>>;

struct Hooks {
  HookCommands pre_connect;
  HookCommands pre_deploy;
  HookCommands post_deploy;
  HookCommands on_rollback;
};

struct Migration {
  std::string id;
  std::vector<std::string> run;
  std::vector<std::string> undo;
  std::string irreversible;  ///< why there is no undo
};

/// A waiver and where it stands.
struct ProjectWaiver {
  Waiver waiver;
  Position control_position;
  Position until_position;
};

struct Project {
  std::string directory;  ///< where sentinel.yaml stands; absolute
  std::string name;
  std::string stack;  ///< a shipped or own stack's name, or a path ending in .yaml
  Position stack_position;
  std::vector<Host> hosts;
  Node vars;      ///< project `vars`, with `app` and `health` (but its `verify`) merged in under their names
  Node settings;  ///< --set, as a mapping; wins over everything
  std::vector<SecretSource> secrets;
  Node app;  ///< the checked `app:` mapping, or null; a later layer gives it a shape
  Node health;
  HealthSettings health_settings;  ///< `health` as probes and limits
  WatchSettings watch;             ///< `health` as what a host watches for good
  Hooks hooks;
  std::vector<Migration> migrations;
  std::vector<ProjectWaiver> waivers;

  const Host* find_host(const std::string& host_name) const;
  const SecretSource* find_secret(const std::string& secret_name) const;
};

struct ProjectSource {
  std::string directory;              ///< -C
  std::optional<std::string> text;    ///< in place of the file: bootstrap without a project
  std::vector<std::string> settings;  ///< --set: "ssh.port=2222"
};

/// Where neither the project nor ~/.ssh/config says anything.
inline constexpr std::uint16_t kSshPort = 22;
inline constexpr const char* kFirstUser = "root";

inline constexpr const char* kProjectFile = "sentinel.yaml";

/// Nothing when anything is wrong (then `diagnostics` has at least one error). Error codes `project.…`, `yaml.…`,
/// `schema.…`.
std::optional<Project> load_project(const ProjectSource& source, Diagnostics& diagnostics);
/// The same, but a project with mistakes in it comes back too, so that a caller can look for more. Nothing when it is
/// no YAML.
std::optional<Project> read_project(const ProjectSource& source, Diagnostics& diagnostics);

/// The text of a project with one host, for `bootstrap USER@ADDRESS` without a project file; what wasn't said is left
/// out.
std::string default_project_text(const std::optional<std::string>& user, const std::string& address,
                                 std::optional<std::uint16_t> port);

/// Hosts whose name or tag matches: comma-separated names, tags or globs, `!x` takes away ("web*,!web3"); empty means
/// all. In the project's order. Error `project.no-such-host` when a part matches nothing or nothing is left.
Result<std::vector<const Host*>> select_hosts(const Project& project, const std::string& pattern);

}  // namespace sentinel
