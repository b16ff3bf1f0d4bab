// SPDX-License-Identifier: Apache-2.0
#include "proxy/upstreams/routed_upstreams.h"

#include <map>

#include <catch2/catch.hpp>

using namespace sentinel::proxy;
using namespace std::chrono_literals;

namespace {

UpstreamTarget target(const std::string& name) {
  UpstreamTarget made;
  made.name = name;
  return made;
}

std::shared_ptr<const UpstreamDirectory> directory(const UpstreamDirectory::Offers& offers, UpstreamRules rules = {}) {
  return std::make_shared<const UpstreamDirectory>(std::vector<UpstreamTarget>{target("a"), target("b"), target("c")},
                                                   offers, rules);
}

const UpstreamDirectory::Offers kInOrder{{"*", {{"a", {}, 1}, {"b", {}, 0}, {"c", {}, 0}}}};

AttemptReport answered(int status) {
  return {ClientStatus::kDone, status, std::nullopt};
}

}  // namespace

TEST_CASE("Each that may help is tried once, in order, and then it is over") {
  RoutedUpstreams upstreams(directory(kInOrder));
  const auto attempts = upstreams.attempts("m");
  for (const char* name : {"a", "b"}) {
    const UpstreamTarget* const next = attempts->next();
    REQUIRE(next != nullptr);
    CHECK(next->name == name);
    CHECK(attempts->report(answered(500)));
  }
  REQUIRE(attempts->next()->name == "c");
  CHECK_FALSE(attempts->report(answered(500)));
  CHECK(attempts->next() == nullptr);
}

TEST_CASE("Whose fault it was decides about another attempt and the breaker") {
  struct Row {
    AttemptReport report;
    bool again;
    bool opens;
  };

  const Row rows[] = {
      {answered(200), false, false},
      {answered(400), false, false},
      {answered(404), false, false},
      {answered(422), false, false},
      {answered(401), true, false},
      {answered(403), true, false},
      {answered(429), true, false},
      {answered(408), true, true},
      {answered(500), true, true},
      {answered(503), true, true},
      {{ClientStatus::kConnect, 0, std::nullopt}, true, true},
      {{ClientStatus::kTimeout, 0, std::nullopt}, true, true},
      {{ClientStatus::kClosed, 0, std::nullopt}, true, true},
      {{ClientStatus::kTls, 0, std::nullopt}, true, true},
      {{ClientStatus::kBadResponse, 0, std::nullopt}, true, true},
      {{ClientStatus::kCancelled, 0, std::nullopt}, false, false},
  };
  for (const Row& row : rows) {
    INFO(static_cast<int>(row.report.status) << " " << row.report.http_status);
    const auto all = directory(kInOrder, {3, {1, 10s}});
    RoutedUpstreams upstreams(all);
    const auto attempts = upstreams.attempts("m");
    REQUIRE(attempts->next()->name == "a");
    CHECK(attempts->report(row.report) == row.again);
    CHECK((all->upstreams()[0].breaker->state() == Breaker::State::kOpen) == row.opens);
  }
}

TEST_CASE("A single upstream is asked once more when something between may have been the cause") {
  const UpstreamDirectory::Offers one{{"m", {{"a", "x", 1}}}};
  RoutedUpstreams upstreams(directory(one));
  const auto attempts = upstreams.attempts("m");
  CHECK(attempts->next()->model == "x");
  CHECK(attempts->report(answered(503)));
  CHECK(attempts->next()->name == "a");
  CHECK_FALSE(attempts->report(answered(503)));
  const auto others = upstreams.attempts("m");
  REQUIRE(others->next() != nullptr);
  CHECK_FALSE(others->report(answered(500)));
  CHECK(upstreams.attempts("other") == nullptr);
  CHECK(upstreams.models() == std::vector<std::string>{"m"});
}

TEST_CASE("When all rest, nobody is asked, and it is known for how long") {
  const UpstreamDirectory::Offers one{{"m", {{"a", {}, 1}}}};
  RoutedUpstreams upstreams(directory(one));
  const auto attempts = upstreams.attempts("m");
  REQUIRE(attempts->next() != nullptr);
  CHECK_FALSE(attempts->report({ClientStatus::kDone, 429, 30s}));
  const auto later = upstreams.attempts("m");
  CHECK(later->next() == nullptr);
  REQUIRE(later->all_rest_for());
  CHECK(*later->all_rest_for() > 28s);
  CHECK(*later->all_rest_for() <= 30s);
}

TEST_CASE("An attempt that was chosen and never begun gives the trial's place back") {
  const UpstreamDirectory::Offers one{{"m", {{"a", {}, 1}}}};
  const auto all = directory(one, {3, {1, 1ms}});
  RoutedUpstreams upstreams(all);
  all->upstreams()[0].breaker->failed(Breaker::Time{});
  upstreams.attempts("m").reset();
  CHECK(upstreams.attempts("m")->next() != nullptr);
}
