// SPDX-License-Identifier: Apache-2.0
// Host patterns.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "core/config/project.h"

using namespace sentinel;

namespace {

Project fleet() {
  Project out;
  for (const char* name : {"web-1", "web-2", "web-3", "db-1"}) {
    Host host;
    host.name = name;
    host.tags = host.name.starts_with("web") ? std::vector<std::string>{"prod", "eu"}
                                             : std::vector<std::string>{"prod", "data"};
    out.hosts.push_back(host);
  }
  return out;
}

std::string selected(const std::string& pattern) {
  const Project project = fleet();
  const auto hosts = select_hosts(project, pattern);
  if (!hosts.ok()) return hosts.error().code;
  std::string out;
  for (const auto* host : *hosts) out += (out.empty() ? "" : " ") + host->name;
  return out;
}

}  // namespace

TEST_CASE("a pattern names hosts by name, tag or glob, and takes some away") {
  const std::vector<std::pair<std::string, std::string>> cases{{"", "web-1 web-2 web-3 db-1"},
                                                               {"web-2", "web-2"},
                                                               {"web*", "web-1 web-2 web-3"},
                                                               {"web*,!web-3", "web-1 web-2"},
                                                               {"!db-1", "web-1 web-2 web-3"},
                                                               {"data", "db-1"},
                                                               {"prod,!data", "web-1 web-2 web-3"},
                                                               {" db-1 , web-1 ", "web-1 db-1"},
                                                               {"web-[12]", "web-1 web-2"},
                                                               {"web-9", "project.no-such-host"},
                                                               {"web-1,nothing", "project.no-such-host"},
                                                               {"web*,!nothing", "project.no-such-host"},
                                                               {"eu,!web*", "project.no-host-left"},
                                                               {"web-1,!web-1,web-1", "web-1"}};
  for (const auto& [pattern, hosts] : cases) {
    INFO(pattern);
    CHECK(selected(pattern) == hosts);
  }
}

TEST_CASE("a misspelt host gets a suggestion") {
  const Project project = fleet();
  CHECK(select_hosts(project, "web1").error().hint == "did you mean 'web-1'?");
}
