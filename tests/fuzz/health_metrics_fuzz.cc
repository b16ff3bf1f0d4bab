// SPDX-License-Identifier: Apache-2.0
// Metrics of a release that may be hostile: any text is samples or an error with the line, and what is counted of it
// never contradicts what was read.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/health/bake.h"

namespace {

using namespace sentinel;

void demand(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const auto read = parse_metrics(input);
  const auto counts = proxy_counts(input);
  if (!read.ok()) {
    demand(read.error().code == "metrics.syntax" && !read.error().message.empty());
    demand(!counts.ok());
    return 0;
  }
  for (const auto& sample : read->samples) demand(!sample.name.empty());
  const auto lines = static_cast<std::size_t>(std::count(input.begin(), input.end(), '\n')) + 1;
  demand(read->samples.size() + read->families.size() <= lines);
  // Comments and empty lines say nothing.
  const auto again = parse_metrics("# a comment\n\n" + input);
  demand(again.ok() && again->samples.size() == read->samples.size());
  BakeCounts bake;
  if (counts.ok()) bake.fresh = *counts;
  demand(!counts.ok() || judge_bake(BakeSettings{}, bake).outcome != BakeOutcome::kFail || counts->errors > 0);
  return 0;
}
