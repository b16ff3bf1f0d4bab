// SPDX-License-Identifier: Apache-2.0
// One thread asks, one probe at a time, and also sends the watchdog's signs of life: a loop that hangs is seen. What
// others read is behind one lock.
#include "agent/watch.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <random>
#include <utility>

#include "agent/rollback_guard.h"
#include "agent/status_server.h"
#include "agent/webhook_sender.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/service_manager.h"
#include "core/health/condition.h"
#include "core/health/probe_runner.h"
#include "core/model/json.h"
#include "core/report/diagnostic.h"
#include "core/report/documents.h"
#include "core/report/printable.h"
#include "core/system/local_system.h"

namespace sentinel::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kLongestPause{5000};
// One that hangs must not keep the watch from its watchdog, nor probes from being asked.
constexpr std::chrono::seconds kEnginePatience{5};

struct Watched {
  explicit Watched(const Probe& asked) : probe(asked), condition(asked) {}

  Probe probe;
  ProbeCondition condition;
  nanoseconds due{0};
  ProbeAnswer last;
  std::string since;               ///< RFC 3339: of its condition
  std::uint32_t bad_in_a_row = 0;  ///< failures while no transaction was at work
  std::uint64_t good = 0;
  std::uint64_t bad = 0;
};

Result<WatchSettings> read_settings(const std::string& path) {
  SENTINEL_TRY(const auto text, read_whole_file(path, 1U << 20));
  SENTINEL_TRY(const auto json, parse_json(text));
  SENTINEL_TRY(auto settings, decode<WatchSettings>(json));
  if (settings.probes.empty()) return Error("watch.nothing", "there is no probe to ask");
  for (const auto& probe : settings.probes) {
    if (probe.kind != ProbeKind::kReadiness && probe.kind != ProbeKind::kLiveness) {
      return Error("watch.kind", fmt::format("{} is a {} probe", probe.name, name_of(probe.kind)));
    }
    if (probe.timeout_ms == 0 || probe.timeout_ms > kMostWatchTimeoutMs) {
      return Error("watch.timeout",
                   fmt::format("the timeout of {} is not within 1 and {} ms", probe.name, kMostWatchTimeoutMs));
    }
  }
  return settings;
}

