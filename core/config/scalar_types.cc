// SPDX-License-Identifier: Apache-2.0
// Text in, meaning out; no locale, no partial matches.
#include "core/config/scalar_types.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace sentinel {
namespace {

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

bool is_alphanumeric(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool all_of(std::string_view text, std::string_view further) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_alphanumeric(c) || further.find(c) != std::string_view::npos; });
}

std::optional<std::uint64_t> digits(std::string_view text) {
  std::uint64_t out = 0;
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return {};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), out);
  if (result.ec != std::errc()) return {};
  return out;
}

Error value_error(std::string message) {
  return Error("schema.value", std::move(message), {}, ExitCode::kUsage);
}

std::optional<std::int64_t> integer_of(const Node& node) {
  const Value value = to_value(node);
  if (!value.is_number_integer()) return {};
  return value.get<std::int64_t>();
}

bool is_date(std::string_view text) {
  constexpr std::array<unsigned, 12> kDays{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  const auto year = digits(text.substr(0, 4));
  const auto month = digits(text.substr(5, 2));
  const auto day = digits(text.substr(8, 2));
  if (!year || !month || !day || *month < 1 || *month > 12 || *day < 1 || *day > kDays[*month - 1]) return false;
  const bool leap = (*year % 4 == 0 && *year % 100 != 0) || *year % 400 == 0;
  return *month != 2 || *day != 29 || leap;
}

bool is_user_name(std::string_view text) {
  if (text.empty() || text.size() > 32 || !(is_lower(text[0]) || text[0] == '_')) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; });
}

bool is_owner(std::string_view text) {
  return is_user_name(text) || digits(text).value_or(1ULL << 32) < (1ULL << 32);
}

bool is_percent(std::string_view text) {
  if (!text.ends_with('%')) return false;
  const auto number = digits(text.substr(0, text.size() - 1));
  return number && *number <= 100;
}

bool is_relative_path(std::string_view text) {
  if (text.empty() || text.starts_with('/')) return false;
  return is_absolute_path("/" + std::string(text));
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 64 && is_alphanumeric(text[0]) && all_of(text, "._-");
}

bool is_identifier(std::string_view text) {
  return !text.empty() && !(text[0] >= '0' && text[0] <= '9') && all_of(text, "_");
}

bool is_one_line(std::string_view text) {
  return text.find_first_of("\r\n") == std::string_view::npos;
}

using Accepts = bool (*)(const Node&);

/// A check of the text alone, whatever way it is written.
template <bool (*Check)(std::string_view)>
bool text_is(const Node& node) {
  return node.is_scalar() && Check(node.text);
}

template <auto Parse>
bool parses(const Node& node) {
  return node.is_scalar() && Parse(node.text).ok();
}

