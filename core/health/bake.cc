// SPDX-License-Identifier: Apache-2.0
// Comparing two releases is the conditional exact test: were both equally good, the errors of the two together would
// fall on the new one in proportion to its requests.
#include "core/health/bake.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sentinel {
namespace {

double share(const RequestCounts& counts) {
  return counts.requests == 0 ? 0 : static_cast<double>(counts.errors) / static_cast<double>(counts.requests);
}

std::string said(const RequestCounts& counts) {
  return fmt::format("{} of {} requests failed ({:.2f} %)", counts.errors, counts.requests, share(counts) * 100);
}

/// log of the probability of exactly `hits`.
double log_mass(std::uint64_t hits, std::uint64_t trials, double probability) {
  const auto k = static_cast<double>(hits);
  const auto n = static_cast<double>(trials);
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) + k * std::log(probability) +
         (n - k) * std::log1p(-probability);
}

/// Sums masses from `hits` away from the mode: the terms only shrink.
double sum_from(std::uint64_t hits, std::uint64_t trials, double probability, bool upwards) {
  const double odds = probability / (1 - probability);
  double term = std::exp(log_mass(hits, trials, probability));
  double sum = 0;
  for (std::uint64_t k = hits;;) {
    sum += term;
    if (term <= sum * 1e-17 || k == (upwards ? trials : 0)) return sum;
    const auto at = static_cast<double>(k);
    const auto n = static_cast<double>(trials);
    term *= upwards ? (n - at) / (at + 1) * odds : at / (n - at + 1) / odds;
    k = upwards ? k + 1 : k - 1;
  }
}

bool beyond_chance(std::uint64_t hits, std::uint64_t trials, double probability) {
  return binomial_tail(hits, trials, probability) < kBakeSignificance;
}

}  // namespace

double binomial_tail(std::uint64_t hits, std::uint64_t trials, double probability) {
  if (hits == 0) return 1;
  if (hits > trials || probability <= 0) return 0;
  if (probability >= 1) return 1;
  const bool above = static_cast<double>(hits) > static_cast<double>(trials) * probability;
  const double tail =
      above ? sum_from(hits, trials, probability, true) : 1 - sum_from(hits - 1, trials, probability, false);
  return std::clamp(tail, 0.0, 1.0);
}

BakeVerdict judge_bake(const BakeSettings& settings, const BakeCounts& counts) {
  if (counts.restarts > kRestartsAllowed) {
    return {BakeOutcome::kFail, fmt::format("its process was restarted {} times", counts.restarts)};
  }
  if (!counts.fresh) return {BakeOutcome::kInconclusive, "its requests could not be counted"};
  const RequestCounts& fresh = *counts.fresh;
  if (fresh.errors > fresh.requests) return {BakeOutcome::kInconclusive, "its counters contradict each other"};
  const bool compared =
      counts.former && counts.former->requests > 0 && counts.former->errors <= counts.former->requests;
  const RequestCounts former = compared ? *counts.former : RequestCounts{};

  if (compared) {
    const std::uint64_t errors = fresh.errors + former.errors;
    const double part = static_cast<double>(fresh.requests) / static_cast<double>(fresh.requests + former.requests);
    const bool worse = beyond_chance(fresh.errors, errors, part);
    if (worse && share(fresh) >= settings.errors / 10) {
      return {BakeOutcome::kFail, fmt::format("{}; of the release before, {}", said(fresh), said(former))};
    }
  }
  if (beyond_chance(fresh.errors, fresh.requests, settings.errors)) {
    if (compared && beyond_chance(former.errors, former.requests, settings.errors)) {
      return {BakeOutcome::kInconclusive,
              fmt::format("{}, but no worse than the release before, of which {}", said(fresh), said(former))};
    }
    return {BakeOutcome::kFail, fmt::format("{}; {:.2f} % may", said(fresh), settings.errors * 100)};
  }
  if (fresh.requests < settings.min_requests || fresh.requests == 0) {
    return {BakeOutcome::kInconclusive,
            fmt::format("only {} requests came, {} are needed to tell", fresh.requests, settings.min_requests)};
  }
  if (share(fresh) > settings.errors) {
    return {BakeOutcome::kInconclusive,
            fmt::format("{}; {:.2f} % may, and chance can't be ruled out", said(fresh), settings.errors * 100)};
  }
  return {BakeOutcome::kPass, said(fresh)};
}

}  // namespace sentinel
