// SPDX-License-Identifier: Apache-2.0
// A control that can't be expanded is an error, not a gap: a list with holes in it would prove less than it says.
#include "core/config/checklist.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/suggest.h"
#include "core/config/fields.h"
#include "core/config/reference.h"
#include "core/config/render_node.h"
#include "core/config/schema.h"
#include "core/config/template_check.h"

namespace sentinel {
namespace {

constexpr const char* kDirectory = "playbooks/checklists/";
constexpr const char* kCis = "cis";

std::vector<std::string> checklist_names(const Assets& assets) {
  std::vector<std::string> out;
  for (const auto& file : assets.list(kDirectory)) {
    if (file.ends_with(".yaml")) out.push_back(file.substr(0, file.size() - 5));
  }
  return out;
}

bool refers_to_cis(const ChecklistItem& item) {
  const auto& references = item.control.references;
  return std::any_of(references.begin(), references.end(),
                     [](const std::string& reference) { return reference.starts_with("CIS-"); });
}

class ChecklistLoader {
 public:
  ChecklistLoader(const Assets& assets, const std::vector<std::string>& judgements, Diagnostics& diagnostics)
      : assets_(assets), judgements_(judgements), diagnostics_(diagnostics), templates_(assets, diagnostics) {}

  void read(const std::string& name, std::vector<ChecklistItem>& out) {
    auto asset = assets_.find(kDirectory + name + ".yaml");
    if (!asset.ok()) return diagnostics_.add(std::move(asset).error());
    if (!*asset) return;
    auto node = parse_yaml(std::move((*asset)->bytes), (*asset)->shown_path);
    if (!node.ok()) return diagnostics_.add(std::move(node).error());
    check_shape(*node, find_reference("checklist")->schema, "", Templates::kAllowed, diagnostics_);
    const std::string written = text_field(*node, "checklist", name);
    if (written != name) {
      diagnostics_.add(
          Error("checklist.name", fmt::format("the file of the checklist '{}' says it is '{}'", name, written))
              .at(node->find("checklist")->position()));
    }
    const Node* controls = node->find("controls");
    if (controls == nullptr) return;
    for (const auto& item : controls->items) read_item(name, item, out);
  }

 private:
  void read_item(const std::string& checklist, const Node& node, std::vector<ChecklistItem>& out) {
    if (!node.is_mapping()) return;
    ChecklistItem item;
    item.checklist = checklist;
    item.node = node;
    item.with = mapping_field(node, "with");
    item.otherwise = text_field(node, "otherwise", "stack: not part of this project");
    if (const Node* when = node.find("when")) {
      item.when = *when;
      templates_.check_expression(*when);
    }
    templates_.check_texts(item.with);
    Control& control = item.control;
    control.id = text_field(node, "id");
    control.title = text_field(node, "title");
    control.section = text_field(node, "section");
    control.why = text_field(node, "why");
    control.remediation = text_field(node, "remediation");
    control.steps = list_field(node, "step");
    control.references = list_field(node, "references");
    control.judgement = text_field(node, "judgement");
    for (const auto& [severity, name] : kSeverityNames) {
      if (name == text_field(node, "severity")) control.severity = severity;
    }
    if (!ids_.insert(control.id).second) {
      diagnostics_.add(Error("checklist.duplicate", fmt::format("the control '{}' is there twice", control.id))
                           .at(place(node, "id")));
    }
    if (std::find(judgements_.begin(), judgements_.end(), control.judgement) == judgements_.end()) {
      diagnostics_.add(Error("checklist.unknown-judgement",
                             fmt::format("there is no judgement '{}'", control.judgement),
                             did_you_mean(control.judgement, judgements_))
                           .at(place(node, "judgement")));
    }
    out.push_back(std::move(item));
  }

  static Position place(const Node& node, const char* key) {
    const Node* value = node.find(key);
    return value == nullptr ? node.position() : value->position();
  }

  const Assets& assets_;
  const std::vector<std::string>& judgements_;
  Diagnostics& diagnostics_;
  TemplateCheck templates_;
  std::set<std::string> ids_;
};

}  // namespace

std::vector<std::string> profile_names(const Assets& assets) {
  auto names = checklist_names(assets);
  names.insert(names.end(), {kDefaultProfile, kCis});
  return names;
}

std::optional<std::vector<ChecklistItem>> load_checklists(const Assets& assets, const std::string& profile,
                                                          const std::vector<std::string>& judgements,
                                                          Diagnostics& diagnostics) {
  const auto reported_before = diagnostics.reported;
  const auto known = profile_names(assets);
  if (std::find(known.begin(), known.end(), profile) == known.end()) {
    diagnostics.add(Error("checklist.unknown-profile", fmt::format("there is no profile '{}'", profile),
                          did_you_mean(profile, known)));
    return {};
  }
  std::vector<ChecklistItem> items;
  ChecklistLoader loader(assets, judgements, diagnostics);
  for (const auto& name : checklist_names(assets)) loader.read(name, items);
  if (diagnostics.reported > reported_before) return {};
  if (profile != kDefaultProfile) {
    std::erase_if(items, [&](const ChecklistItem& item) {
      return profile == kCis ? !refers_to_cis(item) : item.checklist != profile;
    });
  }
  if (items.empty()) {
    diagnostics.add(
        Error("checklist.empty", fmt::format("the profile '{}' holds no control: nothing would be proved", profile)));
    return {};
  }
  return items;
}

std::optional<std::vector<Control>> expand_checklists(const std::vector<ChecklistItem>& items, const Value& variables,
                                                      const std::string& host, const Assets& assets,
                                                      Diagnostics& diagnostics) {
  const auto reported_before = diagnostics.reported;
  const TemplateFiles files(assets);
  RenderContext context;
  context.files = &files;
  context.host = host;
  std::vector<Control> out;
  for (const auto& item : items) {
    const std::string doing = fmt::format("expanding control {} for host {}", item.control.id, host);
    Control control = item.control;
    if (item.when) {
      auto holds = evaluate(item.when->text, variables, context.options(*item.when));
      if (!holds.ok()) {
        Error error = std::move(holds).error();
        if (!error.position) error.position = item.when->position();
        diagnostics.add(std::move(error).during(doing));
        continue;
      }
      if (!is_true(*holds)) control.excluded = item.otherwise;
    }
    if (control.excluded.empty()) {
      const auto with = render_node(item.with, variables, context, doing, diagnostics);
      if (!with) continue;
      control.with = with->entries.empty() ? nlohmann::json::object() : nlohmann::json(to_value(*with));
    }
    out.push_back(std::move(control));
  }
  if (diagnostics.reported > reported_before) return {};
  return out;
}

void drop_absent_steps(std::vector<Control>& controls, const std::vector<Resource>& resources) {
  std::set<std::string> there;
  for (const Resource& resource : resources) there.insert(resource.id);
  for (Control& control : controls) {
    std::erase_if(control.steps, [&](const std::string& step) { return !there.contains(step); });
  }
}

}  // namespace sentinel
