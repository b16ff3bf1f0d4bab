// SPDX-License-Identifier: Apache-2.0
// What is remembered of earlier audits, and that a broken file costs nothing else.
#include "cli/check_history.h"

#include <catch2/catch.hpp>

#include "core/base/file.h"
#include "tests/support/scratch_directory.h"

namespace sentinel {
namespace {

PastAudit audit_at(const std::string& time, const std::string& profile = "vps") {
  return {time, profile, {{"Access", 1, 2}}, {{"000-02", Verdict::kFail}}};
}

}  // namespace

TEST_CASE("Audits come back in order, those of one profile and one host") {
  const ScratchDirectory directory;
  CHECK(load_history(directory.path(), "web-1", "vps").empty());
  REQUIRE(add_to_history(directory.path(), "web-1", audit_at("1")).ok());
  REQUIRE(add_to_history(directory.path(), "web-1", audit_at("2", "cis")).ok());
  REQUIRE(add_to_history(directory.path(), "web-1", audit_at("3")).ok());
  REQUIRE(add_to_history(directory.path(), "web-2", audit_at("4")).ok());
  PastAudit first = audit_at("1");
  first.verdicts.clear();  // only the newest of a profile is compared with
  CHECK(load_history(directory.path(), "web-1", "vps") == std::vector<PastAudit>{first, audit_at("3")});
  CHECK(load_history(directory.path(), "web-1", "cis") == std::vector<PastAudit>{audit_at("2", "cis")});
}

TEST_CASE("The oldest are forgotten") {
  const ScratchDirectory directory;
  for (std::size_t i = 0; i < kKeptAudits + 3; ++i) {
    REQUIRE(add_to_history(directory.path(), "web-1", audit_at(std::to_string(i))).ok());
  }
  const auto kept = load_history(directory.path(), "web-1", "vps");
  REQUIRE(kept.size() == kKeptAudits);
  CHECK(kept.front().taken_at == "3");
}

TEST_CASE("A line that is none is passed over") {
  const ScratchDirectory directory;
  REQUIRE(add_to_history(directory.path(), "web-1", audit_at("1")).ok());
  const std::string path = directory.path() + "/.sentinel/checks/web-1.jsonl";
  const std::string line = *read_whole_file(path);
  REQUIRE(replace_file(path, "{\n[]\n" + line + line.substr(0, 20), {::geteuid(), ::getegid(), 0600}).ok());
  CHECK(load_history(directory.path(), "web-1", "vps") == std::vector<PastAudit>{audit_at("1")});
}

}  // namespace sentinel
