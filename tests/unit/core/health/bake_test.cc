// SPDX-License-Identifier: Apache-2.0
// The judge of the bake time by cases, its statistics against values from tables, and the reading of metrics.
#include "core/health/bake.h"

#include <catch2/catch.hpp>

namespace sentinel {
namespace {

struct BakeCase {
  const char* name;
  BakeCounts counts;
  BakeOutcome outcome;
};

const BakeCase kCases[] = {
    {"nothing counted", {{}, {}, 0}, BakeOutcome::kInconclusive},
    {"no requests", {RequestCounts{0, 0}, RequestCounts{1000, 0}, 0}, BakeOutcome::kInconclusive},
    {"too few, all good", {RequestCounts{49, 0}, {}, 0}, BakeOutcome::kInconclusive},
    {"just enough, all good", {RequestCounts{50, 0}, {}, 0}, BakeOutcome::kPass},
    {"too few, but all failed", {RequestCounts{10, 10}, {}, 0}, BakeOutcome::kFail},
    {"one stray error among few", {RequestCounts{50, 1}, RequestCounts{1000, 0}, 0}, BakeOutcome::kInconclusive},
    {"one stray error among many", {RequestCounts{1000, 1}, RequestCounts{1000, 0}, 0}, BakeOutcome::kPass},
    {"zero before, some now, below the limit", {RequestCounts{1000, 8}, RequestCounts{1000, 0}, 0}, BakeOutcome::kFail},
    {"the same few errors as before", {RequestCounts{1000, 8}, RequestCounts{1000, 7}, 0}, BakeOutcome::kPass},
    {"far above the limit, nothing to compare", {RequestCounts{1000, 50}, {}, 0}, BakeOutcome::kFail},
    {"above the limit, as before", {RequestCounts{1000, 300}, RequestCounts{1000, 310}, 0}, BakeOutcome::kInconclusive},
    {"above the limit, and much worse than before",
     {RequestCounts{1000, 500}, RequestCounts{1000, 310}, 0},
     BakeOutcome::kFail},
    {"fewer errors than before, still above",
     {RequestCounts{1000, 100}, RequestCounts{1000, 310}, 0},
     BakeOutcome::kInconclusive},
    {"significant, and of no weight",
     {RequestCounts{1'000'000, 60}, RequestCounts{1'000'000, 20}, 0},
     BakeOutcome::kPass},
    {"two restarts", {RequestCounts{100, 0}, {}, 2}, BakeOutcome::kPass},
    {"three restarts", {RequestCounts{100, 0}, {}, 3}, BakeOutcome::kFail},
    {"more errors than requests", {RequestCounts{100, 101}, {}, 0}, BakeOutcome::kInconclusive},
    {"the old one without requests is nothing to compare",
     {RequestCounts{100, 0}, RequestCounts{0, 0}, 0},
     BakeOutcome::kPass},
};

}  // namespace

TEST_CASE("the judge of the bake time") {
  for (const auto& each : kCases) {
    const auto verdict = judge_bake(BakeSettings{}, each.counts);
    INFO(each.name << ": " << verdict.reason);
    CHECK(name_of(verdict.outcome) == name_of(each.outcome));
    CHECK_FALSE(verdict.reason.empty());
  }
}

TEST_CASE("with a minimum of no requests, none is still no proof") {
  BakeSettings settings;
  settings.min_requests = 0;
  CHECK(judge_bake(settings, {RequestCounts{0, 0}, {}, 0}).outcome == BakeOutcome::kInconclusive);
}

TEST_CASE("the tail of the binomial distribution") {
  CHECK(binomial_tail(0, 10, 0.5) == 1);
  CHECK(binomial_tail(8, 8, 0.5) == Approx(1.0 / 256));
  CHECK(binomial_tail(5, 10, 0.5) == Approx(0.623046875));
  CHECK(binomial_tail(1, 50, 0.01) == Approx(0.39499393));
  CHECK(binomial_tail(4, 50, 0.01) == Approx(0.0015961731));
  CHECK(binomial_tail(11, 10, 0.5) == 0);
  CHECK(binomial_tail(3, 10, 0) == 0);
  CHECK(binomial_tail(3, 10, 1) == 1);
  // Far from the mode on both sides, where single terms are too small for a double.
  CHECK(binomial_tail(1, 1'000'000, 0.5) == Approx(1));
  CHECK(binomial_tail(999'999, 1'000'000, 0.5) == 0);
  CHECK(binomial_tail(500'000, 1'000'000, 0.5) == Approx(0.5).epsilon(0.01));
}

TEST_CASE("metrics are read with labels, escapes, timestamps and special values") {
  const auto read = parse_metrics(
      "# HELP a_total What it is\n# TYPE a_total counter\na_total{x=\"1\",y=\"a \\\"b\\\" \\\\ \\n\"} 3\n"
      "b 1.5e3 1700000000000\nc{} +Inf\n\nd{z=\"}\",} NaN\r\n");
  REQUIRE(read.ok());
  CHECK(read->families == std::vector<std::string>{"a_total"});
  REQUIRE(read->samples.size() == 4);
  CHECK(read->samples[0].labels ==
        std::vector<std::pair<std::string, std::string>>{{"x", "1"}, {"y", "a \"b\" \\ \n"}});
  CHECK(read->samples[1].value == 1500);
  CHECK(read->samples[3].labels[0].second == "}");
}

TEST_CASE("what is not metrics is an error, not zero") {
  for (const char* text : {"<html>", "a{", "a{x=1} 2", "a{x=\"1\" 2", "a", "a b", "a 1 x", "{\"a\": 1}"}) {
    INFO(text);
    CHECK_FALSE(parse_metrics(text).ok());
  }
  CHECK(proxy_counts("").error().code == "metrics.missing");
}

TEST_CASE("the proxy's counters become requests and errors") {
  const std::string head = "# TYPE sentinel_responses_total counter\n";
  CHECK(proxy_counts(head).value() == RequestCounts{0, 0});
  CHECK(proxy_counts("up 1\n").error().code == "metrics.missing");
  const auto counts = proxy_counts(head +
                                   "sentinel_responses_total{endpoint=\"chat\",code=\"200\"} 90\n"
                                   "sentinel_responses_total{endpoint=\"chat\",code=\"502\"} 4\n"
                                   "sentinel_responses_total{endpoint=\"models\",code=\"401\"} 6\n"
                                   "sentinel_responses_total{endpoint=\"health\",code=\"503\"} 1000\n"
                                   "sentinel_requests_total{status=\"error\",model=\"m\"} 7\n"
                                   "sentinel_requests_total{status=\"success\",model=\"m\"} 80\n");
  CHECK(counts.value() == RequestCounts{100, 7});
}

}  // namespace sentinel
