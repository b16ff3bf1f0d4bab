// SPDX-License-Identifier: Apache-2.0
// Parsing with the checks nlohmann leaves out (duplicate keys, depth), and the codecs of errors, facts, events, requests.
#include "core/model/json.h"

#include <fmt/format.h>

#include <set>

#include "core/model/enum_names.h"
#include "core/model/json_fields.h"

namespace sentinel {
namespace {

constexpr int kMaxDepth = 64;

constexpr EnumNames<Event::Type, 11> kEventNames{{{Event::Type::kPhase, "phase"},
                                                  {Event::Type::kStepStarted, "step-started"},
                                                  {Event::Type::kStepDone, "step-done"},
                                                  {Event::Type::kEffect, "effect"},
                                                  {Event::Type::kWaiting, "waiting"},
                                                  {Event::Type::kGuardArmed, "guard-armed"},
                                                  {Event::Type::kAwaitConfirm, "await-confirm"},
                                                  {Event::Type::kConfirmed, "confirmed"},
                                                  {Event::Type::kReverting, "reverting"},
                                                  {Event::Type::kWarning, "warning"},
                                                  {Event::Type::kResult, "result"}}};

// Watches keys and depth while nlohmann parses.
class Watcher {
 public:
  bool operator()(int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Kind = nlohmann::json::parse_event_t;
    if (depth > kMaxDepth) too_deep_ = true;
    if (event == Kind::object_start) keys_.emplace_back();
    if (event == Kind::object_end && !keys_.empty()) keys_.pop_back();
    if (event == Kind::key && !keys_.empty() && !keys_.back().insert(parsed.get<std::string>()).second &&
        duplicate_.empty()) {
      duplicate_ = parsed.get<std::string>();
    }
    return !too_deep_;
  }

  const std::string& duplicate() const { return duplicate_; }
  bool too_deep() const { return too_deep_; }

 private:
  std::vector<std::set<std::string>> keys_;
  std::string duplicate_;
  bool too_deep_ = false;
};

}  // namespace

SENTINEL_JSON_FIELDS(Position, file, line, column, length, source_line)
SENTINEL_JSON_FIELDS(ContentRef, digest, holes, size)
SENTINEL_JSON_FIELDS(Facts, os_id, os_version, os_codename, os_name, architecture, kernel, hostname,
                                   virtualization, systemd_version, cpus, memory_mb, addresses, ssh_unit, ssh_socket,
                                   ssh_port, ssh_client, has_auth_log, can_limit_memory, packages_available)
SENTINEL_JSON_FIELDS(SecretSpec, name, generated, encoding, bytes)

void to_json(nlohmann::json& json, const Request& value) {
  json = {{"host", value.host},
          {"project", value.project},
          {"purpose", value.purpose},
          {"operator_name", value.operator_name},
          {"resources", value.resources},
          {"secrets", value.secrets},
          {"confirm_timeout_seconds", value.confirm_timeout_seconds},
          {"lease_wait_seconds", value.lease_wait_seconds},
          {"keep_open", value.keep_open}};
  if (value.release) json["release"] = *value.release;
}

void from_json(const nlohmann::json& json, Request& value) {
  json.at("host").get_to(value.host);
  json.at("project").get_to(value.project);
  json.at("purpose").get_to(value.purpose);
  json.at("operator_name").get_to(value.operator_name);
  json.at("resources").get_to(value.resources);
  json.at("secrets").get_to(value.secrets);
  json.at("confirm_timeout_seconds").get_to(value.confirm_timeout_seconds);
  json.at("lease_wait_seconds").get_to(value.lease_wait_seconds);
  json.at("keep_open").get_to(value.keep_open);
  // Absent in what was written before there were releases: journals of earlier versions must stay readable.
  value.release.reset();
  if (json.contains("release")) value.release = json.at("release").get<ReleaseOrder>();
}

void to_json(nlohmann::json& json, const Error& value) {
  json = {{"code", value.code},
          {"message", value.message},
          {"position", value.position ? nlohmann::json(*value.position) : nlohmann::json()},
          {"context", value.context},
          {"hint", value.hint},
          {"exit", static_cast<int>(value.exit)}};
}

void from_json(const nlohmann::json& json, Error& value) {
  json.at("code").get_to(value.code);
  json.at("message").get_to(value.message);
  const auto& position = json.at("position");
  value.position = position.is_null() ? std::nullopt : std::optional(position.get<Position>());
  json.at("context").get_to(value.context);
  json.at("hint").get_to(value.hint);
  value.exit = static_cast<ExitCode>(json.at("exit").get<int>());
}

void to_json(nlohmann::json& json, const Event& value) {
  json = {{"type", name_of(kEventNames, value.type)},
          {"time", value.time},
          {"step", value.step},
          {"text", value.text},
          {"deadline_ms", value.deadline_ms},
          {"outcome", value.outcome},
          {"generation", value.generation},
          {"changed", value.changed},
          {"errors", value.errors},
          {"release", value.release},
          {"log", value.log}};
}

void from_json(const nlohmann::json& json, Event& value) {
  value.type = value_of(kEventNames, json.at("type"));
  json.at("time").get_to(value.time);
  json.at("step").get_to(value.step);
  json.at("text").get_to(value.text);
  json.at("deadline_ms").get_to(value.deadline_ms);
  json.at("outcome").get_to(value.outcome);
  json.at("generation").get_to(value.generation);
  json.at("changed").get_to(value.changed);
  json.at("errors").get_to(value.errors);
  // Absent in the logs of earlier versions.
  value.release = json.value("release", "");
  value.log = json.value("log", std::vector<std::string>());
}

Result<nlohmann::json> parse_json(const std::string& text) {
  Watcher watcher;
  try {
    auto json = nlohmann::json::parse(text, std::ref(watcher));
    if (watcher.too_deep()) return Error("json.too-deep", fmt::format("JSON is nested deeper than {}", kMaxDepth));
    if (!watcher.duplicate().empty()) {
      return Error("json.duplicate-key", fmt::format("key '{}' occurs twice in one object", watcher.duplicate()));
    }
    return json;
  } catch (const nlohmann::json::exception& failure) {
    return Error("json.syntax", failure.what());
  }
}

std::string to_text(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace sentinel
