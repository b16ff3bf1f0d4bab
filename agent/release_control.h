// SPDX-License-Identifier: Apache-2.0
// What the watch knows of releases: which is in force since when, and how to ask for the one before.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/base/result.h"
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
  /// How long the process of `release` has run; nothing when none does, or that isn't known.
  virtual Result<std::optional<std::chrono::milliseconds>> uptime(const std::string& release) = 0;
  /// How often systemd has started the process of `release` again by itself.
  virtual Result<std::uint32_t> restarts(const std::string& release) = 0;
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
  HostReleaseControl(System& machine, Clock& clock, std::string app)
      : machine_(machine), clock_(clock), app_(std::move(app)) {}

  Result<std::optional<CurrentRelease>> current() override;
  Result<std::optional<std::chrono::milliseconds>> uptime(const std::string& release) override;
  Result<std::uint32_t> restarts(const std::string& release) override;
  Result<bool> busy() override;
  Result<void> roll_back() override;
  Result<std::string> ended() override;

 private:
  std::string unit() const;
  /// A property of the release's unit that is a number; 0 where there is none.
  Result<std::int64_t> number(const std::string& release, const std::string& property);

  System& machine_;
  Clock& clock_;
  std::string app_;
};

}  // namespace sentinel::agent
