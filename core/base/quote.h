// SPDX-License-Identifier: Apache-2.0
// Quoting of values for the files and programs we write for. Template filters and the agent (which fills secrets into
// files) use the same functions, so a value looks the same whichever of the two wrote it. A value that the target can't
// express is an error, never something else; no error holds the value.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sentinel {

/// A word for POSIX sh: unchanged when it is made of safe characters, else in single quotes. `text` holds no NUL
/// (apply_quoting checks that).
std::string shell_quote(std::string_view text);

/// A word of a systemd setting that takes words and expands specifiers, such as Environment=: double quotes, C escapes,
/// `%` doubled. Also right behind `Environment=NAME=`.
std::string systemd_quote(std::string_view text);
/// An argument of ExecStart= and its like: as systemd_quote, and `$` doubled, which would expand variables there.
std::string systemd_exec_quote(std::string_view text);

/// A double-quoted YAML scalar, also for YAML 1.1 readers (JSON is a subset of it). redis.conf reads the same quotes.
std::string yaml_quote(std::string_view text);

/// A Caddyfile token. Braces are escaped for Caddy's placeholders, so the value is what directives see that expand them
/// (headers, bodies, matchers). Not expressible: `{$`, a lone `}`, and a back-quote together with an odd backslash
/// before a quote or the end.
Result<std::string> caddy_quote(std::string_view text);

/// A value of an INI file as Python's configparser and fail2ban read it: `%` doubled. Not expressible: line breaks,
/// space at an end, and `;` at the start or behind a space.
Result<std::string> ini_quote(std::string_view text);

/// Applies a quoting filter by name: shell systemd systemd_exec yaml caddy ini b64encode. Errors:
/// `quote.unknown-filter`, `quote.not-text` (NUL bytes, or no UTF-8 for a format that wants it),
/// `quote.not-expressible`.
Result<std::string> apply_quoting(std::string_view filter, std::string_view text);
/// True for the names apply_quoting knows: the only filters that may follow a secret.
bool is_quoting_filter(std::string_view name);

}  // namespace sentinel
