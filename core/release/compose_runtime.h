// SPDX-License-Identifier: Apache-2.0
// Releases as containers, each started from its own compose file. A release listens on sockets in a directory of its
// own, /run/<app>-app/<id>; who has the traffic is decided by one link, /run/<app>-app/current, that the server in
// front goes by. So a candidate serves from its first moment and nobody finds it, and a switch is one rename. What a
// boot or a crash starts is decided by the containers' restart policies and by a tmpfiles.d entry for the link; both
// move only by promote().
#pragma once

#include "core/release/admin_call.h"
#include "core/release/docker.h"
#include "core/release/runtime.h"

namespace sentinel {

class ComposeRuntime final : public Runtime {
 public:
  /// `patience`: with the engine (see Docker).
  ComposeRuntime(System& machine, Clock& clock, AdminCall admin, EngineCall engine,
                 std::chrono::seconds patience = Docker::kPatience)
      : machine_(machine), clock_(clock), admin_(std::move(admin)), docker_(machine, clock, std::move(engine), patience) {}

  Result<void> check(const Release& next) override;

  /// A container that ends its streams is set aside.
  Result<bool> must_end_first(const Release&) override { return false; }

  Result<void> prepare(const Release& next) override;
  Result<void> start_candidate(const Release& next) override;
  Result<Activity> activity(const Release& release) override;
  ReleaseEndpoint endpoint(const Release& release) const override;
  Result<void> switch_to(const Release& next, const std::optional<Release>& former) override;
  Result<void> back(const Release& next, const std::optional<Release>& former) override;
  Result<void> promote(const Release& next, const std::optional<Release>& former) override;
  Result<void> drain(const Release& release, bool wait) override;
  Result<std::map<std::string, Remains>> remains(const std::vector<Release>& releases) override;
  Result<void> forget(const Release& release) override;
  Result<void> discard(const Release& release) override;
  std::vector<std::string> log(const Release& release, std::size_t lines) override;

 private:
  Result<void> ensure_image(const Release& release);
  Result<void> load_image(const Release& release);
  Result<void> ensure_directories(const Release& release);
  Result<void> set_aside(const Release& release);
  Result<void> start(const Release& release);
  Result<void> serve_again(const Release& former);
  Result<void> link(const std::string& app, const std::string& id);
  /// Ends a container without waiting: its streams have their time.
  Result<void> stop(const Release& release, const std::string& container);
  Result<bool> wait_for_end(const Release& release, std::chrono::seconds patience);

  System& machine_;
  Clock& clock_;
  AdminCall admin_;
  Docker docker_;
};

/// What all containers of a release are labelled with.
std::string label_of(const Release& release);

}  // namespace sentinel