const std::array<ScalarType, 27> kTypes{{
    {"string", "a text on one line", text_is<is_one_line>, "", "string"},
    {"text", "a text", [](const Node& node) { return node.is_scalar(); }, "", "string"},
    {"any", "any value", [](const Node&) { return true; }, "", ""},
    {"bool", "true or false", [](const Node& node) { return to_value(node).is_boolean(); }, "", "boolean"},
    {"int", "a whole number", [](const Node& node) { return integer_of(node).has_value(); }, "", "integer"},
    {"path", "an absolute path", text_is<is_absolute_path>, "^/", "string"},
    {"relative_path", "a path inside the project, without '..'", text_is<is_relative_path>, "^[^/]", "string"},
    {"name", "a name (letters, digits, '.', '_', '-'; a letter or digit first)", text_is<is_word>,
     "^[A-Za-z0-9][A-Za-z0-9._-]*$", "string"},
    {"file_name", "a file name without a directory", text_is<is_plain_name>, "^[A-Za-z0-9_@+:][A-Za-z0-9._@+:-]*$",
     "string"},
    {"user_name", "a user or group name (lower-case letters, digits, '_', '-')", text_is<is_user_name>,
     "^[a-z_][a-z0-9_-]*$", "string"},
    {"owner", "a user or group name, or its number", text_is<is_owner>, "^([a-z_][a-z0-9_-]*|[0-9]+)$", "string"},
    {"mode", "file permissions in octal, such as 0644 or \"0600\"", parses<parse_mode>, "^[0-7]{3,4}$", "string"},
    {"duration", "a duration with its unit, such as 300s, 5m, 24h or 15d", parses<parse_duration>, "^[0-9]+[smhd]$",
     "string"},
    {"size", "a size with its unit, such as 256mb or 1gb", parses<parse_size>, "^[0-9]+(b|kb|mb|gb)$", "string"},
    {"port", "a port from 1 to 65535", parses<parse_port>, "^[0-9]+$", "integer"},
    {"port_spec", "a port such as 22/tcp, 443 or 6000:6007/udp", parses<parse_port_spec>,
     "^[0-9]+(:[0-9]+)?(/(tcp|udp|any))?$", "string"},
    {"address", "a host name or an IP address",
     [](const Node& node) { return node.is_scalar() && (is_host_name(node.text) || is_ip_address(node.text)); },
     "^[A-Za-z0-9:][A-Za-z0-9.:-]*$", "string"},
    {"network", "an IP address or a network such as 192.0.2.0/24", text_is<is_network>, "^[0-9A-Fa-f:.]+(/[0-9]+)?$",
     "string"},
    {"source_network", "an IP address, a network such as 192.0.2.0/24, or any",
     [](const Node& node) { return node.is_scalar() && (node.text == "any" || is_network(node.text)); },
     "^(any|[0-9A-Fa-f:.]+(/[0-9]+)?)$", "string"},
    {"percent", "a percentage such as 1%", text_is<is_percent>, "^[0-9]+%$", "string"},
    {"date", "a date such as 2027-01-31", text_is<is_date>, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "string"},
    {"expression", "an expression, such as facts.os_id == 'debian'", [](const Node& node) { return node.is_scalar(); },
     "", "string"},
    {"host_key", "a public key such as ssh-ed25519 AAAA...",
     [](const Node& node) {
       return node.is_scalar() && is_one_line(node.text) &&
              (node.text.starts_with("ssh-") || node.text.starts_with("ecdsa-") || node.text.starts_with("sk-")) &&
              node.text.find(' ') != std::string::npos;
     },
     "^(ssh|ecdsa|sk)-[^ ]+ .+", "string"},
    {"unit", "a systemd unit with its suffix, such as caddy.service",
     [](const Node& node) {
       return node.is_scalar() && is_plain_name(node.text) && node.text.find('.') != std::string::npos;
     },
     "^[A-Za-z0-9_@:.-]+\\.[a-z]+$", "string"},
    {"variable_name", "an environment variable's name", text_is<is_identifier>, "^[A-Za-z_][A-Za-z0-9_]*$", "string"},
    {"variable", "a name that templates can use (letters, digits, '_'; no digit first)", text_is<is_identifier>,
     "^[A-Za-z_][A-Za-z0-9_]*$", "string"},
    {"sysctl_key", "a dotted kernel parameter, such as net.ipv4.ip_forward",
     [](const Node& node) {
       return node.is_scalar() && node.text.find('.') != std::string::npos && all_of(node.text, "._-/");
     },
     "^[A-Za-z0-9_-]+([./][A-Za-z0-9_-]+)+$", "string"},
}};

}  // namespace

const ScalarType* find_scalar_type(std::string_view name) {
  const auto found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const ScalarType& type) { return type.name == name; });
  return found == kTypes.end() ? nullptr : &*found;
}

std::vector<std::string> scalar_type_names() {
  std::vector<std::string> out;
  for (const auto& type : kTypes) out.emplace_back(type.name);
  return out;
}

Result<std::uint32_t> parse_mode(std::string_view text) {
  const bool octal = text.find_first_not_of("01234567") == std::string_view::npos;
  if (!octal || text.size() < 3 || text.size() > 4) return value_error(fmt::format("'{}' is not an octal mode", text));
  std::uint32_t out = 0;
  for (const char c : text) out = out * 8 + static_cast<std::uint32_t>(c - '0');
  return out;
}

