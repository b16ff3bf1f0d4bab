// SPDX-License-Identifier: Apache-2.0
// The positioned tree: values by our rules, places to the byte, and bounds that hold.
#include "core/config/yaml.h"

#include <catch2/catch.hpp>

using namespace sentinel;

namespace {

Node parse(const std::string& text) {
  auto node = parse_yaml(text, "test.yaml");
  INFO((node.ok() ? std::string() : node.error().message));
  REQUIRE(node.ok());
  return std::move(node).value();
}

std::string code_of(const std::string& text, const YamlLimits& limits = {}) {
  const auto node = parse_yaml(text, "test.yaml", limits);
  return node.ok() ? "ok" : node.error().code;
}

}  // namespace

TEST_CASE("scalars get the type that their writing says, and digits with a zero in front stay text") {
  const std::vector<std::pair<std::string, Value>> cases{{"true", true},
                                                         {"False", false},
                                                         {"null", nullptr},
                                                         {"~", nullptr},
                                                         {"", nullptr},
                                                         {"0", 0},
                                                         {"-12", -12},
                                                         {"+7", 7},
                                                         {"0644", "0644"},
                                                         {"\"12\"", "12"},
                                                         {"'true'", "true"},
                                                         {"1.5", 1.5},
                                                         {"1e3", 1000.0},
                                                         {".5", 0.5},
                                                         {"yes", "yes"},
                                                         {"no", "no"},
                                                         {"off", "off"},
                                                         {"1.2.3", "1.2.3"},
                                                         {"0x1F", "0x1F"},
                                                         {"1_000", "1_000"},
                                                         {".inf", ".inf"},
                                                         {"12:30", "12:30"},
                                                         {"2027-01-31", "2027-01-31"},
                                                         {"9223372036854775807", 9223372036854775807LL},
                                                         {"9223372036854775808", "9223372036854775808"},
                                                         {"1e999", "1e999"}};
  for (const auto& [text, value] : cases) {
    INFO(text);
    const Node node = parse("key: " + text);
    CHECK(to_value(*node.find("key")) == value);
    CHECK(to_value(*node.find("key")).type() == value.type());
  }
}

TEST_CASE("every node knows its line and column, also behind anchors, and aliases keep the place of their anchor") {
  const Node root = parse("a: 1\nlist:\n  - x\n  - &name \"quoted\"\n  - *name\nblock: |\n    text\n");
  const Node& list = *root.find("list");
  CHECK(list.items[0].line == 3);
  CHECK(list.items[0].column == 5);
  CHECK(list.items[1].line == 4);
  CHECK(list.items[1].column == 11);
  CHECK(list.items[1].length == 8);
  CHECK(list.items[2].text == "quoted");
  CHECK(list.items[2].line == 4);
  CHECK(root.find("block")->style == Node::Style::kBlock);
  CHECK(root.find("block")->text == "text\n");
  const auto origin = root.find("block")->origin();
  CHECK(origin.line == 7);
  CHECK(origin.column == 5);
  CHECK(origin.indent == 4);
  CHECK(root.position().file == "test.yaml");
  CHECK(list.items[1].position().source_line == "  - &name \"quoted\"");
}

TEST_CASE("columns count bytes") {
  const Node root = parse("k: [\"é\", x]\n");
  CHECK(root.find("k")->items[1].column == 11);
}

TEST_CASE("what YAML allows and we don't is refused by name") {
  CHECK(code_of("a: 1\na: 2\n") == "yaml.duplicate-key");
  CHECK(code_of("\"a\": 1\na: 2\n") == "yaml.duplicate-key");
  CHECK(code_of("b: &b {x: 1}\na:\n  <<: *b\n") == "yaml.merge-key");
  CHECK(code_of("a: {\"<<\": 1}\n") == "ok");
  CHECK(code_of("a: !!int 3\n") == "yaml.tag");
  CHECK(code_of("a: !!str 3\n") == "ok");
  CHECK(code_of("? [a]\n: 1\n") == "yaml.key");
  CHECK(code_of("a: 1\n---\nb: 2\n") == "yaml.several-documents");
  CHECK(code_of("a: 1\n...\n") == "ok");
  CHECK(code_of("a: {{ b }}\n") == "yaml.bare-template");
  CHECK(code_of(std::string("a: \0b", 5)) == "yaml.not-text");
  CHECK(code_of("a: \x1b[31m\n") == "yaml.not-text");
  CHECK(code_of("a: \xff\n") == "yaml.not-text");
  CHECK(code_of("a: \xc0\xaf\n") == "yaml.not-text");
}

TEST_CASE("an unfinished quote is an error wherever it stands") {
  CHECK(code_of("a: \"x") == "yaml.syntax");
  CHECK(code_of("a: 'x\nb: c\n") == "yaml.syntax");
  CHECK(code_of("a: [\"x]\n") == "yaml.syntax");
  CHECK(code_of("\"a: x\n") == "yaml.syntax");
  CHECK(code_of("a: \"x\\\"\n") == "yaml.syntax");
  CHECK(code_of("a: 'it''s'\n") == "ok");
  CHECK(code_of("a: \"two\n  lines\"\n") == "ok");
}

TEST_CASE("bounds: size, depth, and what aliases expand to") {
  CHECK(code_of(std::string(2000, ' '), {1000, 64, 100}) == "file.too-large");
  CHECK(code_of(std::string(64, '[') + std::string(64, ']')) == "ok");
  CHECK(code_of(std::string(65, '[') + std::string(65, ']')) == "yaml.too-deep");
  CHECK(code_of(std::string(100000, '[')) == "yaml.too-deep");
  CHECK(code_of("a: [1, 2, 3, 4, 5]\n", {1U << 20, 64, 5}) == "yaml.too-many-nodes");
  CHECK(code_of("a: &a [1, 2]\nb: [*a, *a, *a]\n", {1U << 20, 64, 12}) == "yaml.too-many-nodes");
  CHECK(code_of("a: &a [1, 2]\nb: [*a, *a, *a]\n", {1U << 20, 64, 20}) == "ok");
  // Depth counts through aliases.
  CHECK(code_of("a: &a [[[x]]]\nb: [[*a]]\n", {1U << 20, 5, 100}) == "yaml.too-deep");
}

TEST_CASE("an empty file is nothing") {
  CHECK(parse("").is_null());
  CHECK(parse("# only a comment\n").is_null());
  CHECK(parse("\n\n").is_null());
}

TEST_CASE("a file that is too large fails before it is parsed") {
  const auto node = load_yaml("/dev/zero", "zero.yaml");
  REQUIRE_FALSE(node.ok());
  CHECK(node.error().code == "file.too-large");
  CHECK(node.error().exit == ExitCode::kUsage);
}
