// SPDX-License-Identifier: Apache-2.0
// Escaping rules: POSIX shell quoting; systemd.syntax(7) and systemd.service(5); YAML 1.2 section 5.7; Caddy's lexer
// and replacer (2.6); Python's configparser with fail2ban's inline comments. Each is tried against its real reader in
// tests/table/quote and, on real hosts, tests/e2e/quoting_test.py.
#include "core/base/quote.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/digest.h"
#include "core/base/utf8.h"

namespace sentinel {
namespace {

constexpr std::string_view kFilters[] = {"shell", "systemd", "systemd_exec", "yaml", "caddy", "ini", "b64encode"};

Error not_expressible(std::string message) {
  return Error("quote.not-expressible", std::move(message));
}

std::string systemd_word(std::string_view text, bool double_dollar) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '%': out += "%%"; break;
      case '$': out += double_dollar ? "$$" : "$"; break;
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

/// Code points that Unicode reserves for internal use; systemd ignores lines that hold one, even escaped.
bool holds_noncharacter(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const char32_t code = next_code_point(text, i);
    if ((code & 0xFFFE) == 0xFFFE || (code >= 0xFDD0 && code <= 0xFDEF)) return true;
  }
  return false;
}

/// A backslash run of odd length in front of a quote or the end would swallow the quote.
bool odd_backslashes_before_quote(std::string_view text) {
  std::size_t run = 0;
  for (const char c : text) {
    if (c == '"' && run % 2 == 1) return true;
    run = c == '\\' ? run + 1 : 0;
  }
  return run % 2 == 1;
}

}  // namespace

std::string shell_quote(std::string_view text) {
  static constexpr std::string_view kSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";
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
  return systemd_word(text, false);
}

std::string systemd_exec_quote(std::string_view text) {
  return systemd_word(text, true);
}

std::string yaml_quote(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    const char32_t code = next_code_point(text, i);
    // Line breaks of YAML 1.1, and what YAML doesn't count as printable.
    const bool hidden = (code >= 0x7F && code <= 0x9F) || code == 0x2028 || code == 0x2029 || code == 0xFEFF ||
                        code == 0xFFFE || code == 0xFFFF;
    if (code == U'"' || code == U'\\') {
      out += '\\';
      out += static_cast<char>(code);
    } else if (code == U'\n') {
      out += "\\n";
    } else if (code == U'\t') {
      out += "\\t";
    } else if (code == U'\r') {
      out += "\\r";
    } else if (code < 0x20 || (hidden && code < 0x100)) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(code));
    } else if (hidden) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(code));
    } else {
      out += text.substr(begin, i - begin);
    }
  }
  return out + "\"";
}

Result<std::string> caddy_quote(std::string_view text) {
  // Caddy puts environment variables in before it reads quotes, so nothing can protect this.
  if (text.find("{$") != std::string_view::npos) {
    return not_expressible(
        "a value with '{$' can't be written into a Caddyfile: Caddy would put an environment variable there");
  }
  // Caddy 2.6 closes a block at this token, quoted or not.
  if (text == "}")
    return not_expressible("the value '}' can't be written into a Caddyfile: Caddy would end a block there");
  // Without an opening brace Caddy's replacer returns the text as it is, escapes included.
  const bool placeholders = text.find('{') != std::string_view::npos;
  std::string escaped;
  for (const char c : text) {
    if (placeholders && (c == '{' || c == '}')) escaped += '\\';
    escaped += c;
  }
  // In double quotes Caddy unescapes only \"; any other backslash stays.
  if (!odd_backslashes_before_quote(escaped)) {
    std::string out = "\"";
    for (const char c : escaped) {
      if (c == '"') out += '\\';
      out += c;
    }
    return out + "\"";
  }
  if (escaped.find('`') == std::string::npos) return "`" + escaped + "`";
  return not_expressible("a value with a back-quote and a backslash before a quote can't be written into a Caddyfile");
}

Result<std::string> ini_quote(std::string_view text) {
  static constexpr std::string_view kSpaces = " \t\n\r\v\f\x1c\x1d\x1e\x1f";
  if (text.find_first_of("\n\r") != std::string_view::npos) {
    return not_expressible("a value with a line break can't be written into an INI file");
  }
  if (!text.empty()) {
    std::size_t last = text.size() - 1;
    while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xC0U) == 0x80U) --last;
    std::size_t first = 0;
    const char32_t ends[] = {next_code_point(text, first), next_code_point(text, last)};
    for (const char32_t code : ends) {
      const bool space = (code < 0x80 && kSpaces.find(static_cast<char>(code)) != std::string_view::npos) ||
                         code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
                         code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
      if (space) return not_expressible("a value that begins or ends with a space can't be written into an INI file");
    }
  }
  std::string out;
  bool behind_space = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ';' && behind_space) {
      return not_expressible(
          "a value with ';' at the start or behind a space can't be written into an INI file: a comment would begin "
          "there");
    }
    // Bytes beyond ASCII count as possible spaces: refusing a rare value is better than cutting it.
    behind_space = kSpaces.find(c) != std::string_view::npos || static_cast<unsigned char>(c) >= 0x80;
    if (c == '%') out += '%';
    out += c;
  }
  return out;
}

bool is_quoting_filter(std::string_view name) {
  return std::find(std::begin(kFilters), std::end(kFilters), name) != std::end(kFilters);
}

Result<std::string> apply_quoting(std::string_view filter, std::string_view text) {
  if (filter == "b64encode") return base64_encode(text);
  if (!is_quoting_filter(filter)) {
    return Error("quote.unknown-filter", fmt::format("'{}' is not a quoting filter", filter),
                 "use shell, systemd, systemd_exec, yaml, caddy, ini or b64encode");
  }
  const bool bytes = filter == "shell";
  if ((text.find('\0') != std::string_view::npos && filter != "yaml") ||
      (!bytes && invalid_utf8(text) != std::string_view::npos)) {
    return Error("quote.not-text", fmt::format("the filter '{}' wants UTF-8 text without NUL", filter),
                 "use b64encode for arbitrary bytes");
  }
  if (bytes) return shell_quote(text);
  if (filter.starts_with("systemd") && holds_noncharacter(text)) {
    return not_expressible("a value with a noncharacter of Unicode can't be written into a unit");
  }
  if (filter == "systemd") return systemd_quote(text);
  if (filter == "systemd_exec") return systemd_exec_quote(text);
  if (filter == "yaml") return yaml_quote(text);
  if (filter == "caddy") return caddy_quote(text);
  return ini_quote(text);
}

}  // namespace sentinel
