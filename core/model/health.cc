// SPDX-License-Identifier: Apache-2.0
// Codecs of health settings and verdicts. A probe's target is {"<kind>": {fields}} under "target".
#include "core/model/health.h"

#include "core/model/enum_names.h"
#include "core/model/json_fields.h"
#include "core/model/kind_codec.h"

namespace sentinel {
namespace {

constexpr EnumNames<Comparison, 5> kComparisonNames{{{Comparison::kBelow, "<"},
                                                     {Comparison::kAtMost, "<="},
                                                     {Comparison::kAbove, ">"},
                                                     {Comparison::kAtLeast, ">="},
                                                     {Comparison::kEqual, "=="}}};
constexpr EnumNames<ProbeKind, 4> kProbeKindNames{{{ProbeKind::kStartup, "startup"},
                                                   {ProbeKind::kReadiness, "readiness"},
                                                   {ProbeKind::kLiveness, "liveness"},
                                                   {ProbeKind::kVerify, "verify"}}};
constexpr EnumNames<BakeOutcome, 3> kBakeOutcomeNames{
    {{BakeOutcome::kPass, "pass"}, {BakeOutcome::kFail, "fail"}, {BakeOutcome::kInconclusive, "inconclusive"}}};

}  // namespace

template <>
inline constexpr std::string_view kind_name<HttpProbe> = "http";
template <>
inline constexpr std::string_view kind_name<TcpProbe> = "tcp";
template <>
inline constexpr std::string_view kind_name<CommandProbe> = "command";
template <>
inline constexpr std::string_view kind_name<UnitProbe> = "unit";
template <>
inline constexpr std::string_view kind_name<ContainerProbe> = "container";
template <>
inline constexpr std::string_view kind_name<PrometheusProbe> = "prometheus";

void to_json(nlohmann::json& json, const Comparison& value) {
  json = name_of(kComparisonNames, value);
}

void from_json(const nlohmann::json& json, Comparison& value) {
  value = value_of(kComparisonNames, json);
}

void to_json(nlohmann::json& json, const ProbeKind& value) {
  json = name_of(kProbeKindNames, value);
}

void from_json(const nlohmann::json& json, ProbeKind& value) {
  value = value_of(kProbeKindNames, json);
}

void to_json(nlohmann::json& json, const BakeOutcome& value) {
  json = name_of(kBakeOutcomeNames, value);
}

void from_json(const nlohmann::json& json, BakeOutcome& value) {
  value = value_of(kBakeOutcomeNames, json);
}

SENTINEL_JSON_FIELDS(HttpProbe, url, socket, method, headers, body, statuses, contains, ca_file)
SENTINEL_JSON_FIELDS(TcpProbe, host, port)
SENTINEL_JSON_FIELDS(CommandProbe, argv)
SENTINEL_JSON_FIELDS(UnitProbe, unit)
SENTINEL_JSON_FIELDS(ContainerProbe, container, socket)
SENTINEL_JSON_FIELDS(PrometheusProbe, url, query, comparison, value)
SENTINEL_JSON_FIELDS(GateSettings, deadline_ms, start_period_ms)
SENTINEL_JSON_FIELDS(BakeSettings, time_ms, errors, min_requests)
SENTINEL_JSON_FIELDS(HealthSettings, probes, gate, bake)
SENTINEL_JSON_FIELDS(ProbeAnswer, probe, healthy, reason, took_ms)
SENTINEL_JSON_FIELDS(ProbeRecord, probe, kind, passed, attempts, in_a_row, needed, last, last_failure)
SENTINEL_JSON_FIELDS(GateVerdict, healthy, reason, elapsed_ms, probes)
SENTINEL_JSON_FIELDS(BakeVerdict, outcome, reason)

void to_json(nlohmann::json& json, const Probe& value) {
  nlohmann::json target;
  encode_kind(target, value.target);
  json = {{"name", value.name},
          {"kind", value.kind},
          {"target", std::move(target)},
          {"interval_ms", value.interval_ms},
          {"timeout_ms", value.timeout_ms},
          {"successes", value.successes},
          {"failures", value.failures}};
}

void from_json(const nlohmann::json& json, Probe& value) {
  json.at("name").get_to(value.name);
  json.at("kind").get_to(value.kind);
  value.target = decode_kind<ProbeTarget>(json.at("target"));
  json.at("interval_ms").get_to(value.interval_ms);
  json.at("timeout_ms").get_to(value.timeout_ms);
  json.at("successes").get_to(value.successes);
  json.at("failures").get_to(value.failures);
}

std::string name_of(ProbeKind kind) {
  return name_of(kProbeKindNames, kind);
}

std::string name_of(BakeOutcome outcome) {
  return name_of(kBakeOutcomeNames, outcome);
}

std::string sign_of(Comparison comparison) {
  return name_of(kComparisonNames, comparison);
}

}  // namespace sentinel
