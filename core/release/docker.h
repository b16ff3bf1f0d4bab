// SPDX-License-Identifier: Apache-2.0
// The container engine as the compose runtime needs it: through its own command line, docker, and compose's (plugin 2.x
// or docker-compose 1.29). While the daemon restarts, a command waits for it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/system/system.h"

namespace sentinel {

/// What the engine says of one container.
struct Container {
  std::string id;
  bool running = false;
  bool ended = false;  ///< it ran, and does no more
  int exit_status = 0;
  bool out_of_memory = false;
  std::uint32_t restarts = 0;
  std::string started;  ///< when it last was: RFC 3339
};

/// What the engine says of one image.
struct ImageState {
  std::string id;  ///< "sha256:<64 hex digits>": the digest of its configuration
  std::vector<std::string> tags;
};

/// Errors `release.docker`; `release.no-docker` when a program is missing.
class Docker {
 public:
  static constexpr std::chrono::seconds kPatience{60};

  /// `patience`: how long a command may take (load and pull longer), and how long it waits for a daemon that is away.
  Docker(System& machine, Clock& clock, std::chrono::seconds patience = kPatience)
      : machine_(machine), clock_(clock), patience_(patience) {}

  /// A docker command that may change things.
  Result<std::string> run(std::vector<std::string> arguments, std::string input = {});
  /// A compose command on a file.
  Result<void> compose(const std::string& project, const std::string& file, std::vector<std::string> arguments);
  /// The engine and compose answer.
  Result<void> check();

  Result<std::optional<Container>> container(const std::string& name);
  /// When the engine starts it again by itself; nothing when there is no such container.
  Result<void> restart_policy(const std::string& name, const std::string& policy);
  /// Ids of all containers with this label, running ones only if so wished.
  Result<std::vector<std::string>> labelled(const std::string& label, bool running);
  /// The values of this label on all containers; with each whether one of those runs.
  Result<std::map<std::string, bool>> label_values(const std::string& label);
  Result<std::optional<ImageState>> image(const std::string& name);
  /// The last lines of a container, in the order of time.
  std::vector<std::string> log(const std::string& name, std::size_t lines);
  /// The same, each behind its time (RFC 3339 in UTC, always as long) and a space; only those after the time `since`,
  /// unless that is empty.
  std::vector<std::string> timed_log(const std::string& name, std::size_t lines, const std::string& since);

 private:
  Result<CommandResult> ask(std::vector<std::string> argv, std::string input, std::chrono::seconds patience);
  Result<std::vector<std::string>> compose_command();

  System& machine_;
  Clock& clock_;
  std::chrono::seconds patience_;
  std::vector<std::string> compose_;  ///< once it is known
};

}  // namespace sentinel
