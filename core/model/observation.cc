// SPDX-License-Identifier: Apache-2.0
// Codecs of controls, probes' answers and records; docs/formats/check.md describes them.
#include "core/model/observation.h"

#include "core/model/control.h"
#include "core/model/json.h"
#include "core/model/json_fields.h"

namespace sentinel {
namespace {

template <typename T>
nlohmann::json or_null(const std::optional<T>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

}  // namespace

void to_json(nlohmann::json& json, const Control& value) {
  json = {{"id", value.id},
          {"title", value.title},
          {"section", value.section},
          {"severity", name_of(kSeverityNames, value.severity)},
          {"why", value.why},
          {"remediation", value.remediation},
          {"steps", value.steps},
          {"references", value.references},
          {"excluded", value.excluded},
          {"judgement", value.judgement},
          {"with", value.with}};
}

void from_json(const nlohmann::json& json, Control& value) {
  json.at("id").get_to(value.id);
  json.at("title").get_to(value.title);
  json.at("section").get_to(value.section);
  value.severity = value_of(kSeverityNames, json.at("severity"));
  json.at("why").get_to(value.why);
  json.at("remediation").get_to(value.remediation);
  if (const auto steps = json.find("steps"); steps != json.end()) {
    steps->get_to(value.steps);
  } else if (auto step = json.at("step").get<std::string>(); !step.empty()) {
    value.steps = {std::move(step)};  // bundles of earlier versions have one
  }
  json.at("references").get_to(value.references);
  json.at("excluded").get_to(value.excluded);
  json.at("judgement").get_to(value.judgement);
  value.with = json.at("with");
}

void to_json(nlohmann::json& json, const Observation& value) {
  json = {{"probe", value.probe},
          {"origin", value.origin},
          {"value", value.value},
          {"error", or_null(value.error)},
          {"duration_us", value.duration_us}};
}

void from_json(const nlohmann::json& json, Observation& value) {
  json.at("probe").get_to(value.probe);
  json.at("origin").get_to(value.origin);
  value.value = json.at("value");
  if (const auto& error = json.at("error"); !error.is_null()) value.error = error.get<Error>();
  json.at("duration_us").get_to(value.duration_us);
}

SENTINEL_JSON_FIELDS(ProbeOrder, probe, with)
SENTINEL_JSON_FIELDS(AuditRequest, host, probes, resources, secrets, keep_open)
SENTINEL_JSON_FIELDS(HostRecord, host, taken_at, facts, observations, in_place, pending, unplanned)

}  // namespace sentinel
