// SPDX-License-Identifier: Apache-2.0
// Canonical form: what iptables-save adds to a rule (match modules, defaults, masks) and what people write differently.
#include "core/resources/netfilter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/resources/prefix.h"

namespace sentinel {
namespace {

struct Token {
  std::string text;
  bool quoted = false;
};

std::vector<Token> tokens_of(std::string_view rule) {
  std::vector<Token> out;
  std::size_t i = 0;
  while (i < rule.size()) {
    if (rule[i] == ' ' || rule[i] == '\t') {
      ++i;
      continue;
    }
    Token token;
    bool inside = false;
    for (; i < rule.size() && (inside || (rule[i] != ' ' && rule[i] != '\t')); ++i) {
      if (rule[i] == '"') {
        inside = !inside;
        token.quoted = true;
      } else if (rule[i] == '\\' && inside && i + 1 < rule.size()) {
        token.text += rule[++i];
      } else {
        token.text += rule[i];
      }
    }
    out.push_back(std::move(token));
  }
  return out;
}

using Names = std::array<std::pair<std::string_view, std::string_view>, 14>;

constexpr Names kOptionAliases{{{"--protocol", "-p"},
                                {"--proto", "-p"},
                                {"--source", "-s"},
                                {"--src", "-s"},
                                {"--destination", "-d"},
                                {"--dst", "-d"},
                                {"--jump", "-j"},
                                {"--in-interface", "-i"},
                                {"--out-interface", "-o"},
                                {"--destination-port", "--dport"},
                                {"--source-port", "--sport"},
                                {"--destination-ports", "--dports"},
                                {"--source-ports", "--sports"},
                                {"--state", "--ctstate"}}};

/// iptables-save knows some names itself and asks /etc/protocols for others, which may not be there.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kProtocols{{{"1", "icmp"},
                                                                                   {"2", "igmp"},
                                                                                   {"6", "tcp"},
                                                                                   {"17", "udp"},
                                                                                   {"41", "ipv6"},
                                                                                   {"47", "gre"},
                                                                                   {"50", "esp"},
                                                                                   {"51", "ah"},
                                                                                   {"58", "icmpv6"}}};

/// Types of ICMP (RFC 792) and ICMPv6 (RFC 4443, 4861) by the names ufw's files use; the kernel's are told as numbers.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kIcmpTypes{{{"echo-reply", "0"},
                                                                                   {"destination-unreachable", "3"},
                                                                                   {"echo-request", "8"},
                                                                                   {"time-exceeded", "11"},
                                                                                   {"parameter-problem", "12"}}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kIcmp6Types{
    {{"destination-unreachable", "1"},
     {"packet-too-big", "2"},
     {"time-exceeded", "3"},
     {"parameter-problem", "4"},
     {"echo-request", "128"},
     {"echo-reply", "129"},
     {"router-solicitation", "133"},
     {"router-advertisement", "134"},
     {"neighbor-solicitation", "135"},
     {"neighbor-advertisement", "136"}}};

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string canonical_protocol(const std::string& text) {
  const std::string name = lower(text);
  for (const auto& [number, known] : kProtocols) {
    if (name == number) return std::string(known);
  }
  return name == "ipv6-icmp" ? "icmpv6" : name;
}

std::string canonical_rate(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos || slash + 1 == text.size()) return text + "/s";
  return text.substr(0, slash + 2);
}

std::string canonical_states(const std::string& text) {
  std::vector<std::string> states;
  std::size_t begin = 0;
  for (;;) {
    const auto comma = text.find(',', begin);
    states.push_back(text.substr(begin, comma - begin));
    if (comma == std::string::npos) break;
    begin = comma + 1;
  }
  std::sort(states.begin(), states.end());
  return joined(states, ",");
}

template <typename Table>
std::string number_of(const Table& table, const std::string& text) {
  for (const auto& [name, number] : table) {
    if (text == name) return std::string(number);
  }
  return text;
}

/// An option with its values in canonical form; empty: it says nothing.
std::string canonical_option(std::string name, std::vector<std::string> values, bool negated) {
  for (const auto& [alias, plain] : kOptionAliases) {
    if (name == alias) name = plain;
  }
  const std::string first = values.empty() ? "" : values.front();
  if (name == "-m" || name == "--match" || name == "--comment" || name == "--mask" || name == "--rsource") return "";
  if (name == "--name" && first == "DEFAULT") return "";
  if (name == "--limit-burst" && first == "5") return "";
  if (name == "--reject-with" && (first == "icmp-port-unreachable" || first == "icmp6-port-unreachable")) return "";
  if (name == "-p") {
    values = {canonical_protocol(first)};
    if (values[0] == "all" || values[0] == "0") return "";
  }
  if (name == "-s" || name == "-d") {
    const auto prefix = Prefix::parse(first);
    if (prefix && prefix->is_everything() && !negated) return "";
    if (prefix) values = {prefix->to_string()};
  }
  if (name == "--icmp-type") values = {number_of(kIcmpTypes, first)};
  if (name == "--icmpv6-type") values = {number_of(kIcmp6Types, first)};
  if (name == "--limit") values = {canonical_rate(first)};
  if (name == "--ctstate") values = {canonical_states(first)};
  values.insert(values.begin(), name);
  return (negated ? "! " : "") + joined(values, " ");
}

}  // namespace

