// SPDX-License-Identifier: Apache-2.0
#include "core/model/release.h"

#include <algorithm>

#include "core/model/enum_names.h"
#include "core/model/json.h"
#include "core/model/json_fields.h"

namespace sentinel {
namespace {

constexpr EnumNames<RuntimeKind, 2> kRuntimeNames{
    {{RuntimeKind::kSystemd, "systemd"}, {RuntimeKind::kCompose, "compose"}}};
constexpr EnumNames<Artefact::Kind, 2> kArtefactNames{
    {{Artefact::Kind::kBundle, "bundle"}, {Artefact::Kind::kImage, "image"}}};
constexpr EnumNames<ReleaseState, 5> kStateNames{{{ReleaseState::kStaged, "staged"},
                                                  {ReleaseState::kCandidate, "candidate"},
                                                  {ReleaseState::kServing, "serving"},
                                                  {ReleaseState::kConfirmed, "confirmed"},
                                                  {ReleaseState::kFailed, "failed"}}};
constexpr EnumNames<ReleaseOrder::Action, 2> kActionNames{
    {{ReleaseOrder::Action::kDeploy, "deploy"}, {ReleaseOrder::Action::kRollback, "rollback"}}};

template <typename Records>
auto* find_in(Records& records, const std::string& id) {
  const auto found =
      std::find_if(records.begin(), records.end(), [&](const auto& one) { return one.release.id == id; });
  return found == records.end() ? nullptr : &*found;
}

}  // namespace

std::string to_string(ReleaseState state) {
  return name_of(kStateNames, state);
}

const ReleaseRecord* AppReleases::find(const std::string& id) const {
  return find_in(releases, id);
}

ReleaseRecord* AppReleases::find(const std::string& id) {
  return find_in(releases, id);
}

bool is_release_id(const std::string& id) {
  const auto alphanumeric = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  if (id.empty() || id.size() > 64 || !alphanumeric(id.front())) return false;
  return std::all_of(id.begin(), id.end(), [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

void to_json(nlohmann::json& json, const Artefact& value) {
  json = {{"kind", name_of(kArtefactNames, value.kind)},
          {"name", value.name},
          {"version", value.version},
          {"sha256", value.sha256},
          {"size", value.size},
          {"parts", value.parts},
          {"reference", value.reference}};
}

void from_json(const nlohmann::json& json, Artefact& value) {
  value.kind = value_of(kArtefactNames, json.at("kind"));
  json.at("name").get_to(value.name);
  json.at("version").get_to(value.version);
  json.at("sha256").get_to(value.sha256);
  json.at("size").get_to(value.size);
  // Records of before there were images lack them.
  value.parts = json.value("parts", std::vector<ContentRef>());
  value.reference = json.value("reference", "");
}

SENTINEL_JSON_FIELDS(ReleaseFile, path, mode, content)
SENTINEL_JSON_FIELDS(ReleasePolicy, keep, drain_seconds, health)
SENTINEL_JSON_FIELDS(ReleaseMigration, id, run, undo, irreversible)
SENTINEL_JSON_FIELDS(DoneMigration, migration, release, time, transaction)

void to_json(nlohmann::json& json, const Release& value) {
  json = {{"id", value.id},
          {"app", value.app},
          {"runtime", name_of(kRuntimeNames, value.runtime)},
          {"artefact", value.artefact},
          {"files", value.files},
          {"config_digest", value.config_digest},
          {"env_digest", value.env_digest},
          {"unit_digest", value.unit_digest},
          {"tree_digest", value.tree_digest},
          {"created", value.created},
          {"operator_name", value.operator_name},
          {"policy", value.policy},
          {"migrations", value.migrations}};
}

void from_json(const nlohmann::json& json, Release& value) {
  json.at("id").get_to(value.id);
  json.at("app").get_to(value.app);
  value.runtime = value_of(kRuntimeNames, json.at("runtime"));
  json.at("artefact").get_to(value.artefact);
  json.at("files").get_to(value.files);
  json.at("config_digest").get_to(value.config_digest);
  json.at("env_digest").get_to(value.env_digest);
  json.at("unit_digest").get_to(value.unit_digest);
  json.at("tree_digest").get_to(value.tree_digest);
  json.at("created").get_to(value.created);
  json.at("operator_name").get_to(value.operator_name);
  json.at("policy").get_to(value.policy);
  json.at("migrations").get_to(value.migrations);
}

void to_json(nlohmann::json& json, const ReleaseRecord& value) {
  json = {{"release", value.release},         {"state", to_string(value.state)}, {"changed", value.changed},
          {"transaction", value.transaction}, {"reason", value.reason},          {"log", value.log}};
}

void from_json(const nlohmann::json& json, ReleaseRecord& value) {
  json.at("release").get_to(value.release);
  value.state = value_of(kStateNames, json.at("state"));
  json.at("changed").get_to(value.changed);
  json.at("transaction").get_to(value.transaction);
  json.at("reason").get_to(value.reason);
  json.at("log").get_to(value.log);
}

void to_json(nlohmann::json& json, const AppReleases& value) {
  json = {{"app", value.app},           {"runtime", name_of(kRuntimeNames, value.runtime)},
          {"current", value.current},   {"previous", value.previous},
          {"releases", value.releases}, {"migrations", value.migrations}};
}

void from_json(const nlohmann::json& json, AppReleases& value) {
  json.at("app").get_to(value.app);
  value.runtime = value_of(kRuntimeNames, json.at("runtime"));
  json.at("current").get_to(value.current);
  json.at("previous").get_to(value.previous);
  json.at("releases").get_to(value.releases);
  json.at("migrations").get_to(value.migrations);
}

void to_json(nlohmann::json& json, const ReleaseOrder& value) {
  json = {{"action", name_of(kActionNames, value.action)},
          {"release", value.release},
          {"roll_back", value.roll_back},
          {"wait_for_drain", value.wait_for_drain}};
}

void from_json(const nlohmann::json& json, ReleaseOrder& value) {
  value.action = value_of(kActionNames, json.at("action"));
  json.at("release").get_to(value.release);
  json.at("roll_back").get_to(value.roll_back);
  json.at("wait_for_drain").get_to(value.wait_for_drain);
}

}  // namespace sentinel
