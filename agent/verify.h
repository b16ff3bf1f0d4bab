// SPDX-License-Identifier: Apache-2.0
// `verify`: asks probes until all are healthy or the deadline is over. For CI pipelines: needs no root and nothing
// installed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/exit_code.h"

namespace sentinel::agent {

struct VerifyOptions {
  std::string config;             ///< JSON file of HealthSettings; empty: only `urls`
  std::vector<std::string> urls;  ///< each a readiness probe
  std::optional<double> deadline_seconds;
  std::optional<double> interval_seconds;
  std::optional<unsigned> successes;
  bool json = false;
  std::string junit;  ///< file to write; empty: none
};

/// 0 healthy, 6 not, 2 when there is nothing to ask or the configuration is wrong, 1 when the JUnit file can't be
/// written.
ExitCode verify(const VerifyOptions& options);

}  // namespace sentinel::agent
