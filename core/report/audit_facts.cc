// SPDX-License-Identifier: Apache-2.0
// Labels are words of this program; texts are quoted from hosts and checklists.
#include "core/report/audit_facts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

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

}  // namespace sentinel
