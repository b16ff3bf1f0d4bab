// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/percent.h"

#include <catch2/catch.hpp>

using namespace sentinel::proxy;

TEST_CASE("Escapes become bytes, and nothing else does") {
  CHECK(percent_decoded("user%40example.com") == "user@example.com");
  CHECK(percent_decoded("a%2fb%2Fc") == "a/b/c");
  CHECK(percent_decoded("100%") == "100%");
  CHECK(percent_decoded("%4") == "%4");
  CHECK(percent_decoded("%zz%25") == "%zz%");
}

TEST_CASE("Only paths that every server reads alike are plain") {
  for (const char* path :
       {"/v1/audio/speech", "/v1/responses/resp_1/cancel", "/v1/x/", "/v1/a.b/...", "/v1/%41", "/v1/caf%C3%A9"}) {
    CHECK(is_plain_path(path));
  }
  for (const char* path : {"/v1/a/../b", "/v1/..", "/v1/./a", "/v1//a", "/v1/%2e%2E/a", "/v1/.%2e/a", "/v1/a%2fb",
                           "/v1/a%5Cb", "/v1/a\\b", "/v1/%", "/v1/%g1", "/v1/%252e", "/v1/%00"}) {
    CHECK_FALSE(is_plain_path(path));
  }
}

TEST_CASE("A list names whole paths, or beginnings with a star") {
  const std::vector<std::string> list{"/v1/moderations", "/v1/audio/*"};
  CHECK(is_listed(list, "/v1/moderations"));
  CHECK(is_listed(list, "/v1/audio/speech"));
  CHECK_FALSE(is_listed(list, "/v1/moderations/x"));
  CHECK_FALSE(is_listed(list, "/v1/audio"));
  CHECK_FALSE(is_listed({}, "/v1/audio/speech"));
}
