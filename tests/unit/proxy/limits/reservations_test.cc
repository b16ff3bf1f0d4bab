// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "proxy/limits/budget_period.h"
#include "proxy/limits/local_rate_limiter.h"
#include "proxy/limits/local_reservations.h"
#include "proxy/limits/quota.h"

using namespace sentinel::proxy;
using Limit = LimitRefusal::Limit;

namespace {

constexpr std::int64_t kNow = 60'000;

TakenTokens taken(ReservationTable& table, std::int64_t tokens, const UserLimits& limits, std::int64_t now = kNow) {
  return std::get<TakenTokens>(table.take("u", tokens, now, limits));
}

LimitRefusal refused(ReservationTable& table, std::int64_t tokens, const UserLimits& limits, std::int64_t now = kNow) {
  return std::get<LimitRefusal>(table.take("u", tokens, now, limits));
}

}  // namespace

TEST_CASE("What is reserved counts at once, and what was used takes its place") {
  ReservationTable table;
  UserLimits limits;
  limits.tokens_per_minute = 100;
  const TakenTokens first = taken(table, 60, limits);
  CHECK(refused(table, 60, limits).used == 60);
  table.settle(first, 10);
  CHECK(refused(table, 91, limits).used == 10);
  table.settle(taken(table, 90, limits), 0);
  // Half of the minute before still counts in the middle of the next one.
  CHECK(refused(table, 96, limits, kNow + 90).used == 5);
  CHECK(refused(table, 101, limits, kNow + 180).used == 0);
}

TEST_CASE("Use that becomes known in the next minute is set right where it was taken") {
  ReservationTable table;
  UserLimits limits;
  limits.tokens_per_minute = 100;
  const TakenTokens first = taken(table, 100, limits);
  taken(table, 0, limits, kNow + 60);
  table.settle(first, 20);
  CHECK(refused(table, 100, limits, kNow + 60).used == 20);
}

TEST_CASE("A budget lasts its day, and requests at once are counted until they end") {
  ReservationTable table;
  UserLimits limits;
  limits.budget = 100;
  limits.period = UserLimits::Period::kDay;
  limits.concurrent = 2;
  const TakenTokens first = taken(table, 50, limits);
  const TakenTokens second = taken(table, 50, limits);
  const LimitRefusal budget = refused(table, 1, limits);
  CHECK((budget.which == Limit::kBudget && budget.reset_at == 86'400));
  table.settle(first, 0);
  table.settle(second, 0);
  taken(table, 1, limits);
  taken(table, 1, limits);
  CHECK(refused(table, 1, limits).which == Limit::kConcurrency);
  CHECK(refused(table, 1, limits, kNow + 86'400).which == Limit::kConcurrency);
}

TEST_CASE("Days and months are those of UTC") {
  CHECK(budget_span(UserLimits::Period::kDay, 0).name == "1970-01-01");
  const BudgetSpan leap = budget_span(UserLimits::Period::kDay, 1709164800);  // 2024-02-29T00:00:00Z
  CHECK((leap.name == "2024-02-29" && leap.reset_at == 1709164800 + 86'400));
  const BudgetSpan december = budget_span(UserLimits::Period::kMonth, 1735689599);  // 2024-12-31T23:59:59Z
  CHECK((december.name == "2024-12" && december.reset_at == 1735689600));
}

TEST_CASE("Counting in process goes on from what was counted elsewhere") {
  WindowCounts counts;
  counts.remember("u", kNow, 40, 7);
  CHECK(counts.count("u", kNow, 100).used == 48);
  counts.remember("u", kNow, 40, 3);  // an older answer takes nothing back
  CHECK(counts.count("u", kNow, 100).used == 49);
}

TEST_CASE("Of several limits of a subscription the tightest counts; none, or a negative one, is no limit") {
  const std::optional<Quota> quota = quota_of_limits(
      R"([{"aiInputTokens":{"limit":100,"used":10},"aiRequests":{"limit":-1,"used":5}},{"aiInputTokens":{"limit":50,"used":45}}])");
  REQUIRE(quota);
  CHECK((quota->input->limit == 50 && !quota->output && !quota->requests && !quota->exhausted()));
  QuotaTable table;
  table.keep("u", {*quota, {}}, {});
  table.add("u", {5, 0}, 1);
  CHECK(table.find("u")->quota.exhausted()->used == 50);
  for (const char* wrong : {"", "{}", "[1]"}) CHECK_FALSE(quota_of_limits(wrong));
}
