// SPDX-License-Identifier: Apache-2.0
// Times of a record as numbers: judgements have no clock but the one the host wrote down.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sentinel {

/// "2026-11-26" of "2026-11-26T16:00:00.000Z"; empty for anything else, and for a clock that stands before 2020.
std::string day_of(const std::string& rfc3339);
/// Nanoseconds since 1970, of UTC or any zone ("…+01:00"); nothing for anything else.
std::optional<std::int64_t> nanoseconds_of(const std::string& rfc3339);

}  // namespace sentinel