std::string label(const std::string& text) {
  std::string out;
  for (const char c : printable_line(text)) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

class Watch {
 public:
  Watch(const WatchSettings& settings, ProbeRunner& runner, RollbackGuard& guard, Clock& clock)
      : settings_(settings),
        runner_(runner),
        guard_(guard),
        clock_(clock),
        webhooks_(settings.webhooks),
        random_(std::random_device{}()) {
    for (const auto& probe : settings.probes) watched_.emplace_back(probe);
  }

  /// Asks what is due, and says how long nothing will be.
  milliseconds turn() {
    look_back();
    nanoseconds next = clock_.since_boot() + kLongestPause;
    for (auto& watched : watched_) {
      if (watched.due <= clock_.since_boot()) ask(watched);
      next = std::min(next, watched.due);
    }
    return std::max(std::chrono::ceil<milliseconds>(next - clock_.since_boot()), milliseconds(1));
  }

  StatusServer::Page page(const std::string& path) const {
    if (path == "/metrics") return {"text/plain; version=0.0.4", metrics()};
    if (path == "/status") return {"application/json", status()};
    return {};
  }

 private:
  /// What became of a step back, and what no probe sees.
  void look_back() {
    const std::string failed = guard_.look();
    std::string restarting;
    if (clock_.since_boot() >= restarts_due_) {
      restarting = guard_.restarting();
      restarts_due_ = clock_.since_boot() + kLongestPause;
    }
    const std::lock_guard lock(mutex_);
    if (!restarting.empty()) {
      fmt::print(stderr, "{}\n", printable_line(restarting));
      webhooks_.send(message("restarting", nullptr, restarting, take_back(restarting)));
    }
    rollbacks_ = guard_.counts();
    if (!failed.empty()) {
      degraded_ = failed;
      fmt::print(stderr, "{}\n", printable_line(failed));
      webhooks_.send(message("rollback-failed", nullptr, failed, ""));
    }
    if (all_healthy()) waiting_.clear();
  }

  void ask(Watched& watched) {
    const ProbeAnswer answer = runner_.run(watched.probe, milliseconds(watched.probe.timeout_ms));
    notify_service_manager("WATCHDOG=1");
    const std::lock_guard lock(mutex_);
    const nanoseconds now = clock_.since_boot();
    watched.due = now + with_jitter(milliseconds(watched.probe.interval_ms), random_);
    watched.last = answer;
    ++(answer.healthy ? watched.good : watched.bad);
    watched.bad_in_a_row = answer.healthy || guard_.busy() ? 0 : watched.bad_in_a_row + 1;
    if (!answer.healthy && guard_.starting(milliseconds(settings_.start_period_ms))) return;
    // What was seen while a transaction was at work says nothing of what it left behind.
    if (!waiting_.empty() && watched.bad_in_a_row >= watched.probe.failures) take_back(std::exchange(waiting_, {}));
    const auto changed = watched.condition.take(answer.healthy, now);
    if (!changed) return;
    const bool first = watched.since.empty();
    watched.since = to_rfc3339(clock_.now());
    fmt::print(stderr, "{} is {}: {}\n", printable_line(watched.probe.name), name_of(*changed),
               printable_line(answer.reason));
    const std::string action = act(*changed, fmt::format("{}: {}", watched.probe.name, answer.reason));
    // A start in health is no news.
    if (!first || *changed != Condition::kHealthy) {
      webhooks_.send(message(name_of(*changed), &watched, watched.last.reason, action));
    }
  }

  bool all_healthy() const {
    return std::all_of(watched_.begin(), watched_.end(),
                       [](const Watched& watched) { return watched.condition.condition() == Condition::kHealthy; });
  }

  /// What is done about a change; empty: nothing is to be done. Flapping is for a person: going back and forth proves
  /// nothing.
  std::string act(Condition changed, const std::string& why) {
    if (changed == Condition::kUnhealthy) return take_back(why);
    if (all_healthy()) degraded_.clear();
    return {};
  }

  std::string take_back(const std::string& why) {
    const GuardReport report = guard_.unhealthy(why);
    if (report.outcome == GuardOutcome::kWaiting) waiting_ = why;
    degraded_ = report.outcome == GuardOutcome::kDegraded ? report.reason : "";
    if (report.reason != said_) fmt::print(stderr, "{}\n", printable_line(report.reason));
    said_ = report.reason;
    return report.reason;
  }

  /// `watched`: the probe it is about, when it is about one.
  std::string message(const std::string& event, const Watched* watched, const std::string& reason,
                      const std::string& action) const {
    char host[256] = {};
    ::gethostname(host, sizeof host - 1);
    return to_text({{"schema_version", kSchemaVersion},
                    {"event", event},
                    {"app", settings_.app},
                    {"host", host},
                    {"probe", watched == nullptr ? nlohmann::json() : nlohmann::json(watched->probe.name)},
                    {"kind", watched == nullptr ? nlohmann::json() : nlohmann::json(name_of(watched->probe.kind))},
                    {"reason", reason},
                    {"action", action.empty() ? nlohmann::json() : nlohmann::json(action)},
                    {"time", to_rfc3339(clock_.now())}});
  }

  std::string metrics() const {
    const std::lock_guard lock(mutex_);
    std::string conditions =
        "# HELP sentinel_watch_condition 1 for the condition a probe is in\n# TYPE sentinel_watch_condition gauge\n";
    std::string answers =
        "# HELP sentinel_watch_answers_total Answers of probes\n# TYPE sentinel_watch_answers_total counter\n";
    const std::string app = label(settings_.app);
    for (const auto& watched : watched_) {
      const std::string name = label(watched.probe.name);
      for (const auto each : {Condition::kUnknown, Condition::kHealthy, Condition::kUnhealthy, Condition::kFlapping}) {
        conditions += fmt::format("sentinel_watch_condition{{app=\"{}\",probe=\"{}\",condition=\"{}\"}} {}\n", app,
                                  name, name_of(each), each == watched.condition.condition() ? 1 : 0);
      }
      for (const bool healthy : {true, false}) {
        answers += fmt::format("sentinel_watch_answers_total{{app=\"{}\",probe=\"{}\",healthy=\"{}\"}} {}\n", app, name,
                               healthy, healthy ? watched.good : watched.bad);
      }
    }
    const auto counts = webhooks_.counts();
    return conditions + answers +
           fmt::format(
               "# HELP sentinel_watch_rollbacks_total Releases taken back by the watch, and those that could not be\n"
               "# TYPE sentinel_watch_rollbacks_total counter\n"
               "sentinel_watch_rollbacks_total{{app=\"{0}\",outcome=\"done\"}} {1}\n"
               "sentinel_watch_rollbacks_total{{app=\"{0}\",outcome=\"failed\"}} {2}\n",
               app, rollbacks_.done, rollbacks_.failed) +
           fmt::format(
               "# HELP sentinel_watch_webhooks_total Messages to webhooks\n# TYPE sentinel_watch_webhooks_total "
               "counter\n"
               "sentinel_watch_webhooks_total{{outcome=\"sent\"}} "
               "{}\nsentinel_watch_webhooks_total{{outcome=\"failed\"}} {}\n",
               counts.sent, counts.failed);
  }

  std::string status() const {
    const std::lock_guard lock(mutex_);
    Document probes = Document::array();
    for (const auto& watched : watched_) {
      probes.push_back({{"probe", watched.probe.name},
                        {"kind", name_of(watched.probe.kind)},
                        {"condition", name_of(watched.condition.condition())},
                        {"since", watched.since.empty() ? Document() : Document(watched.since)},
                        {"last", watched.last.reason.empty() ? Document() : Document(watched.last.reason)}});
    }
    return document_line({{"schema_version", kSchemaVersion},
                          {"app", settings_.app},
                          {"healthy", all_healthy()},
                          {"degraded", degraded_.empty() ? Document() : Document(degraded_)},
                          {"probes", probes}}) +
           "\n";
  }

  const WatchSettings& settings_;
  ProbeRunner& runner_;
  RollbackGuard& guard_;
  Clock& clock_;
  std::string degraded_;  ///< why nothing was done about the last trouble, or failed; empty: neither
  std::string waiting_;   ///< why a step back is to be asked for again; empty: none is
  std::string said_;      ///< about the last step; it is said once
  nanoseconds restarts_due_{0};
  RollbackCounts rollbacks_;
  WebhookSender webhooks_;
  std::mt19937 random_;
  mutable std::mutex mutex_;
  std::vector<Watched> watched_;
};

/// Waits for one of the signals that end us; false when none came.
bool ended_within(const sigset_t& signals, milliseconds time) {
  const timespec wait{time.count() / 1000, (time.count() % 1000) * 1'000'000};
  return ::sigtimedwait(&signals, nullptr, &wait) > 0;
}

}  // namespace

