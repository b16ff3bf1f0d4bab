// SPDX-License-Identifier: Apache-2.0
// Which distribution, which systemd, and which of the stacks' packages it has.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/model/facts.h"
#include "core/system/reader.h"

namespace sentinel {

/// os_*, systemd_version, has_auth_log, packages_available.
void collect_os(Reader& machine, Facts& facts);

/// os-release(5): KEY=value with shell-like quotes.
std::map<std::string, std::string> parse_os_release(const std::string& text);

/// Of the names the stacks ask about, those the distribution's own archive has. A table by release and not what apt's
/// lists say: those are missing on a fresh machine, and a fact that changes by the first run would make the second one
/// differ. A release that isn't in the table is taken to have them all; apt then says what it lacks.
std::vector<std::string> packages_of_release(const std::string& os_id, const std::string& codename);

}  // namespace sentinel
