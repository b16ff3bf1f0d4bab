// SPDX-License-Identifier: Apache-2.0
// Which releases a host keeps.
#include "core/release/registry.h"

#include <catch2/catch.hpp>

using namespace sentinel;

TEST_CASE("retention keeps the one in force, the way back, and what still drains") {
  AppReleases app;
  for (const char* id : {"a", "b", "c", "d", "e"}) {
    app.releases.emplace_back();
    app.releases.back().release.id = id;
  }
  app.current = "e";
  app.previous = "a";
  CHECK(releases_to_remove(app, 5, {}).empty());
  CHECK(releases_to_remove(app, 3, {}) == std::vector<std::string>{"b", "c"});
  CHECK(releases_to_remove(app, 1, {"c"}) == std::vector<std::string>{"b", "d"});
}
