// SPDX-License-Identifier: Apache-2.0
// What fail2ban's files say of a jail: what its server will do after its next start.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/system/reader.h"

namespace sentinel {

/// Options of a jail: its section over [DEFAULT], later files over earlier ones (jail.conf, jail.d/*.conf, jail.local,
/// jail.d/*.local; jail.conf(5)). References to options of the jail, %(name)s, are followed; others stay as they stand.
Result<std::map<std::string, std::string>> jail_options(const std::string& jail, Reader& machine);

/// Seconds of "24h", "1d 12h", "600"; negative: for ever. Nothing when it is no such time.
std::optional<std::int64_t> jail_seconds(const std::string& text);

}  // namespace sentinel