ExitCode watch(const std::string& settings_path) {
  const auto settings = read_settings(settings_path);
  if (!settings.ok()) {
    fmt::print(stderr, "{}", render_error(Error(settings.error()).during("reading " + settings_path)));
    return ExitCode::kUsage;
  }
  // Before any thread begins: only the loop takes them.
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  LocalSystem machine;
  LocalProbeRunner runner(machine);
  SystemClock clock;
  ReleaseParts parts(machine, clock, kEnginePatience);
  HostReleaseControl releases(machine, parts, settings->app);
  RollbackMemory memory(machine, kWatchMemory);
  if (const auto loaded = memory.load(); !loaded.ok()) {
    fmt::print(stderr, "{}", render_error(Error(loaded.error()).during(std::string("reading ") + kWatchMemory)));
    return ExitCode::kUsage;
  }
  RollbackGuard guard(releases, memory, clock, settings->app, milliseconds(settings->rollback_window_ms));
  Watch watch(*settings, runner, guard, clock);
  const auto server =
      StatusServer::open(settings->port, [&watch](const std::string& path) { return watch.page(path); });
  if (!server.ok()) {
    fmt::print(stderr, "{}", render_error(server.error()));
    return ExitCode::kFailed;
  }
  notify_service_manager("READY=1");
  do {
    notify_service_manager("WATCHDOG=1");
  } while (!ended_within(signals, watch.turn()));
  notify_service_manager("STOPPING=1");
  return ExitCode::kDone;
}

}  // namespace sentinel::agent
