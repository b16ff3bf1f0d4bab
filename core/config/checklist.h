// SPDX-License-Identifier: Apache-2.0
// Checklists: controls as data, playbooks/checklists/NAME.yaml. Loading finds every mistake with its place; expanding
// gives the controls of one host, with its variables filled in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config/assets.h"
#include "core/config/diagnostics.h"
#include "core/config/yaml.h"
#include "core/model/control.h"
#include "core/model/resource.h"
#include "core/template/template.h"

namespace sentinel {

/// A control as written; `when`, `otherwise` and `with` are still templates.
struct ChecklistItem {
  Control control;
  std::optional<Node> when;
  std::string otherwise;
  Node with;
  std::string checklist;  ///< the profile it belongs to
  Node node;
};

/// Names that --profile takes: every checklist, then "vps" (all of them) and "cis" (what refers to CIS).
std::vector<std::string> profile_names(const Assets& assets);

inline constexpr const char* kDefaultProfile = "vps";

/// The items of a profile, in the order of the checklists' names. Nothing when anything is wrong: `checklist.…`,
/// `schema.…`, `yaml.…`. `judgements` are the known names.
std::optional<std::vector<ChecklistItem>> load_checklists(const Assets& assets, const std::string& profile,
                                                          const std::vector<std::string>& judgements,
                                                          Diagnostics& diagnostics);

/// The controls of one host. `variables` is the host's scope (Expansion::variables).
std::optional<std::vector<Control>> expand_checklists(const std::vector<ChecklistItem>& items, const Value& variables,
                                                      const std::string& host, const Assets& assets,
                                                      Diagnostics& diagnostics);

/// Leaves in each control the steps that are among the resources of its host: what its playbook doesn't have repairs
/// nothing there.
void drop_absent_steps(std::vector<Control>& controls, const std::vector<Resource>& resources);

}  // namespace sentinel
