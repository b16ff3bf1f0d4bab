// SPDX-License-Identifier: Apache-2.0
#include "proxy/cache/response_cache.h"

#include <catch2/catch.hpp>

using namespace sentinel::proxy;
using namespace std::chrono_literals;

namespace {

constexpr AnswerForm kForm = AnswerForm::kWhole;
const auto kStart = std::chrono::steady_clock::time_point(1000s);

CacheKey key(int number) {
  return "key " + std::to_string(number);
}

}  // namespace

TEST_CASE("An answer is found until its time is over") {
  ResponseCache cache(1 << 20, 10s);
  cache.store(key(1), kForm, {"body", {1, 2}}, kStart);
  CHECK(cache.find(key(2), kForm, kStart) == nullptr);
  const auto found = cache.find(key(1), kForm, kStart + 9s);
  REQUIRE(found != nullptr);
  CHECK(found->body == "body");
  CHECK(cache.find(key(1), kForm, kStart + 10s) == nullptr);
  CHECK(cache.entries() == 0);
  CHECK(cache.bytes() == 0);
  CHECK(found->body == "body");
}

TEST_CASE("A newer answer takes the place of the older") {
  ResponseCache cache(1 << 20, 10s);
  cache.store(key(1), kForm, {"old", {}}, kStart);
  cache.store(key(1), kForm, {"new and longer", {}}, kStart + 5s);
  CHECK(cache.entries() == 1);
  CHECK(cache.find(key(1), kForm, kStart + 14s)->body == "new and longer");
}

TEST_CASE("Bytes are bounded, and the least recently used go first") {
  constexpr std::size_t kMost = 160 << 10;
  ResponseCache cache(kMost, 100s);
  const std::string body(1000, 'x');
  cache.store(key(0), kForm, {body, {}}, kStart);
  for (int i = 1; i < 2000; ++i) {
    cache.store(key(i), kForm, {body, {}}, kStart);
    CHECK(cache.find(key(0), kForm, kStart) != nullptr);  // used all the time
  }
  CHECK(cache.bytes() <= kMost);
  CHECK(cache.entries() > 50);
  CHECK(cache.find(key(1), kForm, kStart) == nullptr);
}

TEST_CASE("An answer that would push out all others is not kept") {
  ResponseCache cache(160 << 10, 100s);
  cache.store(key(1), kForm, {std::string(cache.most_answer() + 1, 'x'), {}}, kStart);
  CHECK(cache.entries() == 0);
  ResponseCache none(0, 100s);
  none.store(key(1), kForm, {"x", {}}, kStart);
  CHECK(none.entries() == 0);
}

TEST_CASE("Both forms of an answer have a place") {
  ResponseCache cache(1 << 20, 10s);
  cache.store(key(1), AnswerForm::kWhole, {"whole", {}}, kStart);
  CHECK(cache.find(key(1), AnswerForm::kStream, kStart) == nullptr);
  cache.store(key(1), AnswerForm::kStream, {"stream", {}}, kStart);
  CHECK(cache.find(key(1), AnswerForm::kWhole, kStart)->body == "whole");
  CHECK(cache.find(key(1), AnswerForm::kStream, kStart)->body == "stream");
}
