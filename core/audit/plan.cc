// SPDX-License-Identifier: Apache-2.0
// Controls that a resource of the playbook already expresses: what bootstrap would do there says whether it is so.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/audit/families.h"
#include "core/audit/ruling.h"

namespace sentinel {
namespace {

/// with: {steps: [id]}. Every one of them has to be in place.
Result<Judged> judge_steps(const Case& subject) {
  const auto steps = subject.with().at("steps").get<std::vector<std::string>>();
  if (steps.empty()) return Error("audit.unseen", "the control names no step");
  const auto& record = subject.record();
  Ruling ruling(fmt::format("in place as the playbook has it: {}", fmt::join(steps, ", ")));
  for (const auto& step : steps) {
    if (const auto unplanned = record.unplanned.find(step); unplanned != record.unplanned.end()) {
      ruling.cannot_tell(fmt::format("{} could not be looked at: {}", step, unplanned->second));
    } else if (const auto pending = record.pending.find(step); pending != record.pending.end()) {
      ruling.fault(fmt::format("{} would change: {}", step, fmt::join(pending->second, ", ")));
    } else if (std::find(record.in_place.begin(), record.in_place.end(), step) != record.in_place.end()) {
      ruling.saw("plan", "in place", step);
    } else {
      ruling.cannot_tell(fmt::format("the playbook has no step {}", step));
    }
  }
  return std::move(ruling).close("in place", Persistence::kBoth);
}

}  // namespace

std::vector<Judgement> plan_judgements() {
  return {{"steps-in-place", [](const nlohmann::json&) { return std::vector<ProbeOrder>{}; }, judge_steps}};
}

}  // namespace sentinel
