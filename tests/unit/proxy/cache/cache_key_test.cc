// SPDX-License-Identifier: Apache-2.0
#include "proxy/cache/cache_key.h"

#include <catch2/catch.hpp>

using namespace sentinel::proxy;

namespace {

std::optional<CacheKey> key(std::string_view body) {
  return cache_key({"u", "chat", body});
}

}  // namespace

TEST_CASE("Order and who asks don't matter, everything else does") {
  const auto plain = key(R"({"model":"m","n":1})");
  REQUIRE(plain);
  CHECK(key(R"({ "n" : 1,"stream":true, "user":"x","metadata":{"a":1}, "model":"m" })") == plain);
  CHECK(key(R"({"mod\u0065l":"m","n":1})") == plain);
  for (const char* body : {R"({"model":"m","n":2})", R"({"model":"m","n":1.0})", R"({"model":"m"})",
                           R"({"model":"m","n":1,"x":null})", R"({"model":"n","n":1})"}) {
    CHECK(key(body) != plain);
  }
}

TEST_CASE("Users and endpoints have answers of their own") {
  const std::string_view body = R"({"model":"m"})";
  const auto plain = cache_key({"u", "chat", body});
  CHECK(cache_key({"v", "chat", body}) != plain);
  CHECK(cache_key({"", "chat", body}) != plain);
  CHECK(cache_key({"u", "completions", body}) != plain);
}

TEST_CASE("Whether it is a stream, and one with usage, doesn't matter; other options of a stream do") {
  const auto plain = key(R"({"model":"m"})");
  CHECK(key(R"({"model":"m","stream":true,"stream_options":null})") == plain);
  CHECK(key(R"({"model":"m","stream":true,"stream_options":{}})") == plain);
  CHECK(key(R"({"model":"m","stream":true,"stream_options":{"include_usage":true}})") == plain);
  CHECK(key(R"({"model":"m","stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}})") !=
        plain);
  CHECK(key(R"({"model":"m","stream_options":"x"})") != plain);
}

TEST_CASE("What could be read in two ways has no key") {
  for (const char* body :
       {R"({"a":1,"a":1})", R"({"a":1,"\u0061":2})", "[]", "", R"({"a":1)", R"({"a":1}x)", R"({"\ud800":1})"}) {
    CHECK_FALSE(key(body));
  }
}

TEST_CASE("Where answers name what the upstream keeps, only those that it won't keep have keys") {
  const auto response = [](std::string_view body) { return cache_key({"u", "responses", body, true}); };
  const auto plain = response(R"({"model":"m","store":false})");
  REQUIRE(plain);
  CHECK(response(R"({"store":false,"stream":true,"model":"m"})") == plain);
  for (const char* body :
       {R"({"model":"m"})", R"({"model":"m","store":true})", R"({"model":"m","store":null})",
        R"({"model":"m","store":false,"store":false})", R"({"model":"m","store":false,"previous_response_id":"r"})",
        R"({"model":"m","store":false,"conversation":"c"})", R"({"model":"m","store":false,"prompt":{"id":"p"}})",
        R"({"model":"m","store":false,"background":true})", R"({"model":"m","store":false,"tools":[{}]})"}) {
    INFO(body);
    CHECK_FALSE(response(body));
  }
  CHECK(response(R"({"model":"m","store":false,"tools":null,"previous_response_id":null})"));
  // They are told back.
  CHECK(response(R"({"model":"m","store":false,"metadata":{"a":1}})") != plain);
  CHECK(response(R"({"model":"m","store":false,"user":"x"})") != plain);
}

TEST_CASE("Neighbouring parts don't run into each other") {
  CHECK(cache_key({"u1", "chat", R"({"a":1})"}) != cache_key({"u", "1chat", R"({"a":1})"}));
  CHECK(key(R"({"ab":1})") != key(R"({"a":1})"));
}
