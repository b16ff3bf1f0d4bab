// SPDX-License-Identifier: Apache-2.0
// The reference files as loaded: one per topic (project, stack, role, errors aside) and one per resource kind. They are
// embedded, so a program without its files on disk still validates and explains.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/config/playbook.h"
#include "core/config/schema.h"

namespace sentinel {

struct Reference {
  std::string topic;  ///< "project", or a resource kind: "file"
  std::string title;
  std::string text;
  std::string example;  ///< YAML
  std::string primary;  ///< of a resource kind: the field its id comes from, and that may stand alone as its value
  std::string model;    ///< of a resource kind: the kind it becomes when that has another name ("file")
  Schema schema;
};

/// Null for an unknown topic.
const Reference* find_reference(std::string_view topic);
/// "project", "role", "stack", sorted.
std::vector<std::string> reference_topics();
/// Resource kinds, sorted.
std::vector<std::string> resource_kinds();

/// The page of a topic or resource kind as text for a terminal, for `sentinelctl docs TOPIC`. Error
/// `docs.unknown-topic` with a suggestion.
Result<std::string> reference_page(const std::string& topic);
/// The page of a role: its text, and each variable with its comment and default.
std::string role_page(const Role& role);

/// An error code's documentation (docs/reference/errors.yaml).
struct ErrorPage {
  std::string code;
  std::string title;
  std::string cause;
  std::string remedy;
};

/// Sorted by code.
const std::vector<ErrorPage>& error_pages();
/// For `sentinelctl explain CODE`. Error `docs.unknown-code` with a suggestion.
Result<std::string> error_page(const std::string& code);

/// JSON schemas for editors, made from the same reference files; docs/schema holds the result.
nlohmann::ordered_json project_json_schema();
nlohmann::ordered_json playbook_json_schema();

}  // namespace sentinel
