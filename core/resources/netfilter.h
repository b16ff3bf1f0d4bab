// SPDX-License-Identifier: Apache-2.0
// The kernel's packet filter as iptables-save and ip6tables-save print it; the nft and the legacy back ends print the
// same. Rules compare in a canonical form, because what is loaded ("--dport 22") is not what is printed ("-m tcp
// --dport 22").
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/resources/look.h"
#include "core/system/reader.h"

namespace sentinel {

enum class Family { kV4, kV6 };

/// "IPv4", "IPv6"
std::string to_string(Family family);

struct FilterChain {
  std::string policy;              ///< ACCEPT or DROP for a built-in chain, "-" otherwise
  std::vector<std::string> rules;  ///< in order; the text after "-A CHAIN "

  bool operator==(const FilterChain&) const = default;
};

/// One table of one family.
struct FilterTable {
  std::map<std::string, FilterChain> chains;

  const FilterChain* find(const std::string& chain) const;
  /// Where the rules of `chain` jump to ("-j TARGET" and nothing else), in order.
  std::vector<std::string> plain_jumps(const std::string& chain) const;
};

/// Output of iptables-save: its tables by name. `netfilter.malformed` with the line.
Result<std::map<std::string, FilterTable>> parse_saved_tables(std::string_view output);
/// The same, only table filter; empty when it isn't there.
Result<FilterTable> parse_filter_table(std::string_view output);

/// Asks the kernel. Nothing when the family or the program isn't there.
Result<std::optional<FilterTable>> read_filter_table(Family family, Reader& machine);

struct FilterTables {
  std::optional<FilterTable> v4;
  std::optional<FilterTable> v6;
};

/// Both families, read once per Look.
Result<const FilterTables*> filter_tables(Look& look);

/// One rule's options in a form in which equal rules are equal texts: module names, defaults and option order gone,
/// addresses and rates in one notation, comments dropped.
std::string canonical_rule(std::string_view rule);

/// Splits as iptables-restore does: blanks separate, double quotes hold together, a backslash takes the next character.
std::vector<std::string> split_rule(std::string_view rule);

}  // namespace sentinel
