// SPDX-License-Identifier: Apache-2.0
// Escaping rules: POSIX shell quoting; systemd.syntax(7) and systemd.service(5); YAML 1.2 section 5.7;
// Caddyfile tokens as Caddy's lexer reads them; Python's configparser for INI.
#include "core/base/quote.h"

#include <fmt/format.h>

#include "core/base/digest.h"

namespace sentinel {

std::string shell_quote(std::string_view text) {
  static constexpr std::string_view kSafe =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";
  if (!text.empty() && text.find_first_not_of(kSafe) == std::string_view::npos) return std::string(text);
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string systemd_quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '%': out += "%%"; break;
      case '$': out += "$$"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

std::string yaml_quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

std::string caddy_quote(std::string_view text) {
  // Inside double quotes Caddy unescapes only \"; a backslash before anything else stays. A value that ends in a
  // backslash or holds \" can't be written that way and goes into back-quotes. `{` opens a placeholder: escaped as \{.
  std::string escaped;
  for (const char c : text) {
    if (c == '"') escaped += '\\';
    if (c == '{' || c == '}') escaped += '\\';
    escaped += c;
  }
  const bool awkward = text.find('\\') != std::string_view::npos && text.find('`') == std::string_view::npos;
  if (awkward) return "`" + std::string(text) + "`";
  return "\"" + escaped + "\"";
}

Result<std::string> ini_quote(std::string_view text) {
  if (text.find_first_of("\n\r") != std::string_view::npos || text.find('\0') != std::string_view::npos) {
    return Error("quote.ini-newline", "a value with a line break can't be written into an INI file");
  }
  std::string out;
  for (const char c : text) {
    if (c == '%') out += '%';
    out += c;
  }
  return out;
}

bool is_quoting_filter(std::string_view name) {
  return name == "shell" || name == "systemd" || name == "yaml" || name == "caddy" || name == "ini" ||
         name == "b64encode";
}

Result<std::string> apply_quoting(std::string_view filter, std::string_view text) {
  if (filter == "shell") return shell_quote(text);
  if (filter == "systemd") return systemd_quote(text);
  if (filter == "yaml") return yaml_quote(text);
  if (filter == "caddy") return caddy_quote(text);
  if (filter == "ini") return ini_quote(text);
  if (filter == "b64encode") return base64_encode(text);
  return Error("quote.unknown-filter", fmt::format("'{}' is not a quoting filter", filter),
               "use shell, systemd, yaml, caddy, ini or b64encode");
}

}  // namespace sentinel
