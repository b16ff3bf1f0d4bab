// SPDX-License-Identifier: Apache-2.0
// The container engine as the compose runtime needs it: by its Engine API on its socket
// (https://docs.docker.com/reference/api/engine/; every version has what is asked here). What only its command lines do
// well goes through them: compose (plugin 2.x or docker-compose 1.29), whole images, and logs, whose two outputs they
// take apart. While the daemon restarts, a question waits for it.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/health/http_exchange.h"
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

/// One request to the engine ("GET", "/version", body) and its answer, whatever its status; errors as exchange_http.
using EngineCall = std::function<Result<HttpReply>(const std::string& method, const std::string& target,
                                                   const std::string& body, std::chrono::milliseconds limit)>;

/// The engine of this host.
EngineCall local_engine();

/// Errors `release.docker`; `release.no-docker` when the engine or compose is not installed. Names of containers and
/// images may be ids as well.
class Docker {
 public:
  static constexpr std::chrono::seconds kPatience{60};

  /// `patience`: how long a question may take (load and pull longer), and how long it waits for a daemon that is away.
  Docker(System& machine, Clock& clock, EngineCall engine, std::chrono::seconds patience = kPatience)
      : machine_(machine), clock_(clock), engine_(std::move(engine)), patience_(patience) {}

  /// The engine and compose answer.
  Result<void> check();
  /// A compose command on a file.
  Result<void> compose(const std::string& project, const std::string& file, std::vector<std::string> arguments);

  /// @name Containers
  /// @{
  Result<std::optional<Container>> container(const std::string& name);
  Result<void> start(const std::string& name);
  /// Ends it at once. One that has ended, or is gone, is fine.
  Result<void> kill(const std::string& name);
  /// Nobody has that name afterwards; one that is gone is fine.
  Result<void> rename(const std::string& name, const std::string& to);
  /// Running or not. One that is gone is fine.
  Result<void> remove(const std::string& name);
  /// When the engine starts it again by itself; nothing when there is no such container.
  Result<void> restart_policy(const std::string& name, const std::string& policy);
  /// Ids of all containers with this label, running ones only if so wished.
  Result<std::vector<std::string>> labelled(const std::string& label, bool running);
  /// The values of this label on all containers; with each whether one of those runs.
  Result<std::map<std::string, bool>> label_values(const std::string& label);
  /// The last lines, in the order of time.
  std::vector<std::string> log(const std::string& name, std::size_t lines);
  /// The same, each behind its time (RFC 3339 in UTC, always as long) and a space; only those after the time `since`,
  /// unless that is empty.
  std::vector<std::string> timed_log(const std::string& name, std::size_t lines, const std::string& since);
  /// @}

  /// @name Images
  /// @{
  Result<std::optional<ImageState>> image(const std::string& name);
  /// From the bytes of an archive as `docker save` writes it.
  Result<void> load_image(std::string archive);
  Result<void> pull_image(const std::string& reference);
  /// Gives an image the name "<repository>:<tag>" besides those it has.
  Result<void> tag_image(const std::string& image, const std::string& repository, const std::string& tag);
  /// A name, and the image with its last one. `force`: also when containers that ended are made of it.
  Result<void> remove_image(const std::string& name, bool force);
  /// @}

 private:
  /// A status other than `good` is an error.
  Result<HttpReply> ask(const std::string& method, const std::string& target, const std::string& body,
                        std::initializer_list<unsigned> good);
  Result<CommandResult> run(std::vector<std::string> argv, std::string input, std::chrono::seconds patience);
  Result<std::vector<std::string>> compose_command();

  System& machine_;
  Clock& clock_;
  EngineCall engine_;
  std::chrono::seconds patience_;
  std::vector<std::string> compose_;  ///< once it is known
};

}  // namespace sentinel
