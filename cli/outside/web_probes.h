// SPDX-License-Identifier: Apache-2.0
// The outside probes that ask over HTTP: each as requests and a reading of the answers, so that all requests of an
// audit can be on their way at the same time.
#pragma once

#include <functional>
#include <vector>

#include "cli/outside/observe.h"
#include "cli/outside/web.h"

namespace sentinel {

using Replies = std::vector<Result<WebReply>>;

struct WebProbe {
  std::vector<WebRequest> requests;
  /// Requests that are made when all of `requests` were answered: what comes second matters.
  std::vector<WebRequest> afterwards;
  /// Gets the answers to `requests`, then to `afterwards`, in their order. An error is why there is no value.
  std::function<Result<nlohmann::json>(const Replies&)> read;
};

/// The most tokens a test completion may cost.
inline constexpr int kMostTestTokens = 32;

bool is_web_probe(const std::string& probe);
/// Errors: `outside.order` (no name to ask for), and those of the view's secret.
Result<WebProbe> web_probe(const ProbeOrder& order, const OutsideView& view);

}  // namespace sentinel
