// SPDX-License-Identifier: Apache-2.0
// Health as values: what is asked of an application (probes), when a release counts as healthy (gate), what is watched
// after the switch (bake), and what the asking gave. `sentinelctl` writes them, the agent evaluates them (core/health).
// Nothing here passes by default: an answer that is missing, late, garbled or empty is a failure with its reason.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

namespace sentinel {

/// One request. It goes to `socket` when that is set (the URL then gives host name and path), else where the URL
/// points. Redirects are answers like any other.
struct HttpProbe {
  std::string url;     ///< "http://127.0.0.1:8080/health/ready", "https://[::1]/"; no user or password in it
  std::string socket;  ///< path of a unix socket; empty: TCP
  std::string method = "GET";
  std::map<std::string, std::string> headers;  ///< values appear in no message
  std::string body;
  std::vector<std::uint16_t> statuses;  ///< those that are good; empty: 200 to 299
  std::string contains;                 ///< what the answer's body must hold; empty: anything
  std::string ca_file;                  ///< https: the only authorities trusted (PEM); empty: the system's

  bool operator==(const HttpProbe&) const = default;
};

/// A connection that is accepted.
struct TcpProbe {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const TcpProbe&) const = default;
};

/// A program that exits with 0. It runs without a shell, as whoever runs the agent.
struct CommandProbe {
  std::vector<std::string> argv;

  bool operator==(const CommandProbe&) const = default;
};

/// A systemd unit that is active.
struct UnitProbe {
  std::string unit;

  bool operator==(const UnitProbe&) const = default;
};

/// A container whose own health check says "healthy"; one without a health check fails.
struct ContainerProbe {
  std::string container;  ///< name or id
  std::string socket = "/var/run/docker.sock";

  bool operator==(const ContainerProbe&) const = default;
};

enum class Comparison { kBelow, kAtMost, kAbove, kAtLeast, kEqual };

/// An instant query whose every sample holds `comparison value`. No sample, or one that is no number, fails.
struct PrometheusProbe {
  std::string url;  ///< of the server: "http://127.0.0.1:9090"
  std::string query;
  Comparison comparison = Comparison::kBelow;
  double value = 0;

  bool operator==(const PrometheusProbe&) const = default;
};

using ProbeTarget = std::variant<HttpProbe, TcpProbe, CommandProbe, UnitProbe, ContainerProbe, PrometheusProbe>;

/// Startup probes come first and are not asked again once they passed. Readiness and liveness follow. Verify probes are
/// asked last: they do real work (a request through the whole path) and decide once per deploy.
enum class ProbeKind { kStartup, kReadiness, kLiveness, kVerify };

struct Probe {
  std::string name;  ///< unique among its probes
  ProbeKind kind = ProbeKind::kReadiness;
  ProbeTarget target;
  std::uint32_t interval_ms = 1000;  ///< from the end of one try to the start of the next
  std::uint32_t timeout_ms = 2000;   ///< of one try, all of it: name lookup, connection, TLS, the last byte
  std::uint32_t successes = 1;       ///< in a row, until it counts as healthy
  std::uint32_t failures = 3;  ///< in a row, until a running release counts as unhealthy (the gate doesn't use it)

  bool operator==(const Probe&) const = default;
};

struct GateSettings {
  /// From the start until every probe has its successes. Failures before it never decide.
  std::uint32_t deadline_ms = 60'000;
  /// A running release is not judged by failures this long after its process started (the gate doesn't use it).
  std::uint32_t start_period_ms = 0;

  bool operator==(const GateSettings&) const = default;
};

struct BakeSettings {
  std::uint32_t time_ms = 30'000;
  double errors = 0.01;             ///< share of failed requests that is too much, 0 to 1
  std::uint64_t min_requests = 50;  ///< below this many the share says nothing

  bool operator==(const BakeSettings&) const = default;
};

/// All of an application's health settings; the file of `sentinel-agent verify --config` holds this.
struct HealthSettings {
  std::vector<Probe> probes;
  GateSettings gate;
  BakeSettings bake;

  bool operator==(const HealthSettings&) const = default;
};

/// One try.
struct ProbeAnswer {
  std::string probe;  ///< its name
  bool healthy = false;
  std::string reason;  ///< what was seen: "status 200", "connection refused", "no answer within 2000 ms"
  std::uint32_t took_ms = 0;

  bool operator==(const ProbeAnswer&) const = default;
};

/// What a gate knows of one probe at its end.
struct ProbeRecord {
  std::string probe;
  ProbeKind kind = ProbeKind::kReadiness;
  bool passed = false;
  std::uint32_t attempts = 0;
  std::uint32_t in_a_row = 0;  ///< successes up to the last try
  std::uint32_t needed = 1;
  std::string last;          ///< reason of the last try; empty: never asked
  std::string last_failure;  ///< reason of the last try that failed; empty: none did

  bool operator==(const ProbeRecord&) const = default;
};

struct GateVerdict {
  bool healthy = false;
  std::string reason;  ///< one sentence; names the probes that failed and their last answers
  std::uint64_t elapsed_ms = 0;
  std::vector<ProbeRecord> probes;

  bool operator==(const GateVerdict&) const = default;
};

enum class BakeOutcome { kPass, kFail, kInconclusive };

struct BakeVerdict {
  BakeOutcome outcome = BakeOutcome::kInconclusive;
  std::string reason;

  bool operator==(const BakeVerdict&) const = default;
};

void to_json(nlohmann::json& json, const Probe& value);
void from_json(const nlohmann::json& json, Probe& value);
void to_json(nlohmann::json& json, const GateSettings& value);
void from_json(const nlohmann::json& json, GateSettings& value);
void to_json(nlohmann::json& json, const BakeSettings& value);
void from_json(const nlohmann::json& json, BakeSettings& value);
void to_json(nlohmann::json& json, const HealthSettings& value);
void from_json(const nlohmann::json& json, HealthSettings& value);
void to_json(nlohmann::json& json, const ProbeAnswer& value);
void from_json(const nlohmann::json& json, ProbeAnswer& value);
void to_json(nlohmann::json& json, const ProbeRecord& value);
void from_json(const nlohmann::json& json, ProbeRecord& value);
void to_json(nlohmann::json& json, const GateVerdict& value);
void from_json(const nlohmann::json& json, GateVerdict& value);
void to_json(nlohmann::json& json, const BakeVerdict& value);
void from_json(const nlohmann::json& json, BakeVerdict& value);

/// "readiness"
std::string name_of(ProbeKind kind);
/// "pass", "fail", "inconclusive"
std::string name_of(BakeOutcome outcome);
/// "<=", for messages.
std::string sign_of(Comparison comparison);

}  // namespace sentinel
