// SPDX-License-Identifier: Apache-2.0
// One thread, one probe at a time: a probe that stalls takes its own timeout from the deadline, not more.
#include "core/health/gate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace sentinel {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kLookAtProcess{100};

/// In which of the three rounds a kind of probe is first asked.
int round_of(ProbeKind kind) {
  switch (kind) {
    case ProbeKind::kStartup: return 0;
    case ProbeKind::kReadiness:
    case ProbeKind::kLiveness: return 1;
    case ProbeKind::kVerify: return 2;
  }
  return 2;
}

class Gate {
 public:
  Gate(const std::vector<Probe>& probes, const GateSettings& settings, ProbeRunner& runner, Clock& clock,
       const GateHooks& hooks)
      : probes_(probes),
        settings_(settings),
        runner_(runner),
        clock_(clock),
        hooks_(hooks),
        start_(clock.since_boot()),
        deadline_(start_ + milliseconds(settings.deadline_ms)) {
    for (const auto& probe : probes) {
      ProbeRecord record;
      record.probe = probe.name;
      record.kind = probe.kind;
      record.needed = std::max(probe.successes, 1U);
      records_.push_back(record);
      due_.push_back(start_);
    }
  }

  GateVerdict wait() {
    if (probes_.empty()) return verdict(false, "there is no probe, so nothing says that it is healthy");
    for (;;) {
      if (auto end = ended_early()) return verdict(false, std::move(*end));
      const nanoseconds now = clock_.since_boot();
      if (now >= deadline_) return verdict(false, late());
      const std::size_t next = next_probe();
      if (due_[next] > now) {
        const auto pause = std::min(due_[next], deadline_) - now;
        clock_.sleep(std::min(std::chrono::ceil<milliseconds>(pause), kLookAtProcess));
        continue;
      }
      ask(next, std::chrono::ceil<milliseconds>(deadline_ - now));
      if (all_passed() && clock_.since_boot() <= deadline_) {
        if (auto end = ended_early()) return verdict(false, std::move(*end));
        return verdict(true, fmt::format("{} probe{} healthy", probes_.size(), probes_.size() == 1 ? "" : "s"));
      }
    }
  }

 private:
  std::optional<std::string> ended_early() const {
    if (hooks_.process_ended) {
      if (auto why = hooks_.process_ended()) return why;
    }
    if (hooks_.cancelled && hooks_.cancelled()) return "cancelled";
    return {};
  }

  /// The round under way: the first that has a probe without its successes.
  int round() const {
    int out = 2;
    for (std::size_t i = 0; i < probes_.size(); ++i) {
      if (!records_[i].passed) out = std::min(out, round_of(probes_[i].kind));
    }
    return out;
  }

  bool is_asked(std::size_t i, int now) const {
    const int its = round_of(probes_[i].kind);
    return its == 0 ? now == 0 && !records_[i].passed : its <= now;
  }

  /// The one that is due first among those of the round.
  std::size_t next_probe() const {
    const int now = round();
    std::size_t best = probes_.size();
    for (std::size_t i = 0; i < probes_.size(); ++i) {
      if (is_asked(i, now) && (best == probes_.size() || due_[i] < due_[best])) best = i;
    }
    return best;
  }

  void ask(std::size_t i, milliseconds limit) {
    const ProbeAnswer answer = runner_.run(probes_[i], limit);
    ProbeRecord& record = records_[i];
    // A try that the deadline cut short tells less than the one before it.
    const bool cut = !answer.healthy && limit < milliseconds(probes_[i].timeout_ms) && clock_.since_boot() >= deadline_;
    record.in_a_row = answer.healthy ? record.in_a_row + 1 : 0;
    if (!cut || record.attempts == 0) {
      record.last = answer.reason;
      if (!answer.healthy) record.last_failure = answer.reason;
    }
    ++record.attempts;
    record.passed = record.in_a_row >= record.needed;
    due_[i] = clock_.since_boot() + milliseconds(probes_[i].interval_ms);
    if (hooks_.on_answer) hooks_.on_answer(probes_[i], answer);
  }

  bool all_passed() const {
    return std::all_of(records_.begin(), records_.end(), [](const ProbeRecord& record) { return record.passed; });
  }

  std::string late() const {
    std::vector<std::string> open;
    for (const auto& record : records_) {
      if (record.passed) continue;
      if (record.attempts == 0) {
        open.push_back(fmt::format("{} was not asked yet", record.probe));
      } else {
        open.push_back(fmt::format("{} has {} of {} successes in a row, last: {}", record.probe, record.in_a_row,
                                   record.needed, record.last));
      }
    }
    return fmt::format("not healthy within {} s: {}", settings_.deadline_ms / 1000.0, fmt::join(open, "; "));
  }

  GateVerdict verdict(bool healthy, std::string reason) const {
    const auto elapsed = std::chrono::duration_cast<milliseconds>(clock_.since_boot() - start_);
    return {healthy, std::move(reason), static_cast<std::uint64_t>(elapsed.count()), records_};
  }

  const std::vector<Probe>& probes_;
  const GateSettings& settings_;
  ProbeRunner& runner_;
  Clock& clock_;
  const GateHooks& hooks_;
  nanoseconds start_;
  nanoseconds deadline_;
  std::vector<ProbeRecord> records_;
  std::vector<nanoseconds> due_;
};

}  // namespace

GateVerdict await_healthy(const std::vector<Probe>& probes, const GateSettings& settings, ProbeRunner& runner,
                          Clock& clock, const GateHooks& hooks) {
  return Gate(probes, settings, runner, clock, hooks).wait();
}

}  // namespace sentinel