Result<std::uint32_t> parse_duration(std::string_view text) {
  const std::string_view unit = text.empty() ? text : text.substr(text.size() - 1);
  const std::uint64_t factor = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : unit == "d" ? 86400 : 0;
  const auto number = factor == 0 ? std::nullopt : digits(text.substr(0, text.size() - 1));
  if (!number || *number > std::numeric_limits<std::uint32_t>::max() / factor) {
    return value_error(fmt::format("'{}' is not a duration", text));
  }
  return static_cast<std::uint32_t>(*number * factor);
}

Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, unsigned>, 4> kUnits{{{"kb", 10}, {"mb", 20}, {"gb", 30}, {"b", 0}}};
  for (const auto& [unit, shift] : kUnits) {
    if (!text.ends_with(unit)) continue;
    const auto number = digits(text.substr(0, text.size() - unit.size()));
    if (number && *number < (1ULL << (60 - shift))) return *number << shift;
    break;
  }
  return value_error(fmt::format("'{}' is not a size", text));
}

Result<std::uint16_t> parse_port(std::string_view text) {
  const auto number = digits(text);
  if (!number || *number < 1 || *number > 65535) return value_error(fmt::format("'{}' is not a port", text));
  return static_cast<std::uint16_t>(*number);
}

Result<PortSpec> parse_port_spec(std::string_view text) {
  const auto slash = text.find('/');
  PortSpec out{std::string(text.substr(0, slash)),
               slash == std::string_view::npos ? "tcp" : std::string(text.substr(slash + 1))};
  if (out.protocol != "tcp" && out.protocol != "udp" && out.protocol != "any") {
    return value_error(fmt::format("'{}' is not a protocol: tcp, udp or any", out.protocol));
  }
  const auto colon = out.port.find(':');
  SENTINEL_TRY(const auto first, parse_port(std::string_view(out.port).substr(0, colon)));
  if (colon == std::string::npos) return out;
  SENTINEL_TRY(const auto last, parse_port(std::string_view(out.port).substr(colon + 1)));
  if (last <= first) return value_error(fmt::format("'{}' is an empty range of ports", out.port));
  if (out.protocol == "any") return value_error("a range of ports needs a protocol: tcp or udp");
  return out;
}

bool parse_bool(const Node& node) {
  const Value value = to_value(node);
  return value.is_boolean() && value.get<bool>();
}

std::int64_t parse_int(const Node& node) {
  return integer_of(node).value_or(0);
}

bool is_ip_address(std::string_view text) {
  const std::string copy(text);
  unsigned char buffer[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, copy.c_str(), buffer) == 1 || ::inet_pton(AF_INET6, copy.c_str(), buffer) == 1;
}

bool is_network(std::string_view text) {
  const auto slash = text.find('/');
  if (!is_ip_address(text.substr(0, slash))) return false;
  if (slash == std::string_view::npos) return true;
  const auto bits = digits(text.substr(slash + 1));
  return bits && *bits <= (text.find(':') == std::string_view::npos ? 32U : 128U);
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  bool only_digits = true;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto label = text.substr(begin, text.find('.', begin) - begin);
    if (label.empty() || label.size() > 63 || label.starts_with('-') || label.ends_with('-') || !all_of(label, "-_"))
      return false;
    only_digits = only_digits && digits(label).has_value();
    begin += label.size() + 1;
  }
  return !only_digits;
}

bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= 255 && text[0] != '.' && text[0] != '-' && all_of(text, "._-@+:\\");
}

bool is_absolute_path(std::string_view text) {
  if (!text.starts_with('/')) return false;
  if (text == "/") return true;
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return false;
  for (std::size_t begin = 1; begin <= text.size();) {
    const auto part = text.substr(begin, text.find('/', begin) - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin += part.size() + 1;
  }
  return true;
}

}  // namespace sentinel
