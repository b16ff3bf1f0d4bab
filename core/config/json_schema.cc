// SPDX-License-Identifier: Apache-2.0
// The reference files as JSON Schema (draft 7, what editors' YAML plugins read). Descriptions come along, so editors
// show them.
#include <fmt/format.h>

#include "core/config/reference.h"
#include "core/config/scalar_types.h"

namespace sentinel {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDialect = "http://json-schema.org/draft-07/schema#";

/// A text that is rendered later may stand wherever any type is wanted.
Json template_text() {
  return {{"type", "string"}, {"pattern", "\\{[{%]"}};
}

constexpr const char* kTemplateReference = "#/definitions/template";

class SchemaWriter {
 public:
  explicit SchemaWriter(Templates templates) : templates_(templates) {}

  Json write(const Schema& schema) const {
    Json out = shape(schema);
    std::vector<Json> others;
    if (!schema.or_type.empty()) others.push_back(scalar(schema.or_type));
    if (templates_ == Templates::kAllowed && !schema.literal && needs_template(out))
      others.push_back({{"$ref", kTemplateReference}});
    if (!others.empty()) {
      others.insert(others.begin(), std::move(out));
      out = {{"anyOf", others}};
    }
    if (!schema.doc.empty()) out["description"] = schema.doc;
    if (schema.default_value) out["default"] = to_value(*schema.default_value);
    return out;
  }

 private:
  static bool needs_template(const Json& out) {
    return !out.empty() &&
           (out.contains("pattern") || out.contains("enum") || out.value("type", Json()) != Json("string"));
  }

  static Json scalar(const std::string& name) {
    const ScalarType& type = *find_scalar_type(name);
    Json out = Json::object();
    if (type.json_type.empty()) return out;
    if (type.json_type == "string" && type.pattern.empty()) return {{"type", {"string", "number", "boolean"}}};
    if (type.json_type == "integer" || type.json_type == "boolean") return {{"type", type.json_type}};
    // Unquoted digits (a mode, a port) reach the editor as a number.
    out["type"] = {"string", "integer"};
    out["pattern"] = type.pattern;
    return out;
  }

  Json shape(const Schema& schema) const {
    if (schema.type == "mapping") return mapping(schema);
    if (schema.type == "map") {
      Json out{{"type", "object"}, {"additionalProperties", write(*schema.of)}};
      if (!schema.key_type.empty()) out["propertyNames"] = {{"pattern", find_scalar_type(schema.key_type)->pattern}};
      if (schema.min) out["minProperties"] = *schema.min;
      return out;
    }
    if (schema.type == "list") {
      Json out{{"type", "array"}, {"items", write(*schema.of)}};
      if (schema.min) out["minItems"] = *schema.min;
      return out;
    }
    if (!schema.one_of.empty())
      return schema.type == "int" ? Json{{"enum", integers(schema.one_of)}} : Json{{"enum", schema.one_of}};
    Json out = scalar(schema.type);
    if (schema.type == "int" && schema.min) out["minimum"] = *schema.min;
    if (schema.type == "int" && schema.max) out["maximum"] = *schema.max;
    return out;
  }

  static std::vector<std::int64_t> integers(const std::vector<std::string>& texts) {
    std::vector<std::int64_t> out;
    for (const auto& text : texts) out.push_back(std::stoll(text));
    return out;
  }

  Json mapping(const Schema& schema) const {
    Json properties = Json::object();
    std::vector<std::string> required;
    for (const auto& [name, key] : schema.keys) {
      properties[name] = write(key);
      if (key.required) required.push_back(name);
    }
    std::vector<Json> conditions;
    if (schema.kinds) conditions.push_back(purpose(properties));
    for (const auto& group : schema.exactly_one) conditions.push_back({{"oneOf", requirements(group)}});
    for (const auto& group : schema.at_most_one) conditions.push_back({{"not", {{"anyOf", pairs(group)}}}});
    Json out{{"type", "object"},
             {"properties", properties},
             {"patternProperties", {{"^x-", Json::object()}}},
             {"additionalProperties", false}};
    if (!required.empty()) out["required"] = required;
    if (!conditions.empty()) out["allOf"] = conditions;
    return out;
  }

  /// Adds the resource kinds to an item's properties; an item is exactly one of them, or an include, or an assert.
  Json purpose(Json& properties) const {
    std::vector<std::string> names{"include", "assert"};
    for (const auto& kind : resource_kinds()) {
      const Reference& reference = *find_reference(kind);
      Json body = mapping(reference.schema);
      if (const Schema* primary = reference.schema.key(reference.primary)) body = {{"anyOf", {body, write(*primary)}}};
      body["description"] = reference.title;
      properties[kind] = std::move(body);
      names.push_back(kind);
    }
    return {{"oneOf", requirements(names)}};
  }

  static std::vector<Json> requirements(const std::vector<std::string>& names) {
    std::vector<Json> out;
    for (const auto& name : names) out.push_back({{"required", {name}}});
    return out;
  }

  static std::vector<Json> pairs(const std::vector<std::string>& names) {
    std::vector<Json> out;
    for (std::size_t i = 0; i < names.size(); ++i) {
      for (std::size_t j = i + 1; j < names.size(); ++j) out.push_back({{"required", {names[i], names[j]}}});
    }
    return out;
  }

  Templates templates_;
};

}  // namespace

Json project_json_schema() {
  const Reference& reference = *find_reference("project");
  Json out{{"$schema", kDialect}, {"title", reference.title}};
  out.update(SchemaWriter(Templates::kNo).write(reference.schema));
  return out;
}

Json playbook_json_schema() {
  const SchemaWriter writer(Templates::kAllowed);
  std::vector<Json> files;
  for (const char* topic : {"stack", "role"}) {
    const Reference& reference = *find_reference(topic);
    Json file = writer.write(reference.schema);
    // Only the outermost mapping can't be a template.
    if (file.contains("anyOf")) file = file["anyOf"][0];
    file["title"] = reference.title;
    files.push_back(std::move(file));
  }
  return {{"$schema", kDialect},
          {"title", "Stacks and roles"},
          {"definitions", {{"template", template_text()}}},
          {"anyOf", files}};
}

}  // namespace sentinel
