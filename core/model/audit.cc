// SPDX-License-Identifier: Apache-2.0
// Codecs of what is kept between audits: waivers in a bundle, past audits in the history. docs/formats/bundle.md.
#include "core/model/audit.h"

#include <algorithm>

#include "core/model/json_fields.h"

namespace sentinel {

SENTINEL_JSON_FIELDS(Waiver, control, hosts, owner, reason, until)
SENTINEL_JSON_FIELDS(SectionScore, section, passed, applicable)

void to_json(nlohmann::json& json, const PastAudit& value) {
  nlohmann::json verdicts = nlohmann::json::object();
  for (const auto& [control, verdict] : value.verdicts) verdicts[control] = name_of(kVerdictNames, verdict);
  json = {{"taken_at", value.taken_at},
          {"profile", value.profile},
          {"sections", value.sections},
          {"verdicts", std::move(verdicts)}};
}

void from_json(const nlohmann::json& json, PastAudit& value) {
  json.at("taken_at").get_to(value.taken_at);
  json.at("profile").get_to(value.profile);
  json.at("sections").get_to(value.sections);
  for (const auto& [control, verdict] : json.at("verdicts").items()) {
    value.verdicts[control] = value_of(kVerdictNames, verdict);
  }
}

std::vector<SectionScore> section_scores(const HostAudit& audit) {
  std::vector<SectionScore> out;
  for (const Finding& finding : audit.findings) {
    auto score = std::find_if(out.begin(), out.end(),
                              [&](const SectionScore& known) { return known.section == finding.control.section; });
    if (score == out.end()) score = out.insert(out.end(), {finding.control.section, 0, 0});
    if (finding.verdict == Verdict::kNotApplicable) continue;
    ++score->applicable;
    if (finding.verdict == Verdict::kPass) ++score->passed;
  }
  return out;
}

}  // namespace sentinel
