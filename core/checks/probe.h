// SPDX-License-Identifier: Apache-2.0
// A probe answers one question about the host with a typed value and says where it was read. It never judges, and never
// tells a secret: lengths, classes and keyed fingerprints only. Probes read through Look, so several of them share one
// `systemctl show` and one `sshd -T`.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/model/facts.h"
#include "core/model/observation.h"
#include "core/resources/look.h"

namespace sentinel {

/// What a probe gets: the host, and what the order says.
struct Inquiry {
  Look& look;
  const Facts& facts;
  const nlohmann::json& with;

  Reader& machine() const { return look.machine(); }

  /// A list of texts of the order; empty when it says nothing.
  std::vector<std::string> list(const std::string& key) const;
  std::string text(const std::string& key, const std::string& fallback = {}) const;
};

struct Answer {
  nlohmann::json value;
  std::string origin;
};

/// An error is why there is no value ("probe.absent": what it looks at isn't there).
using HostProbe = std::function<Result<Answer>(const Inquiry&)>;

/// By name: "sshd.effective". docs/formats/check.md lists them with the shape of their values.
const std::map<std::string, HostProbe>& probes();

/// Asks one probe. A name nobody knows is an observation with the error `probe.unknown`.
Observation ask(const ProbeOrder& order, Look& look, const Facts& facts);

}  // namespace sentinel
