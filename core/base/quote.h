// SPDX-License-Identifier: Apache-2.0
// Quoting of arbitrary bytes for the files and programs we write for. Template filters and the agent (which fills secrets
// into files) use the same functions, so a value looks the same whichever of the two wrote it.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sentinel {

/// A word for POSIX sh: unchanged when it is made of safe characters, else in single quotes.
std::string shell_quote(std::string_view text);
/// A value for a systemd unit's Exec or Environment line: double quotes, C-style escapes, `%` and `$` doubled.
std::string systemd_quote(std::string_view text);
/// A double-quoted YAML 1.2 scalar.
std::string yaml_quote(std::string_view text);
/// A Caddyfile token in double quotes or back-quotes; braces that would be placeholders are escaped.
std::string caddy_quote(std::string_view text);
/// A value of an INI file (fail2ban style): `%` doubled. Newlines can't be expressed and are an error.
Result<std::string> ini_quote(std::string_view text);

/// Applies one of the quoting filters by name: shell systemd yaml caddy ini b64encode. Error `quote.unknown-filter` otherwise.
Result<std::string> apply_quoting(std::string_view filter, std::string_view text);
/// True for the names apply_quoting knows: the only filters that may follow a secret.
bool is_quoting_filter(std::string_view name);

}  // namespace sentinel
