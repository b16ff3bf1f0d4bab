// SPDX-License-Identifier: Apache-2.0
// What the watch knows of releases: which is in force since when, and how to ask for the one before.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "agent/release_parts.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/release/runtime.h"
#include "core/system/system.h"

namespace sentinel::agent {

struct CurrentRelease {
  std::string id;
  std::chrono::system_clock::time_point since;

  bool operator==(const CurrentRelease&) const = default;
};

class ReleaseControl {
 public:
  virtual ~ReleaseControl() = default;
  /// Nothing when no release is in force.
  virtual Result<std::optional<CurrentRelease>> current() = 0;
  /// What the processes of `release` do.
  virtual Result<Activity> activity(const std::string& release) = 0;
  /// Whether a transaction is at work: it judges the release it brings itself.
  virtual Result<bool> busy() = 0;
  /// Asks for the last confirmed release before the current one, and doesn't wait for it.
  virtual Result<void> roll_back() = 0;
  /// How the last such step ended: "exit-code, status 7"; empty while it is under way.
  virtual Result<std::string> ended() = 0;
};

/// Reads /opt/<app>/current, and starts sentinel-rollback@<app>.service: the watch itself may do nothing of the kind.
class HostReleaseControl final : public ReleaseControl {
 public:
  HostReleaseControl(System& machine, ReleaseParts& parts, std::string app)
      : machine_(machine), parts_(parts), app_(std::move(app)) {}

  Result<std::optional<CurrentRelease>> current() override;
  /// By the runtime that the host's registry names; of an application that was never deployed, systemd's.
  Result<Activity> activity(const std::string& release) override;
  Result<bool> busy() override;
  Result<void> roll_back() override;
  Result<std::string> ended() override;

 private:
  std::string unit() const;

  System& machine_;
  ReleaseParts& parts_;
  std::string app_;
};

}  // namespace sentinel::agent
