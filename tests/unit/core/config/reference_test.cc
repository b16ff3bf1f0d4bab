// SPDX-License-Identifier: Apache-2.0
// The reference files are schema, documentation and editor schema at once: each is whole, and what is generated from
// them is what is committed.
#include "core/config/reference.h"

#include <stdlib.h>

#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "core/base/file.h"
#include "core/config/scalar_types.h"

using namespace sentinel;

namespace {

std::string source_path(const std::string& name) {
  return std::string(SENTINEL_SOURCE_DIR) + "/" + name;
}

/// Every schema below this one, with its path.
void each(const Schema& schema, const std::string& path,
          const std::function<void(const Schema&, const std::string&)>& visit) {
  visit(schema, path);
  for (const auto& [name, key] : schema.keys) each(key, join_path(path, name), visit);
  if (schema.of) each(*schema.of, path + "[]", visit);
}

std::vector<std::string> all_pages() {
  auto out = reference_topics();
  for (const auto& kind : resource_kinds()) out.push_back(kind);
  return out;
}

}  // namespace

TEST_CASE("every page has a title, a text and a valid example") {
  CHECK(reference_topics() == std::vector<std::string>{"checklist", "project", "role", "stack"});
  CHECK(resource_kinds().size() == 19);
  for (const auto& topic : all_pages()) {
    INFO(topic);
    const Reference& page = *find_reference(topic);
    CHECK_FALSE(page.title.empty());
    CHECK_FALSE(page.text.empty());
    const auto example = parse_yaml(page.example, topic);
    REQUIRE(example.ok());
    Diagnostics diagnostics;
    if (example->is_sequence()) {
      check_shape(*example, *find_reference("role")->schema.key("resources"), "example", Templates::kAllowed,
                  diagnostics);
    } else {
      check_shape(*example, page.schema, "example", Templates::kAllowed, diagnostics);
    }
    for (const auto& error : diagnostics.errors) CHECK(error.message == "no error");
  }
}

TEST_CASE("every key is explained, and its default and example have its type") {
  for (const auto& topic : all_pages()) {
    each(find_reference(topic)->schema, topic, [&](const Schema& schema, const std::string& path) {
      INFO(path);
      const bool named = path != topic && !path.ends_with("[]");
      if (named) CHECK_FALSE(schema.doc.empty());
      Diagnostics diagnostics;
      if (schema.default_value) check_shape(*schema.default_value, schema, path, Templates::kAllowed, diagnostics);
      if (!schema.example.empty()) {
        const auto example = parse_yaml(schema.example, path);
        REQUIRE(example.ok());
        check_shape(*example, schema, path, Templates::kAllowed, diagnostics);
      }
      for (const auto& error : diagnostics.errors) CHECK(error.message == "no error");
      if (schema.required) CHECK_FALSE(schema.default_value.has_value());
    });
  }
}

TEST_CASE("a resource kind's first field exists") {
  for (const auto& kind : resource_kinds()) {
    INFO(kind);
    const Reference& page = *find_reference(kind);
    if (kind == "firewall") {
      CHECK(page.primary.empty());
    } else {
      CHECK(page.schema.key(page.primary) != nullptr);
    }
  }
}

TEST_CASE("pages fit a terminal and name every key") {
  for (const auto& topic : all_pages()) {
    INFO(topic);
    const auto text = reference_page(topic);
    REQUIRE(text.ok());
    for (const auto& [name, key] : find_reference(topic)->schema.keys)
      CHECK(text->find(name + ":") != std::string::npos);
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
      INFO(line);
      CHECK(line.size() <= 160);
      CHECK_FALSE(line.ends_with(' '));
    }
  }
  CHECK(reference_page("servce").error().hint == "did you mean 'service'?");
}

TEST_CASE("the editor's schemas in docs/schema are those that the reference files give") {
  const bool accept = ::getenv("SENTINEL_ACCEPT") != nullptr;
  const std::vector<std::pair<std::string, std::string>> schemas{
      {"docs/schema/sentinel.schema.json", project_json_schema().dump(2) + "\n"},
      {"docs/schema/playbook.schema.json", playbook_json_schema().dump(2) + "\n"}};
  for (const auto& [name, generated] : schemas) {
    INFO(name << ": run with SENTINEL_ACCEPT=1 to write it anew");
    const auto committed = read_whole_file(source_path(name));
    const bool same = committed.ok() && *committed == generated;
    if (!same && accept) std::ofstream(source_path(name)) << generated;
    CHECK(same);
  }
}

TEST_CASE("a role's page shows each variable with its comment and default") {
  Role role;
  role.name = "ssh";
  role.title = "SSH server";
  role.documentation = "Hardens sshd.\n";
  role.vars = parse_yaml(
                  "# The server.\nssh:\n  # Where it listens,\n  # for all addresses.\n  port: 22\n  extra: []\nother: "
                  "\"x y\"\n",
                  "role.yaml")
                  .value();
  CHECK(role_page(role) ==
        "ssh: SSH server\n\nHardens sshd.\n\nVariables and their defaults:\n\n"
        "  ssh\n      The server.\n"
        "  ssh.port: 22\n      Where it listens, for all addresses.\n"
        "  ssh.extra: []\n"
        "  other: \"x y\"\n");
}

TEST_CASE("every error page says why and what to do, and families share one") {
  CHECK(error_pages().size() > 200);
  for (const auto& page : error_pages()) {
    INFO(page.code);
    CHECK(page.title.size() > 3);
    CHECK(page.cause.ends_with("."));
    CHECK((page.remedy.ends_with(".") || page.remedy.ends_with("?")));
  }
  CHECK(error_page("system.ENOENT")->starts_with("system.ENOENT: "));
  CHECK(error_page("usage.unknown-option").ok());
  CHECK(error_page("schema.unknown-kye").error().hint == "did you mean 'schema.unknown-key'?");
}
