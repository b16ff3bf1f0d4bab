// SPDX-License-Identifier: Apache-2.0
// The types a scalar of a project or playbook can have: what they accept, how that is said to people and to editors,
// and the readers of their values. One table; docs/reference names these types.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/config/yaml.h"

namespace sentinel {

struct ScalarType {
  std::string_view name;      ///< "duration"
  std::string_view expected;  ///< "a duration such as 300s, 24h or 15d"
  bool (*accepts)(const Node& node);
  std::string_view pattern;  ///< for editors: a regular expression of the text; empty: any text
  std::string_view
      json_type;  ///< "string", "integer", "boolean", "number"; a plain scalar of that type is accepted too
};

/// Null for a name that is no scalar type.
const ScalarType* find_scalar_type(std::string_view name);
std::vector<std::string> scalar_type_names();

/// @name Readers
/// Errors have the code `schema.value` and no position.
/// @{

/// "0644", "644", "1777": always octal, three or four digits.
Result<std::uint32_t> parse_mode(std::string_view text);
/// "300s", "5m", "24h", "15d", in seconds. A number needs its unit.
Result<std::uint32_t> parse_duration(std::string_view text);
/// "256mb", "1gb", "512kb", in bytes; the units are powers of 1024.
Result<std::uint64_t> parse_size(std::string_view text);
Result<std::uint16_t> parse_port(std::string_view text);

struct PortSpec {
  std::string port;      ///< "22" or a range "6000:6007"
  std::string protocol;  ///< tcp, udp or any
};

/// "22/tcp", "6000:6007/udp", "443" (tcp), "53/any".
Result<PortSpec> parse_port_spec(std::string_view text);
/// Plain true or false.
bool parse_bool(const Node& node);
/// Of a node whose type `int` was checked.
std::int64_t parse_int(const Node& node);
/// @}

bool is_host_name(std::string_view text);
bool is_ip_address(std::string_view text);
/// An address or "address/bits".
bool is_network(std::string_view text);
/// A file name without directory: letters, digits, `.`, `_`, `-`, `@`, `+`, `:`; not starting with `.` or `-`.
bool is_plain_name(std::string_view text);
/// Absolute, without `..`, `.` or empty components, control characters or a trailing slash (but "/" itself).
bool is_absolute_path(std::string_view text);

}  // namespace sentinel
