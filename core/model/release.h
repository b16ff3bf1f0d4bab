// SPDX-License-Identifier: Apache-2.0
// Releases as data: one deployed version of the application, what a host remembers of it, and what sentinelctl orders.
// Secrets are in none of it: files name them by holes, and their values are filled in when a release is made ready.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/content.h"
#include "core/model/health.h"

namespace sentinel {

enum class RuntimeKind { kSystemd, kCompose };

/// What a release runs.
struct Artefact {
  enum class Kind { kBundle, kImage };
  Kind kind = Kind::kBundle;
  std::string name;
  std::string version;
  std::string sha256;      ///< of the archive; of an image: of its configuration, which engines call its id
  std::uint64_t size = 0;  ///< of the archive, in bytes
  /// Of an image that was shipped: its configuration, then its layers, the lowest first.
  std::vector<ContentRef> parts{};
  /// Of an image that the host pulls: "registry.example/name@sha256:<64 hex digits>", and `sha256` is that digest.
  std::string reference{};

  bool operator==(const Artefact&) const = default;
};

/// One rendered file of a release. Its path is relative to the release's directory; a file with holes is kept there
/// under `holes/` as it was rendered, and filled outside of it (see ReleasePaths).
struct ReleaseFile {
  std::string path;
  std::uint32_t mode = 0644;
  ContentRef content;

  bool operator==(const ReleaseFile&) const = default;
};

/// How URLs of probes begin that are asked at the release's own endpoint.
inline constexpr const char* kReleaseHost = "http://release/";

/// When a release counts as healthy, and what becomes of the one before it. Kept with the release, so that going back
/// to it needs nothing else.
struct ReleasePolicy {
  std::uint32_t keep = 5;             ///< releases that stay on the host
  std::uint32_t drain_seconds = 300;  ///< for open streams of the release that is replaced
  /// An HTTP probe of kReleaseHost asks the release at its own endpoint, past everybody's traffic.
  HealthSettings health;

  bool operator==(const ReleasePolicy&) const = default;
};

/// A step that a release needs done once on a host, by the host, before it is started. Commands without a slash are
/// looked up, relative ones stand in the release's directory.
struct ReleaseMigration {
  std::string id;
  std::vector<std::string> run;
  std::vector<std::string> undo;  ///< must cope with a run that did not come to its end; empty: there is none
  std::string irreversible;       ///< why

  bool operator==(const ReleaseMigration&) const = default;
};

struct Release {
  std::string id;
  std::string app;
  RuntimeKind runtime = RuntimeKind::kSystemd;
  Artefact artefact;
  std::vector<ReleaseFile> files;
  std::string config_digest;  ///< of the configuration as rendered, holes and all
  std::string env_digest;     ///< of the environment as rendered, holes and all
  std::string unit_digest;    ///< of the unit or compose file
  std::string tree_digest;    ///< of the whole release directory, read back after it was written
  std::string created;        ///< RFC 3339
  std::string operator_name;
  ReleasePolicy policy;
  std::vector<ReleaseMigration> migrations;  ///< all it needs, in order, also those done long ago

  bool operator==(const Release&) const = default;
};

enum class ReleaseState {
  kStaged,     ///< its directory is complete; nothing runs
  kCandidate,  ///< it runs, and gets no traffic
  kServing,    ///< it has the traffic and is still watched
  kConfirmed,  ///< it is in force, or was
  kFailed,     ///< it did not prove healthy, or was taken back
};
std::string to_string(ReleaseState state);

struct ReleaseRecord {
  Release release;
  ReleaseState state = ReleaseState::kStaged;
  std::string changed;           ///< RFC 3339: since when it is so
  std::string transaction;       ///< by which
  std::string reason;            ///< of a failure
  std::vector<std::string> log;  ///< of a failure: its last lines

  bool operator==(const ReleaseRecord&) const = default;
};

/// A migration that was run on this host, and not undone.
struct DoneMigration {
  ReleaseMigration migration;
  std::string release;      ///< that brought it
  std::string time;         ///< RFC 3339
  std::string transaction;  ///< by which

  bool operator==(const DoneMigration&) const = default;
};

/// What a host remembers of one application. `releases` in the order of their first deployment.
struct AppReleases {
  std::string app;
  RuntimeKind runtime = RuntimeKind::kSystemd;
  std::string current;   ///< id of the one in force; empty: none ever was
  std::string previous;  ///< id of the confirmed one before it: where a rollback without a name goes; may be empty
  std::vector<ReleaseRecord> releases;
  std::vector<DoneMigration> migrations;  ///< in the order they were run

  const ReleaseRecord* find(const std::string& id) const;
  ReleaseRecord* find(const std::string& id);

  bool operator==(const AppReleases&) const = default;
};

/// What sentinelctl asks of a host. A deploy names everything but the tree digest; a rollback names an app and a
/// release, or no release: then it goes to the last confirmed one before the current.
struct ReleaseOrder {
  enum class Action { kDeploy, kRollback };
  Action action = Action::kDeploy;
  Release release;
  bool roll_back = true;  ///< false: a release that fails after the switch keeps the traffic
  bool wait_for_drain = false;

  bool operator==(const ReleaseOrder&) const = default;
};

/// Letters, digits, `.`, `_`, `-`, at most 64, beginning with a letter or digit: it becomes part of unit names and
/// paths.
bool is_release_id(const std::string& id);

/// Where the parts of a release stand on a host; both sides count on it.
struct ReleasePaths {
  std::string app;
  std::string id;

  /// /opt/<app>
  static std::string home(const std::string& app) { return "/opt/" + app; }

  static std::string current(const std::string& app) { return home(app) + "/current"; }

  std::string directory() const { return home(app) + "/releases/" + id; }

  /// A part of an image, by its digest: several releases may share it.
  static std::string image_parts(const std::string& app) { return home(app) + "/images"; }

  /// Of compose's releases, each in a directory named like it; `current` leads to the one that has the traffic.
  static std::string sockets(const std::string& app) { return "/run/" + app + "-app"; }

  /// Root's alone: files with their secrets filled in.
  std::string private_directory() const { return "/var/lib/sentinel/releases/" + app + "/" + id; }

  /// Where the program finds a file of the release.
  std::string installed(const ReleaseFile& file) const {
    return (file.content.holes ? private_directory() : directory()) + "/" + file.path;
  }
};

/// @name Names of files within a release
/// @{
inline constexpr const char* kReleaseConfig = "config.yaml";
inline constexpr const char* kReleaseEnvironment = "environment";
inline constexpr const char* kReleaseUnit = "unit.service";
inline constexpr const char* kReleaseSocket = "unit.socket";
inline constexpr const char* kReleaseWatch = "watch.json";  ///< WatchSettings
inline constexpr const char* kReleaseCompose = "compose.yaml";
inline constexpr const char* kReleaseHoles = "holes";
/// @}

}  // namespace sentinel
