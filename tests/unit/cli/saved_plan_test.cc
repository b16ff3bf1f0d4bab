// SPDX-License-Identifier: Apache-2.0
// A saved plan comes back as it was, and anything else is refused.
#include "cli/saved_plan.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include <catch2/catch.hpp>

#include "core/base/digest.h"
#include "core/base/file.h"

namespace sentinel {
namespace {

struct PlanFile {
  PlanFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sentinel-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    directory = pattern;
    path = directory + "/change.plan";
  }
  ~PlanFile() { std::filesystem::remove_all(directory); }
  std::string directory;
  std::string path;
};

SavedPlan sample() {
  SavedHostPlan host;
  host.transaction = std::string(32, 'a');
  host.request.host = "web-1";
  host.request.secrets = {{"TOKEN", false, "hex", 32}};
  const std::string bytes("\0\xff binary", 9);
  host.contents[sha256_hex(bytes)] = bytes;
  host.plan.host = "web-1";
  host.plan.observed = "digest";
  host.plan.unchanged = 3;
  return {"2026-01-31T08:15:30.123Z", "sentinel", "abc", {host}};
}

TEST_CASE("A saved plan is read back as it was written, by its owner only") {
  const PlanFile file;
  REQUIRE(write_saved_plan(file.path, sample()).ok());
  struct stat info {};
  REQUIRE(stat(file.path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  const auto read = read_saved_plan(file.path);
  REQUIRE(read.ok());
  const SavedHostPlan* host = read->find("web-1");
  REQUIRE(host != nullptr);
  CHECK(host->transaction == sample().hosts[0].transaction);
  CHECK(host->request == sample().hosts[0].request);
  CHECK(host->plan == sample().hosts[0].plan);
  CHECK(host->contents == sample().hosts[0].contents);
  CHECK(read->project_digest == "abc");
  CHECK(read->find("web-2") == nullptr);
}

TEST_CASE("Whatever isn't a whole plan of this version is refused") {
  const PlanFile file;
  REQUIRE(write_saved_plan(file.path, sample()).ok());
  const std::string good = *read_whole_file(file.path);
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  struct Row {
    std::string text;
    std::string code;
  };
  const std::vector<Row> rows = {
      {"", "plan.unreadable"},
      {"{}", "plan.unreadable"},
      {good.substr(0, good.size() / 2), "plan.unreadable"},
      {replaced("\"schema_version\":1", "\"schema_version\":2"), "plan.unreadable"},
      {replaced(std::string(32, 'a'), "../../etc"), "plan.unreadable"},
      {replaced(base64_encode(std::string("\0\xff binary", 9)), base64_encode("other")), "plan.damaged"},
  };
  for (const Row& row : rows) {
    REQUIRE(replace_file(file.path, row.text, {geteuid(), getegid(), 0600}).ok());
    const auto read = read_saved_plan(file.path);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code == row.code);
    CHECK(read.error().exit == ExitCode::kUsage);
  }
}

}  // namespace
}  // namespace sentinel
