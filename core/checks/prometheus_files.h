// SPDX-License-Identifier: Apache-2.0
// What Prometheus' files say: what its server will do after its next start.
#pragma once

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/system/reader.h"

namespace sentinel {

/// {jobs: [name], alerts: [name], retention} of /etc/prometheus/prometheus.yml, the rule files it names, and the
/// options in /etc/default/prometheus. Lines are read, not YAML: a job or an alert is one that is named at the
/// beginning of an item.
Result<nlohmann::json> prometheus_files(Reader& machine);

}  // namespace sentinel
