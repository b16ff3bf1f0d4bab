// SPDX-License-Identifier: Apache-2.0
// Parsing: options anywhere, usage errors with suggestions, help for everything.
#include "cli/command_line.h"

#include <catch2/catch.hpp>

#include "cli/completion_script.h"
#include "cli/man_page.h"

namespace sentinel {
namespace {

struct Parser {
  GlobalOptions options;
  CommandLine line{all_commands(), options};
};

TEST_CASE("Global options are taken before and after the command") {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"-C", "dir", "--json", "-H", "web*,!web3", "--set", "a=1", "--set", "b=2", "plan"},
        std::vector<std::string>{"plan", "-C", "dir", "--json", "-H", "web*,!web3", "--set", "a=1", "--set", "b=2"}}) {
    Parser parser;
    const auto parsed = parser.line.parse(arguments);
    REQUIRE(parsed.ok());
    REQUIRE(parsed->command != nullptr);
    CHECK(parsed->command->name() == "plan");
    CHECK(parser.options.directory == "dir");
    CHECK(parser.options.json);
    CHECK(parser.options.hosts == "web*,!web3");
    CHECK(parser.options.settings == std::vector<std::string>{"a=1", "b=2"});
  }
}

TEST_CASE("What can't be understood is a usage error that says what was meant") {
  struct Row {
    std::vector<std::string> arguments;
    std::string code;
    std::string hint;
  };
  const std::vector<Row> rows = {
      {{}, "usage.no-command", "see sentinelctl --help"},
      {{"bootstrp"}, "usage.unknown-command", "did you mean 'bootstrap'?"},
      {{"--json", "frobnicate"}, "usage.unknown-command", "see sentinelctl --help"},
      {{"plan", "--jsn"}, "usage.unknown-option", "did you mean '--json'?"},
      {{"plan", "--outt", "x"}, "usage.unknown-option", "did you mean '--out'?"},
      {{"--paralel=3", "plan"}, "usage.unknown-option", "did you mean '--parallel'?"},
      {{"plan", "--parallel", "0"}, "usage.arguments", "see sentinelctl plan --help"},
      {{"plan", "--parallel", "many"}, "usage.arguments", "see sentinelctl plan --help"},
      {{"plan", "--out"}, "usage.arguments", "see sentinelctl plan --help"},
      {{"plan", "surplus"}, "usage.arguments", "see sentinelctl plan --help"},
      {{"completion", "tcsh"}, "usage.arguments", "see sentinelctl completion --help"},
      {{"completion"}, "usage.arguments", "see sentinelctl completion --help"},
  };
  for (const Row& row : rows) {
    Parser parser;
    const auto parsed = parser.line.parse(row.arguments);
    INFO(row.code << " " << (row.arguments.empty() ? "" : row.arguments.back()));
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().code == row.code);
    CHECK(parsed.error().hint == row.hint);
    CHECK(parsed.error().exit == ExitCode::kUsage);
  }
}

TEST_CASE("Help is found wherever it is asked for, also where arguments are missing") {
  Parser parser;
  const auto general = parser.line.parse({"--help"});
  REQUIRE(general.ok());
  CHECK(general->command == nullptr);
  CHECK(general->help_for.empty());
  const auto of_command = parser.line.parse({"completion", "-h"});
  REQUIRE(of_command.ok());
  CHECK(of_command->help_for == "completion");
}

TEST_CASE("Every command has a summary, a manual, help and a manual page") {
  Parser parser;
  for (const auto& command : parser.line.describe()) {
    INFO(command.name);
    CHECK_FALSE(command.summary.empty());
    CHECK(command.manual.find("Examples:") != std::string::npos);
    CHECK(parser.line.help(command.name).ok());
    CHECK(man_page(parser.line, command.name).ok());
  }
  CHECK(man_page(parser.line, "").ok());
  CHECK(man_page(parser.line, "nonsense").error().code == "usage.unknown-command");
}

TEST_CASE("Completions know every command and every option") {
  Parser parser;
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = completion_script(shell, parser.line);
    INFO(shell);
    for (const auto& command : parser.line.describe()) CHECK(script.find(command.name) != std::string::npos);
    for (const char* option : {"connect-timeout", "out", "generation"}) CHECK(script.find(option) != std::string::npos);
  }
}

}  // namespace
}  // namespace sentinel
