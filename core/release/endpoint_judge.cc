// SPDX-License-Identifier: Apache-2.0
#include "core/release/endpoint_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace sentinel {
namespace {

constexpr std::chrono::milliseconds kLook{100};
constexpr std::chrono::milliseconds kCount{1000};  // between two looks at the counts

Error interrupted() {
  return Error("engine.interrupted", "taken back on request", "", ExitCode::kInterrupted);
}

std::vector<Probe> probes_at(const Release& release, const Runtime& runtime) {
  auto probes = release.policy.health.probes;
  for (auto& probe : probes) {
    auto* http = std::get_if<HttpProbe>(&probe.target);
    if (http != nullptr && http->url.starts_with(kReleaseHost)) http->socket = runtime.endpoint(release).socket;
  }
  return probes;
}

// One readiness or liveness probe while the release has the traffic.
struct Watched {
  Probe probe;
  std::chrono::nanoseconds due{0};
  std::uint32_t failed = 0;  ///< in a row
};

}  // namespace

Result<RequestCounts> EndpointJudge::counts_of(const Release& release, Runtime& runtime) {
  SENTINEL_TRY(const auto text, call_(runtime.endpoint(release).socket, "GET", "/metrics"));
  return proxy_counts(text);
}

Result<void> EndpointJudge::await_ready(const Release& next, const std::optional<Release>& former, Runtime& runtime,
                                        const std::function<bool()>& cancelled) {
  const auto before = counts_of(former.value_or(next), runtime);
  GateHooks hooks;
  hooks.cancelled = cancelled;
  hooks.process_ended = [&]() -> std::optional<std::string> {
    const auto activity = runtime.activity(next);
    if (!activity.ok()) return activity.error().message;
    if (activity->ended.empty()) return std::nullopt;
    return activity->ended;
  };
  const auto verdict = await_healthy(probes_at(next, runtime), next.policy.health.gate, runner_, clock_, hooks);
  if (cancelled()) return interrupted();
  if (!verdict.healthy) return unhealthy_release(fmt::format("release {} is not healthy: {}", next.id, verdict.reason));
  former_.reset();
  if (!former || !before.ok()) return {};
  const auto after = counts_of(*former, runtime);
  if (!after.ok() || after->requests < before->requests || after->errors < before->errors) return {};
  former_ = RequestCounts{after->requests - before->requests, after->errors - before->errors};
  return {};
}

Result<std::string> EndpointJudge::watch(const Release& next, Runtime& runtime,
                                         const std::function<bool()>& cancelled) {
  const auto& bake = next.policy.health.bake;
  std::vector<Watched> watched;
  for (auto& probe : probes_at(next, runtime)) {
    const bool lasting = probe.kind == ProbeKind::kReadiness || probe.kind == ProbeKind::kLiveness;
    if (lasting) watched.push_back({std::move(probe), clock_.since_boot(), 0});
  }
  std::string run;  // that which took the traffic
  const auto end = clock_.since_boot() + std::chrono::milliseconds(bake.time_ms);
  auto count_due = clock_.since_boot() + kCount;
  BakeCounts counts;
  counts.former = former_;
  while (true) {
    if (cancelled()) return interrupted();
    SENTINEL_TRY(const auto activity, runtime.activity(next));
    if (!activity.ended.empty()) {
      return unhealthy_release(fmt::format("release {} ended while it had the traffic: {}", next.id, activity.ended));
    }
    if (run.empty()) run = activity.run;
    // Whoever started it anew, systemd's watchdog or a person: it hung or failed, and does not accept by itself.
    if (activity.run != run) {
      return unhealthy_release(fmt::format("release {} was started anew while it had the traffic", next.id));
    }
    for (auto& one : watched) {
      if (clock_.since_boot() < one.due) continue;
      const auto answer = runner_.run(one.probe, std::chrono::milliseconds(one.probe.timeout_ms));
      one.failed = answer.healthy ? 0 : one.failed + 1;
      one.due = clock_.since_boot() + std::chrono::milliseconds(one.probe.interval_ms);
      if (one.failed >= one.probe.failures) {
        return unhealthy_release(
            fmt::format("release {} is not healthy any more: {}: {}", next.id, one.probe.name, answer.reason));
      }
    }
    const bool over = clock_.since_boot() >= end;
    // One that hangs lets this question wait, too, and the next probe with it.
    const bool failing = std::any_of(watched.begin(), watched.end(), [](const Watched& one) { return one.failed > 0; });
    if (over || (!failing && clock_.since_boot() >= count_due)) {
      counts.fresh.reset();
      if (const auto fresh = counts_of(next, runtime); fresh.ok()) counts.fresh = *fresh;
      counts.restarts = activity.restarts;
      const auto verdict = judge_bake(bake, counts);
      if (verdict.outcome == BakeOutcome::kFail)
        return unhealthy_release(fmt::format("release {}: {}", next.id, verdict.reason));
      if (over) return verdict.outcome == BakeOutcome::kPass ? std::string() : verdict.reason;
      count_due = clock_.since_boot() + kCount;
    }
    clock_.sleep(kLook);
  }
}

}  // namespace sentinel
