// SPDX-License-Identifier: Apache-2.0
// Rows that name a probe themselves name one there is: an unknown one would be found on a host only, as unknown.
#include <catch2/catch.hpp>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "core/checks/probe.h"

TEST_CASE("every probe that a checklist names is there") {
  std::set<std::string> named;
  for (const char* list : {"000", "001", "002", "003", "004"}) {
    std::ifstream file(std::string(SENTINEL_SOURCE_DIR) + "/playbooks/checklists/" + list + ".yaml");
    REQUIRE(file);
    std::ostringstream text;
    text << file.rdbuf();
    const std::string all = text.str();
    const std::regex pattern("probe: ([a-z.-]+)");
    for (std::sregex_iterator match(all.begin(), all.end(), pattern), end; match != end; ++match)
      named.insert((*match)[1].str());
  }
  CHECK(named.size() > 10);
  for (const auto& name : named) {
    CAPTURE(name);
    CHECK(sentinel::probes().contains(name));
  }
}
