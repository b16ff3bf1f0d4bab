// SPDX-License-Identifier: Apache-2.0
#include "core/transport/pattern.h"

#include <string>

#include <catch2/catch.hpp>

using namespace sentinel;

TEST_CASE("many stars don't make matching slow") {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  CHECK(!pattern_matches(pattern + "b", std::string(5000, 'a')));
}

TEST_CASE("a list needs one match and no negated one") {
  CHECK(pattern_list_matches("a,b", ',', "b"));
  CHECK(!pattern_list_matches("a,!b,b", ',', "b"));
  CHECK(!pattern_list_matches("", ',', "b"));
  CHECK(!pattern_list_matches(",,", ',', ""));
  CHECK(!pattern_list_matches("!", ',', "b"));
}
