// SPDX-License-Identifier: Apache-2.0
// Codecs of resources, actions, steps and plans. A variant is written as {"<kind>": {fields}}.
#include "core/model/json.h"
#include "core/model/json_fields.h"
#include "core/model/kind_codec.h"
#include "core/model/kinds.h"

namespace sentinel {
namespace {

template <typename T>
nlohmann::json encode_optional(const std::optional<T>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

template <typename T>
void decode_optional(const nlohmann::json& json, std::optional<T>& value) {
  value = json.is_null() ? std::nullopt : std::optional<T>(json.get<T>());
}

}  // namespace

void to_json(nlohmann::json& json, const Ensure& value) { json = name_of(kEnsureNames, value); }
void from_json(const nlohmann::json& json, Ensure& value) { value = value_of(kEnsureNames, json); }
void to_json(nlohmann::json& json, const FileFormat& value) { json = name_of(kFileFormatNames, value); }
void from_json(const nlohmann::json& json, FileFormat& value) { value = value_of(kFileFormatNames, json); }
void to_json(nlohmann::json& json, const Risk& value) { json = name_of(kRiskNames, value); }
void from_json(const nlohmann::json& json, Risk& value) { value = value_of(kRiskNames, json); }

SENTINEL_JSON_FIELDS(File, path, content, owner, group, mode, ensure, format)
SENTINEL_JSON_FIELDS(SshdConfig, path, content, effective)
SENTINEL_JSON_FIELDS(Directory, path, owner, group, mode, ensure)
SENTINEL_JSON_FIELDS(Link, path, target, ensure)
SENTINEL_JSON_FIELDS(Package, names, ensure)
SENTINEL_JSON_FIELDS(AptSource, name, key, line, ensure)
SENTINEL_JSON_FIELDS(AuthorizedKeys, user, keys, exclusive)
SENTINEL_JSON_FIELDS(Sysctl, path, values, ensure)
SENTINEL_JSON_FIELDS(FirewallRule, action, port, protocol, from, comment)
SENTINEL_JSON_FIELDS(Firewall, enabled, incoming, outgoing, routed, logging, ipv6, rules)
SENTINEL_JSON_FIELDS(Command, argv, creates, unless, always, undo, timeout_seconds)

void to_json(nlohmann::json& json, const User& value) {
  json = {{"name", value.name},     {"uid", encode_optional(value.uid)}, {"group", value.group},
          {"groups", value.groups}, {"home", value.home},                {"shell", value.shell},
          {"comment", value.comment}, {"system", value.system},          {"ensure", value.ensure},
          {"not_groups", value.not_groups}};
}

void from_json(const nlohmann::json& json, User& value) {
  json.at("name").get_to(value.name);
  decode_optional(json.at("uid"), value.uid);
  json.at("group").get_to(value.group);
  json.at("groups").get_to(value.groups);
  json.at("home").get_to(value.home);
  json.at("shell").get_to(value.shell);
  json.at("comment").get_to(value.comment);
  json.at("system").get_to(value.system);
  json.at("not_groups").get_to(value.not_groups);
  json.at("ensure").get_to(value.ensure);
}

void to_json(nlohmann::json& json, const Group& value) {
  json = {{"name", value.name},
          {"gid", encode_optional(value.gid)},
          {"system", value.system},
          {"ensure", value.ensure}};
}

void from_json(const nlohmann::json& json, Group& value) {
  json.at("name").get_to(value.name);
  decode_optional(json.at("gid"), value.gid);
  json.at("system").get_to(value.system);
  json.at("ensure").get_to(value.ensure);
}

void to_json(nlohmann::json& json, const Service& value) {
  json = {{"unit", value.unit},
          {"enabled", encode_optional(value.enabled)},
          {"active", encode_optional(value.active)},
          {"masked", encode_optional(value.masked)},
          {"reads", value.reads}};
}

void from_json(const nlohmann::json& json, Service& value) {
  json.at("unit").get_to(value.unit);
  decode_optional(json.at("enabled"), value.enabled);
  decode_optional(json.at("active"), value.active);
  decode_optional(json.at("masked"), value.masked);
  json.at("reads").get_to(value.reads);
}

void to_json(nlohmann::json& json, const ResourceBody& value) { encode_kind(json, value); }
void from_json(const nlohmann::json& json, ResourceBody& value) { value = decode_kind<ResourceBody>(json); }

void to_json(nlohmann::json& json, const Effect& value) { json = to_string(value); }

void from_json(const nlohmann::json& json, Effect& value) {
  auto parsed = parse_effect(json.get<std::string>());
  if (!parsed.ok()) throw nlohmann::json::other_error::create(593, parsed.error().message, &json);
  value = std::move(parsed).value();
}

SENTINEL_JSON_FIELDS(Resource, id, title, body, notify, origin)
SENTINEL_JSON_FIELDS(Change, attribute, before, after, sensitive)

SENTINEL_JSON_FIELDS(WriteFile, path, content, owner, group, mode)
SENTINEL_JSON_FIELDS(RemoveFile, path)
SENTINEL_JSON_FIELDS(MakeDirectory, path, owner, group, mode)
SENTINEL_JSON_FIELDS(RemoveDirectory, path)
SENTINEL_JSON_FIELDS(MakeLink, path, target)
SENTINEL_JSON_FIELDS(SetAttributes, path, owner, group, mode)
SENTINEL_JSON_FIELDS(RunCommand, argv, timeout_seconds, may_fail)
SENTINEL_JSON_FIELDS(InstallPackages, names)
SENTINEL_JSON_FIELDS(RemovePackages, names)
SENTINEL_JSON_FIELDS(PurgePackagesAddedSince, snapshot)
SENTINEL_JSON_FIELDS(SetKernelParameter, key, value)
SENTINEL_JSON_FIELDS(RestoreFirewall, snapshot)

void to_json(nlohmann::json& json, const Action& value) { encode_kind(json, value); }
void from_json(const nlohmann::json& json, Action& value) { value = decode_kind<Action>(json); }

void to_json(nlohmann::json& json, const Undo& value) {
  if (const auto* irreversible = std::get_if<Irreversible>(&value)) {
    json = {{"irreversible", irreversible->why}};
  } else {
    json = std::get<std::vector<Action>>(value);
  }
}

void from_json(const nlohmann::json& json, Undo& value) {
  if (json.is_object()) {
    value = Irreversible{json.at("irreversible").get<std::string>()};
  } else {
    value = json.get<std::vector<Action>>();
  }
}

SENTINEL_JSON_FIELDS(Step, id, kind, title, risk, changes, actions, undo, effects)
SENTINEL_JSON_FIELDS(Plan, host, observed, steps, unchanged)

}  // namespace sentinel
