// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/audit/families.h"

namespace sentinel {

const std::vector<Judgement>& judgements() {
  static const std::vector<Judgement> all = [] {
    std::vector<Judgement> out;
    for (const auto& family : {application_judgements(), ban_judgements(), container_judgements(), edge_judgements(),
                               exposure_judgements(), firewall_judgements(), host_judgements(), observed_judgements(),
                               outside_judgements(), plan_judgements(), program_judgements(), service_judgements(),
                               ssh_judgements(), unit_judgements(), update_judgements(), web_judgements()}) {
      out.insert(out.end(), family.begin(), family.end());
    }
    std::sort(out.begin(), out.end(), [](const Judgement& a, const Judgement& b) { return a.name < b.name; });
    return out;
  }();
  return all;
}

const Judgement* find_judgement(std::string_view name) {
  const auto& all = judgements();
  const auto found = std::lower_bound(all.begin(), all.end(), name,
                                      [](const Judgement& a, std::string_view wanted) { return a.name < wanted; });
  return found != all.end() && found->name == name ? &*found : nullptr;
}

Result<const nlohmann::json*> Case::seen(const std::string& probe) const {
  const auto found = record_.observations.find(probe);
  if (found == record_.observations.end()) return Error("audit.unseen", "the probe " + probe + " was not asked");
  const auto& observation = found->second;
  if (observation.error) {
    Error error = *observation.error;
    error.message = probe + ": " + error.message;
    return error;
  }
  if (observation.value.is_null() || (observation.value.is_structured() && observation.value.empty())) {
    return Error("audit.unseen", "the probe " + probe + " saw nothing");
  }
  return &observation.value;
}

std::string Case::origin(const std::string& probe) const {
  const auto found = record_.observations.find(probe);
  return found == record_.observations.end() ? std::string() : found->second.origin;
}

}  // namespace sentinel