std::string to_string(Family family) {
  return family == Family::kV4 ? "IPv4" : "IPv6";
}

const FilterChain* FilterTable::find(const std::string& chain) const {
  const auto found = chains.find(chain);
  return found == chains.end() ? nullptr : &found->second;
}

std::vector<std::string> FilterTable::plain_jumps(const std::string& chain) const {
  std::vector<std::string> out;
  const auto* found = find(chain);
  if (found == nullptr) return out;
  for (const auto& rule : found->rules) {
    if (rule.rfind("-j ", 0) == 0 && rule.find(' ', 3) == std::string::npos) out.push_back(rule.substr(3));
  }
  return out;
}

Result<std::map<std::string, FilterTable>> parse_saved_tables(std::string_view output) {
  std::map<std::string, FilterTable> tables;
  FilterTable* table = nullptr;
  std::size_t number = 0;
  while (!output.empty()) {
    const auto end = output.find('\n');
    const auto line = output.substr(0, end);
    output.remove_prefix(end == std::string_view::npos ? output.size() : end + 1);
    ++number;
    if (line.empty() || line[0] == '#' || line == "COMMIT") continue;
    const Error malformed("netfilter.malformed",
                          fmt::format("line {} of the saved rules can't be read: {}", number, line));
    if (line[0] == '*') {
      table = &tables[std::string(line.substr(1))];
      continue;
    }
    const auto space = line.find(' ');
    if (space == std::string_view::npos || table == nullptr) return malformed;
    if (line[0] == ':') {
      const auto rest = line.substr(space + 1);
      table->chains[std::string(line.substr(1, space - 1))].policy = std::string(rest.substr(0, rest.find(' ')));
    } else if (line.substr(0, space) == "-A") {
      const auto rest = line.substr(space + 1);
      const auto name_end = rest.find(' ');
      const auto chain = table->chains.find(std::string(rest.substr(0, name_end)));
      if (chain == table->chains.end()) return malformed;
      chain->second.rules.emplace_back(name_end == std::string_view::npos ? "" : rest.substr(name_end + 1));
    } else {
      return malformed;
    }
  }
  return tables;
}

Result<FilterTable> parse_filter_table(std::string_view output) {
  SENTINEL_TRY(auto tables, parse_saved_tables(output));
  return std::move(tables["filter"]);
}

Result<std::optional<FilterTable>> read_filter_table(Family family, Reader& machine) {
  CommandLine command;
  command.argv = {family == Family::kV4 ? "iptables-save" : "ip6tables-save", "-t", "filter"};
  SENTINEL_TRY(const auto result, machine.query(command));
  if (result.status != 0) return std::optional<FilterTable>();
  SENTINEL_TRY(auto table, parse_filter_table(result.output));
  return std::optional<FilterTable>(std::move(table));
}

Result<const FilterTables*> filter_tables(Look& look) {
  return look.shared<FilterTables>([&]() -> Result<FilterTables> {
    FilterTables tables;
    SENTINEL_TRY(tables.v4, read_filter_table(Family::kV4, look.machine()));
    SENTINEL_TRY(tables.v6, read_filter_table(Family::kV6, look.machine()));
    return tables;
  });
}

std::vector<std::string> split_rule(std::string_view rule) {
  std::vector<std::string> out;
  for (auto& token : tokens_of(rule)) out.push_back(std::move(token.text));
  return out;
}

std::string canonical_rule(std::string_view rule) {
  const auto tokens = tokens_of(rule);
  const auto is_option = [&](std::size_t i) {
    return !tokens[i].quoted && tokens[i].text.size() > 1 && tokens[i].text[0] == '-';
  };
  std::vector<std::string> options;
  bool negated = false;
  for (std::size_t i = 0; i < tokens.size();) {
    if (tokens[i].text == "!" && !tokens[i].quoted) {
      negated = true;
      ++i;
      continue;
    }
    const std::string name = tokens[i++].text;
    std::vector<std::string> values;
    while (i < tokens.size() && !is_option(i) && (tokens[i].text != "!" || tokens[i].quoted)) {
      values.push_back(tokens[i++].text);
    }
    auto option = canonical_option(name, std::move(values), negated);
    if (!option.empty()) options.push_back(std::move(option));
    negated = false;
  }
  std::sort(options.begin(), options.end());
  return joined(options, " ");
}

}  // namespace sentinel
