// SPDX-License-Identifier: Apache-2.0
// Values of secrets: where they come from, what is refused, and that no message holds one.
#include "core/config/secret_source.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <chrono>

#include <catch2/catch.hpp>

#include "core/config/command_output.h"
#include "tests/unit/core/config/scratch_project.h"

using namespace sentinel;

namespace {

/// Resolves the secret KEY of a project with this source; its value, or the code of the error.
std::string resolve(ScratchProject& scratch, const std::string& source) {
  scratch.diagnostics = {};
  scratch.role("  a: 1\n", "  - package: [curl]\n", "secrets: {KEY: " + source + "}\n");
  const auto project = load_project({scratch.directory(), {}, {}}, scratch.diagnostics);
  if (!project) return "no project";
  const auto values = resolve_secrets(*project, {"KEY"}, scratch.diagnostics);
  return scratch.diagnostics.ok() ? (values.contains("KEY") ? values.at("KEY").reveal() : "none")
                                  : scratch.diagnostics.errors[0].code;
}

}  // namespace

TEST_CASE("secrets come from the environment, a file or a command, without their last newline") {
  ScratchProject scratch;
  ::setenv("SENTINEL_TEST_KEY", "from-environment", 1);
  ::unsetenv("SENTINEL_TEST_NOTHING");
  scratch.write("secrets/key", "from-file\n")
      .write("secrets/lines", "a\nb\n\n")
      .write("secrets/windows", "x\r\n")
      .write("secrets/empty", "\n");
  ::chmod((scratch.directory() + "/secrets/key").c_str(), 0600);
  CHECK(resolve(scratch, "{env: SENTINEL_TEST_KEY}") == "from-environment");
  CHECK(resolve(scratch, "{env: SENTINEL_TEST_NOTHING}") == "secret.missing");
  CHECK(resolve(scratch, "{file: secrets/key}") == "from-file");
  CHECK(scratch.diagnostics.warnings.empty());
  CHECK(resolve(scratch, "{file: " + scratch.directory() + "/secrets/key}") == "from-file");
  CHECK(resolve(scratch, "{file: secrets/lines}") == "a\nb\n");
  CHECK(resolve(scratch, "{file: secrets/windows}") == "x");
  CHECK(resolve(scratch, "{file: secrets/empty}") == "secret.empty");
  CHECK(resolve(scratch, "{file: secrets/none}") == "secret.unreadable");
  CHECK(resolve(scratch, "{command: [printf, 'from %s', command]}") == "from command");
  CHECK(resolve(scratch, "{command: [cat, secrets/key]}") == "from-file");
  CHECK(resolve(scratch, "{command: ['false']}") == "secret.command-failed");
  CHECK(resolve(scratch, "{command: [no-such-program-here]}") == "secret.command-failed");
  CHECK(resolve(scratch, "{generate: hex}") == "none");
}

TEST_CASE("a file that everyone can read is worth a warning") {
  ScratchProject scratch;
  scratch.write("key", "value\n");
  ::chmod((scratch.directory() + "/key").c_str(), 0644);
  CHECK(resolve(scratch, "{file: key}") == "value");
  REQUIRE(scratch.diagnostics.warnings.size() == 1);
  CHECK(scratch.diagnostics.warnings[0].code == "secret.world-readable");
}

TEST_CASE("placeholders are refused, and values that only resemble them are not") {
  for (const char* value : {"changeme", "CHANGE_ME", "change-me-please", "your-key", "your_api_key", "sk-your-key-here",
                            "<token>", "$(cat key)", "${KEY}", "replace_me", "TODO"}) {
    INFO(value);
    CHECK_FALSE(placeholder_reason(value).empty());
  }
  for (const char* value :
       {"sk-yes", "a-changeme", "<", "<abc", "$argon2id$v=19$m=65536", "$2y$10$abc", "youth", "p@ss word"}) {
    INFO(value);
    CHECK(placeholder_reason(value).empty());
  }
}

TEST_CASE("no error shows a value, nor what a command printed") {
  ScratchProject scratch;
  const std::string value = "changeme-S3cr3tValue";
  ::setenv("SENTINEL_TEST_KEY", value.c_str(), 1);
  scratch.write("key", value).write("print.sh", "echo S3cr3tValue; echo S3cr3tValue >&2; exit 3\n");
  for (const std::string source : {"{env: SENTINEL_TEST_KEY}", "{file: key}", "{command: [sh, print.sh]}"}) {
    INFO(source);
    CHECK(resolve(scratch, source).starts_with("secret."));
    for (const auto& error : scratch.diagnostics.errors) {
      CHECK(error.message.find("S3cr3tValue") == std::string::npos);
      CHECK(error.hint.find("S3cr3tValue") == std::string::npos);
    }
  }
  CHECK(scratch.diagnostics.errors[0].message == "the command 'sh' ended with status 3");
}

TEST_CASE("a command is bounded in time and size, and what it started ends with it") {
  const auto begin = std::chrono::steady_clock::now();
  const auto slow = command_output({"sh", "-c", "sleep 60 & sleep 60"}, "/", std::chrono::milliseconds(200));
  CHECK_FALSE(slow.ok());
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
  const auto endless = command_output({"sh", "-c", "while :; do echo x; done"}, "/", std::chrono::seconds(20), 1000);
  REQUIRE_FALSE(endless.ok());
  CHECK(endless.error().message.find("more than 1000 bytes") != std::string::npos);
  const auto killed = command_output({"sh", "-c", "kill -9 $$"}, "/");
  REQUIRE_FALSE(killed.ok());
  CHECK(killed.error().message.find("signal 9") != std::string::npos);
}
