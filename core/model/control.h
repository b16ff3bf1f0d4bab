// SPDX-License-Identifier: Apache-2.0
// A control: one row of a checklist, as data. What is asked of a host (probes), how the answers are judged (a judgement
// by name) and what a report says beside the verdict. Checklists in playbooks/checklists hold them; a Control is one of
// their entries after expansion for one host.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/model/enum_names.h"

namespace sentinel {

enum class Severity { kInfo, kLow, kMedium, kHigh, kCritical };

inline constexpr EnumNames<Severity, 5> kSeverityNames{{{Severity::kInfo, "info"},
                                                        {Severity::kLow, "low"},
                                                        {Severity::kMedium, "medium"},
                                                        {Severity::kHigh, "high"},
                                                        {Severity::kCritical, "critical"}}};

struct Control {
  std::string id;       ///< of the checklist's row: "000-02"
  std::string title;    ///< what should be so, in one line
  std::string section;  ///< heading in reports: "Access", "Firewall"
  Severity severity = Severity::kMedium;
  std::string why;                      ///< what goes wrong without it
  std::string remediation;              ///< what to do about it, in a sentence or two
  std::vector<std::string> steps;       ///< of the playbook, that repair it, the principal one first: "ssh/drop-in"
  std::vector<std::string> references;  ///< "CIS-U 5.1.20", "DS sshd-06", "Ly SSH-7408"
  std::string excluded;   ///< why it doesn't apply to this host ("stack: no Redis"); empty: it applies
  std::string judgement;  ///< name in core/audit: "ssh-keys-only"
  nlohmann::json with = nlohmann::json::object();  ///< the judgement's parameters, after expansion

  bool operator==(const Control&) const = default;
};

void to_json(nlohmann::json& json, const Control& value);
void from_json(const nlohmann::json& json, Control& value);

}  // namespace sentinel
