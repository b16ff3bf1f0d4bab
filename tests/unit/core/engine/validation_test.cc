// SPDX-License-Identifier: Apache-2.0
// When validators run in a transaction: before anything is touched; one that a package of the plan brings, before its
// file.
#include <catch2/catch.hpp>

#include "tests/unit/core/engine/session.h"

namespace sentinel {
namespace {

CommandResult install_prometheus(FakeSystem& fake, const CommandLine&) {
  fake.put_file("/usr/bin/promtool", "", {0, 0, 0755});
  fake.put_file("/etc/passwd", fake.bytes("/etc/passwd") + "prometheus:x:120:120::/:/bin/false\n");
  fake.put_file("/var/lib/dpkg/status",
                "Package: prometheus\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n");
  fake.put_directory("/etc/prometheus");
  return CommandResult{};
}

}  // namespace

TEST_CASE("a validator that refuses stops the transaction before anything is touched") {
  Furnished f;
  f.machine.put_file("/usr/sbin/visudo", "", {0, 0, 0755});
  f.machine.put_directory("/etc/sudoers.d");
  f.request.resources.push_back({"web/sudo",
                                 "sudo",
                                 File{"/etc/sudoers.d/x", store_content(f.machine, Content("nonsense\n")), "root",
                                      "root", 0440, Ensure::kPresent, FileFormat::kSudoers},
                                 {},
                                 "a.yaml:3"});
  const auto before = managed_tree(f.machine);
  f.session.validator = [](const CommandLine&) { return CommandResult{1, "", "syntax error\n"}; };
  const auto outcome = f.session.run(f.machine, f.request);
  CHECK(outcome.outcome == "failed");
  CHECK(outcome.errors.at(0).code == "validate.failed");
  CHECK(same_tree(before, managed_tree(f.machine)));
  CHECK(f.machine.status(StateDirectory{}.staged())->type == FileType::kAbsent);
}

TEST_CASE("a validator that a package of the plan brings runs before its file is put in place") {
  Furnished f;
  f.machine.on({"apt-get"}, install_prometheus);
  Request request;
  request.resources = {{"p/package", "p", Package{{"prometheus"}}, {}, ""},
                       {"p/config",
                        "c",
                        File{"/etc/prometheus/prometheus.yml", store_content(f.machine, Content("scrape: 1\n")), "root",
                             "root", 0644, Ensure::kPresent, FileFormat::kPrometheus},
                        {},
                        ""}};
  const auto outcome = f.session.run(f.machine, request);
  INFO(all_texts(outcome));
  CHECK(outcome.outcome == "changed");
  CHECK(f.session.validated == std::vector<std::string>{"/usr/bin/promtool"});
}

TEST_CASE("validators that one package brings run together, and one that refuses before its turn is asked again") {
  Furnished f;
  f.machine.on({"apt-get"}, install_prometheus);
  f.machine.on({"dpkg", "--purge"},
               [before = f.machine.bytes("/var/lib/dpkg/status")](FakeSystem& fake, const CommandLine&) {
                 fake.put_file("/var/lib/dpkg/status", before);
                 return CommandResult{};
               });
  const auto file = [&](const std::string& name, FileFormat format) {
    return File{"/etc/prometheus/" + name,
                store_content(f.machine, Content(name + "\n")),
                "root",
                "root",
                0644,
                Ensure::kPresent,
                format};
  };
  Request request;
  request.resources = {{"p/package", "p", Package{{"prometheus"}}, {}, ""},
                       {"p/rules", "r", file("rules.yml", FileFormat::kPrometheusRules), {}, ""},
                       {"p/needed", "n", file("needed", FileFormat::kPlain), {}, ""},
                       {"p/config", "c", file("prometheus.yml", FileFormat::kPrometheus), {}, ""}};
  const auto runs = [&] { return f.session.validated.size(); };
  const auto has = [&](const std::string& path) { return f.machine.tree().count(path) > 0; };
  SECTION("together") {
    int before_the_first_file = 0;
    f.session.validator = [&](const CommandLine&) {
      before_the_first_file += has("/etc/prometheus/rules.yml") ? 0 : 1;
      return CommandResult{};
    };
    REQUIRE(f.session.run(f.machine, request).outcome == "changed");
    CHECK(before_the_first_file == 2);
    CHECK(runs() == 2);
  }
  SECTION("again at its turn") {
    f.session.validator = [&](const CommandLine& command) {
      const bool early = command.argv.at(2) == "config" && !has("/etc/prometheus/needed");
      return early ? CommandResult{1, "", "needed is not there\n"} : CommandResult{};
    };
    CHECK(f.session.run(f.machine, request).outcome == "changed");
    CHECK(runs() == 3);
  }
  SECTION("refused at its turn") {
    f.session.validator = [](const CommandLine& command) {
      return command.argv.at(2) == "config" ? CommandResult{1, "", "never\n"} : CommandResult{};
    };
    const auto outcome = f.session.run(f.machine, request);
    INFO(all_texts(outcome));
    CHECK(outcome.outcome == "reverted");
    CHECK(outcome.errors.at(0).code == "validate.failed");
    CHECK_FALSE(has("/etc/prometheus/prometheus.yml"));
  }
}

}  // namespace sentinel
