// SPDX-License-Identifier: Apache-2.0
// What `sentinel-agent watch` is told to do: probes that go on for good, who hears of changes, and where it answers
// itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/health.h"

namespace sentinel {

/// Gets a POST with a JSON body when a probe's condition changes.
struct Webhook {
  std::string url;
  std::string secret_file;  ///< its first line goes as `Authorization: Bearer …`; empty: no such header
  std::string ca_file;      ///< https: the only authorities trusted; empty: the system's

  bool operator==(const Webhook&) const = default;
};

/// A probe may not keep the watch from its watchdog (WatchdogSec of its unit is 60).
inline constexpr std::uint32_t kMostWatchTimeoutMs = 20'000;

struct WatchSettings {
  std::string app;            ///< named in webhooks, metrics and status
  std::uint16_t port = 9465;  ///< on 127.0.0.1: /metrics and /status
  std::vector<Probe> probes;  ///< readiness and liveness
  std::vector<Webhook> webhooks;
  /// How long after it came into force an unhealthy release is taken back by itself; 0: never.
  std::uint32_t rollback_window_ms = 0;
  /// Failures this long after the release was started say nothing.
  std::uint32_t start_period_ms = 0;

  bool operator==(const WatchSettings&) const = default;
};

/// Where a host's watch finds them: those of the release in force.
inline constexpr const char* kWatchSettings = "/etc/sentinel/watch.json";

void to_json(nlohmann::json& json, const Webhook& value);
void from_json(const nlohmann::json& json, Webhook& value);
void to_json(nlohmann::json& json, const WatchSettings& value);
void from_json(const nlohmann::json& json, WatchSettings& value);

}  // namespace sentinel
