// SPDX-License-Identifier: Apache-2.0
// Merging, --set, and the order in which variables are resolved.
#include "core/config/variables.h"

#include <catch2/catch.hpp>

using namespace sentinel;

namespace {

Node parse(const std::string& text) {
  return parse_yaml(text, "vars.yaml").value();
}

std::string resolved(const std::string& text, Diagnostics& diagnostics) {
  const auto value = resolve_variables(parse(text), Value::object(), {}, diagnostics);
  return value ? value->dump() : "nothing";
}

std::string resolved(const std::string& text) {
  Diagnostics diagnostics;
  return resolved(text, diagnostics);
}

}  // namespace

TEST_CASE("merging goes through mappings and replaces everything else, also by null") {
  const Node merged =
      merge_nodes(parse("{a: {b: 1, c: 2}, l: [1, 2], n: 1}"), parse("{a: {c: 3, d: 4}, l: [9], n: null, o: {}}"));
  CHECK(to_value(merged).dump() == R"({"a":{"b":1,"c":3,"d":4},"l":[9],"n":null,"o":{}})");
  CHECK(to_value(merge_nodes(parse("{a: 1}"), parse("{a: {b: 2}}"))).dump() == R"({"a":{"b":2}})");
}

TEST_CASE("a setting names a path and holds a YAML value") {
  const std::vector<std::pair<std::string, std::string>> good{{"a=1", R"({"a":1})"},
                                                              {"ssh.port=2222", R"({"ssh":{"port":2222}})"},
                                                              {"a.b=", R"({"a":{"b":""}})"},
                                                              {"a=x=y", R"({"a":"x=y"})"},
                                                              {"l=[1, two]", R"({"l":[1,"two"]})"},
                                                              {"on=true", R"({"on":true})"},
                                                              {"mode=0644", R"({"mode":"0644"})"},
                                                              {"t={{ a }}", "error"},
                                                              {"t=\"{{ a }}\"", R"({"t":"{{ a }}"})"}};
  for (const auto& [setting, json] : good) {
    INFO(setting);
    const auto node = parse_setting(setting);
    CHECK((node.ok() ? to_value(*node).dump() : "error") == json);
  }
  for (const char* setting : {"a", "=1", ".a=1", "a.=1", "a..b=1", "a b=1", ""}) {
    INFO(setting);
    const auto node = parse_setting(setting);
    REQUIRE_FALSE(node.ok());
    CHECK(node.error().code == "set.malformed");
    CHECK(node.error().exit == ExitCode::kUsage);
  }
}

TEST_CASE("variables are resolved after those they refer to, whatever their order") {
  CHECK(resolved("{a: \"{{ b }}\", b: \"{{ c }}\", c: 3}") == R"({"a":3,"b":3,"c":3})");
  CHECK(resolved("{a: {x: \"{{ a.y + 1 }}\", y: \"{{ b.z }}\"}, b: {z: 1, w: \"{{ a.x }}\"}}") ==
        R"({"a":{"x":2,"y":1},"b":{"z":1,"w":2}})");
  CHECK(resolved("{list: [\"{{ p }}/tcp\", 80/tcp], p: 22}") == R"({"list":["22/tcp","80/tcp"],"p":22})");
  CHECK(resolved("{n: [1, 2], all: \"{{ n + [3] }}\", text: \"{{ all | length }} items\"}") ==
        R"({"n":[1,2],"all":[1,2,3],"text":"3 items"})");
  // A name inside another name or behind a dot is no reference.
  CHECK(resolved("{port: \"{{ ports[0] }}\", ports: [1], x: \"{{ y.port }}\", y: {port: \"{{ x2 }}\"}, x2: 5}") ==
        R"({"port":1,"ports":[1],"x":5,"y":{"port":5},"x2":5})");
  // A variable read as a whole comes after all its parts.
  CHECK(resolved("{whole: \"{{ part }}\", part: {a: \"{{ leaf }}\", b: 2}, leaf: 1}") ==
        R"({"whole":{"a":1,"b":2},"part":{"a":1,"b":2},"leaf":1})");
}

TEST_CASE("circles are found and named; what hangs on a failed variable is not reported again") {
  Diagnostics diagnostics;
  CHECK(resolved("{a: \"{{ b }}\", b: {c: \"{{ a }}\"}}", diagnostics) == "nothing");
  REQUIRE(diagnostics.errors.size() == 1);
  CHECK(diagnostics.errors[0].code == "variables.cycle");
  CHECK(diagnostics.errors[0].message.find("a -> b.c -> a") != std::string::npos);

  diagnostics = {};
  CHECK(resolved("{a: \"{{ a }}\"}", diagnostics) == "nothing");
  CHECK(diagnostics.errors.at(0).code == "variables.cycle");

  diagnostics = {};
  CHECK(resolved("{a: \"{{ nowhere }}\", b: \"{{ a }}\", c: \"{{ b }}\", d: \"{{ 1 // 0 }}\"}", diagnostics) ==
        "nothing");
  REQUIRE(diagnostics.errors.size() == 2);
  CHECK(diagnostics.errors[0].code == "template.unknown-variable");
  CHECK(diagnostics.errors[1].code == "template.division-by-zero");
}
