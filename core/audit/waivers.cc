// SPDX-License-Identifier: Apache-2.0
// Days are compared as text: ISO 8601 sorts as it counts.
#include "core/audit/waivers.h"

namespace sentinel {
namespace {

// Of several for one control the one that holds longest.
const Waiver* longest(const std::vector<Waiver>& waivers, const std::string& control) {
  const Waiver* found = nullptr;
  for (const Waiver& waiver : waivers) {
    if (waiver.control == control && (found == nullptr || waiver.until > found->until)) found = &waiver;
  }
  return found;
}

}  // namespace

void apply_waivers(HostAudit& audit, const std::vector<Waiver>& waivers, const std::string& today) {
  for (Finding& finding : audit.findings) {
    if (finding.verdict != Verdict::kFail && finding.verdict != Verdict::kWarn) continue;
    const Waiver* waiver = longest(waivers, finding.control.id);
    if (waiver == nullptr) continue;
    finding.waiver = *waiver;
    finding.waiver_expired = today > waiver->until;
    if (finding.waiver_expired) continue;
    finding.verdict = Verdict::kWaived;
    finding.reason = waiver->reason;
  }
}

}  // namespace sentinel
