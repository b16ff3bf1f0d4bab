// SPDX-License-Identifier: Apache-2.0
// Labels are words of this program; texts are quoted from hosts and checklists.
#include "core/report/audit_facts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <chrono>

#include "core/report/printable.h"

namespace sentinel {
namespace {

std::string side_of(const Finding& finding) {
  const bool good = finding.verdict == Verdict::kPass;
  switch (finding.persistence) {
    case Persistence::kRuntimeOnly: return good ? "now, not after a reboot" : "now; a reboot would mend it";
    case Persistence::kBootOnly: return good ? "only after a reboot" : "after a reboot, not now";
    case Persistence::kBoth: return "now and after a reboot";
    case Persistence::kNone: return "";
  }
  return "";
}

std::string text_of(const Finding& finding, const Waiver& waiver) {
  return finding.waiver_expired
             ? fmt::format("EXPIRED on {}, was accepted by {}: {}", waiver.until, waiver.owner, waiver.reason)
             : fmt::format("accepted until {} by {}: {}", waiver.until, waiver.owner, waiver.reason);
}

std::optional<int> number(const std::string& text, std::size_t at, std::size_t length) {
  int value = 0;
  if (at + length > text.size()) return std::nullopt;
  const char* end = text.data() + at + length;
  const auto [stopped, failure] = std::from_chars(text.data() + at, end, value);
  if (failure != std::errc() || stopped != end) return std::nullopt;
  return value;
}

}  // namespace

std::vector<FindingFact> facts_of(const Finding& finding) {
  std::vector<FindingFact> out;
  const auto add = [&](const char* label, const std::string& text) {
    if (!text.empty()) out.push_back({label, text});
  };
  add("found", finding.actual);
  add("wanted", finding.expected);
  if (!finding.actual.empty()) add("when", side_of(finding));
  // A waived finding's reason is the waiver's, which is told below.
  if (finding.verdict != Verdict::kWaived) add("reason", finding.reason);
  for (const Evidence& evidence : finding.evidence) {
    add("seen", fmt::format("{} [{}]", evidence.value, evidence.origin.empty() ? evidence.probe : evidence.origin));
  }
  for (const Trap& trap : finding.traps) add("trap", fmt::format("{}: {} -> {}", trap.name, trap.cause, trap.repair));
  if (finding.waiver) add("waiver", text_of(finding, *finding.waiver));
  if (finding.verdict == Verdict::kFail || finding.verdict == Verdict::kWarn || finding.verdict == Verdict::kWaived) {
    add("why", finding.control.why);
    add("repair", finding.control.remediation);
    const auto& steps = finding.control.steps;
    add(steps.size() == 1 ? "step" : "steps", fmt::format("{}", fmt::join(steps, ", ")));
  }
  return out;
}

std::string facts_text(const Finding& finding) {
  std::string out;
  for (const FindingFact& fact : facts_of(finding)) {
    out += fmt::format("{}{}: {}", out.empty() ? "" : "\n", fact.label, printable_line(fact.text));
  }
  return out;
}

std::string gist_of(const Finding& finding) {
  if (finding.verdict == Verdict::kWaived && finding.waiver) return text_of(finding, *finding.waiver);
  if (!finding.actual.empty()) return finding.actual;
  return finding.reason.empty() ? finding.control.title : finding.reason;
}

std::string delta_text(const AuditDelta& delta) {
  if (delta.worse.empty() && delta.better.empty()) return "";
  std::string out;
  if (!delta.worse.empty()) out += fmt::format("{} worse", delta.worse.size());
  if (!delta.better.empty()) out += fmt::format("{}{} better", out.empty() ? "" : ", ", delta.better.size());
  return out + " since " + printable_line(delta.taken_at.substr(0, 10));
}

std::string changes_text(const std::vector<VerdictChange>& changes) {
  std::string out;
  for (const VerdictChange& change : changes) {
    out += fmt::format("{}{} {} -> {}", out.empty() ? "" : ", ", printable_line(change.control),
                       change.before ? name_of(kVerdictNames, *change.before) : "not asked",
                       name_of(kVerdictNames, change.now));
  }
  return out;
}

std::optional<std::int64_t> unix_seconds(const std::string& rfc3339) {
  const auto year = number(rfc3339, 0, 4);
  const auto month = number(rfc3339, 5, 2);
  const auto day = number(rfc3339, 8, 2);
  const auto hour = number(rfc3339, 11, 2);
  const auto minute = number(rfc3339, 14, 2);
  const auto second = number(rfc3339, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second || !rfc3339.ends_with('Z')) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  const auto time = std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
                    std::chrono::seconds(*second);
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace sentinel
