// SPDX-License-Identifier: Apache-2.0
// The judge of the bake time: did the new release's requests fail more than they may, or more than the old one's?
// Counts in, verdict out; nothing is read here. Too few requests never pass by themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/model/health.h"

namespace sentinel {

/// Requests in one stretch of time; errors are among the requests.
struct RequestCounts {
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;

  bool operator==(const RequestCounts&) const = default;
};

struct BakeCounts {
  std::optional<RequestCounts> fresh;  ///< the new release since the switch; nothing: it could not be asked
  std::optional<RequestCounts>
      former;                  ///< the old one, over a stretch before the switch; nothing: there is none to compare
  std::uint32_t restarts = 0;  ///< of the new release's process
};

/// Restarts of the new process that are not yet a failure.
inline constexpr std::uint32_t kRestartsAllowed = 2;
/// How improbable counts must be by chance (one-sided, exact) before they are held against a release.
inline constexpr double kBakeSignificance = 0.01;

/// Fails a release that restarted more than kRestartsAllowed times, whose errors are beyond chance above
/// `settings.errors` while the old one's were not, or whose errors are beyond chance above the old one's (and at least
/// a tenth of `settings.errors`). Passes one with `min_requests` and a share of at most `settings.errors`. All else is
/// inconclusive.
BakeVerdict judge_bake(const BakeSettings& settings, const BakeCounts& counts);

/// P(X >= hits) for X ~ Binomial(trials, probability), exact.
double binomial_tail(std::uint64_t hits, std::uint64_t trials, double probability);

/// One line of Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/).
struct MetricSample {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};

struct Exposition {
  std::vector<MetricSample> samples;
  std::vector<std::string> families;  ///< declared by a TYPE line, with samples or without
};

/// Timestamps are ignored. Error `metrics.syntax` with the line's number.
Result<Exposition> parse_metrics(const std::string& text);

/// What sentinel-proxy counted since its start: answers but those about itself (sentinel_responses_total), and of them
/// those with a status of 500 and above, or calls that failed after their answer began (sentinel_requests_total),
/// whichever is more. Error `metrics.missing` when these are not the proxy's metrics; a proxy that answered nothing yet
/// has counted nothing.
Result<RequestCounts> proxy_counts(const std::string& text);

}  // namespace sentinel
