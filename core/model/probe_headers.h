// SPDX-License-Identifier: Apache-2.0
// Headers of a release's probes, apart from its policy: a policy is shown in plans and kept in journals, and headers
// hold credentials. They are a file of the release like its environment: secrets are holes that the host fills.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/model/content.h"
#include "core/model/health.h"

namespace sentinel {

/// The release's file, present when any probe has headers.
inline constexpr const char* kReleaseHeaders = "probe-headers.json";

/// Values by header by probe, with holes for secrets.
using ProbeHeaders = std::map<std::string, std::map<std::string, Content>>;

/// JSON: {"<probe>": {"<header>": ["<piece>", ...]}}; a value is its pieces joined.
Content write_probe_headers(const ProbeHeaders& headers);

/// Gives the probes the headers of such a file whose holes were filled. Error `release.headers`; it shows no value.
Result<void> give_probe_headers(HealthSettings& settings, std::string_view file);

/// `value` stands in the place of every header's value, for people.
void mask_probe_headers(HealthSettings& settings, const std::string& value);

}  // namespace sentinel
