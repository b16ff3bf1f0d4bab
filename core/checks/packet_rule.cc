// SPDX-License-Identifier: Apache-2.0
// Options as iptables-extensions(8) describes them. Limits count as not yet used up, and the source as never seen
// before: that is the world's first packet.
#include "core/checks/packet_rule.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace sentinel {
namespace {

struct Option {
  std::string name;
  std::vector<std::string> values;
  bool negated = false;

  std::string first() const { return values.empty() ? "" : values.front(); }
};

/// Options whose value may look like an option.
bool takes_any_text(const std::string& name) {
  static const std::set<std::string> kNames = {"--comment", "--log-prefix", "--nflog-prefix", "--string",
                                               "--hex-string"};
  return kNames.contains(name);
}

std::vector<Option> options_of(const std::string& text) {
  const auto words = split_rule(text);
  std::vector<Option> out;
  bool negated = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    if (word == "!") {
      negated = true;
    } else if (word.size() > 1 && word[0] == '-') {
      out.push_back({word, {}, negated});
      negated = false;
      if (takes_any_text(word) && i + 1 < words.size()) out.back().values.push_back(words[++i]);
    } else if (!out.empty()) {
      out.back().values.push_back(word);
    }
  }
  return out;
}

std::vector<std::string> comma_separated(const std::string& text) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  for (;;) {
    const auto comma = text.find(',', begin);
    out.push_back(text.substr(begin, comma - begin));
    if (comma == std::string::npos) return out;
    begin = comma + 1;
  }
}

std::vector<PortRange> port_ranges(const std::string& text) {
  std::vector<PortRange> out;
  for (const auto& each : comma_separated(text)) {
    if (const auto range = parse_port_range(each)) out.push_back(*range);
  }
  return out;
}

bool contains(const std::vector<PortRange>& ranges, std::uint16_t port) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const PortRange& r) { return r.first <= port && port <= r.second; });
}

bool interface_matches(const std::string& pattern, const std::string& name) {
  if (!pattern.empty() && pattern.back() == '+')
    return !name.empty() && name.rfind(pattern.substr(0, pattern.size() - 1), 0) == 0;
  return pattern == name;
}

bool protocol_matches(const std::string& wanted, const std::string& protocol) {
  if (wanted == "all" || wanted == "0") return true;
  if (wanted == "6") return protocol == "tcp";
  if (wanted == "17") return protocol == "udp";
  return wanted == protocol;
}

bool has_state(const Packet& packet, const std::string& state) {
  if (state == "NEW") return packet.state == PacketState::kNew;
  if (state == "ESTABLISHED") return packet.state == PacketState::kEstablished;
  return state == "DNAT" && packet.translated;
}

/// `--tcp-flags MASK SET`: of the flags in MASK exactly those in SET.
bool flags_match(const Packet& packet, const std::string& mask, const std::string& set) {
  std::set<std::string> flags = {"SYN"};
  if (packet.state == PacketState::kEstablished) flags.insert("ACK");
  const auto wanted = comma_separated(set);
  auto asked = comma_separated(mask);
  if (mask == "ALL") asked = {"SYN", "ACK", "FIN", "RST", "URG", "PSH"};
  return std::all_of(asked.begin(), asked.end(), [&](const std::string& flag) {
    const bool should = set == "ALL" || std::find(wanted.begin(), wanted.end(), flag) != wanted.end();
    return should == flags.contains(flag);
  });
}

bool address_type_matches(const Packet& packet, const std::string& types, bool of_source) {
  const auto wanted = comma_separated(types);
  const auto wants = [&](const char* type) { return std::find(wanted.begin(), wanted.end(), type) != wanted.end(); };
  const bool local = of_source ? packet.in.empty() : packet.destination_is_local;
  return local ? wants("LOCAL") : wants("UNICAST");
}

bool in_range(const Prefix& address, const std::string& range) {
  const auto dash = range.find('-');
  const auto from = Prefix::parse(range.substr(0, dash));
  const auto to = dash == std::string::npos ? from : Prefix::parse(range.substr(dash + 1));
  return from && to && address.v6 == from->v6 && from->bytes <= address.bytes && address.bytes <= to->bytes;
}

/// What an option asks of a packet; an empty function: nothing.
using Condition = std::function<Match(const Packet&)>;

Condition when(std::function<bool(const Packet&)> holds) {
  return [holds = std::move(holds)](const Packet& packet) { return holds(packet) ? Match::kYes : Match::kNo; };
}

Condition always(Match answer) {
  return [answer](const Packet&) { return answer; };
}

bool says_nothing(const std::string& name) {
  static const std::set<std::string> kNames = {
      "--comment",        "--limit",           "--limit-burst",     "--seconds",        "--hitcount",      "--name",
      "--mask",           "--rsource",         "--rdest",           "--reap",           "--rttl",          "--set",
      "--connlimit-mask", "--connlimit-saddr", "--connlimit-daddr", "--connlimit-upto", "--limit-iface-in"};
  return kNames.contains(name) || (name.rfind("--hashlimit-", 0) == 0 && name != "--hashlimit-above");
}

/// Matches no first packet from the world has, whatever their value: routing headers, fragments, a bridge's ports, more
/// connections than a limit, the wrong interface for its source.
bool never_holds(const std::string& name) {
  static const std::set<std::string> kNames = {"-f",
                                               "--fragment",
                                               "--invert",
                                               "--hashlimit-above",
                                               "--connlimit-above",
                                               "--physdev-is-bridged",
                                               "--physdev-is-in",
                                               "--physdev-is-out"};
  return kNames.contains(name) || name.rfind("--rt-", 0) == 0 || name.rfind("--frag", 0) == 0;
}

Condition connection_condition(const std::string& name, const std::string& value) {
  if (name == "--ctstate" || name == "--state") {
    return when([states = comma_separated(value)](const Packet& packet) {
      return std::any_of(states.begin(), states.end(),
                         [&](const std::string& state) { return has_state(packet, state); });
    });
  }
  if (name == "--ctdir") {
    return when([value](const Packet& packet) { return (value == "ORIGINAL") == (packet.state == PacketState::kNew); });
  }
  if (name == "--ctorigdstport") {
    return when([ranges = port_ranges(value)](const Packet& packet) { return contains(ranges, packet.asked_port); });
  }
  if (name == "--ctorigdst") {
    if (const auto prefix = Prefix::parse(value)) {
      return when([prefix](const Packet& packet) { return prefix->overlaps(packet.asked_destination); });
    }
  }
  return always(Match::kMaybe);
}

Condition address_condition(const Option& option, PacketRule& rule) {
  const bool of_source = option.name == "-s";
  std::vector<Prefix> prefixes;
  for (const auto& each : comma_separated(option.first())) {
    const auto prefix = Prefix::parse(each);
    if (!prefix) return always(Match::kMaybe);  // a mask that is no prefix
    prefixes.push_back(*prefix);
  }
  if (of_source) rule.sources.insert(rule.sources.end(), prefixes.begin(), prefixes.end());
  return when([prefixes, of_source](const Packet& packet) {
    const auto& address = of_source ? packet.source : packet.destination;
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](const Prefix& prefix) { return prefix.overlaps(address); });
  });
}

Condition port_condition(const Option& option, PacketRule& rule) {
  const auto ranges = port_ranges(option.first());
  const bool of_source = option.name == "--sport" || option.name == "--sports";
  const bool either = option.name == "--ports";
  if (of_source || either) rule.source_ports.insert(rule.source_ports.end(), ranges.begin(), ranges.end());
  if (!of_source) rule.destination_ports.insert(rule.destination_ports.end(), ranges.begin(), ranges.end());
  return when([ranges, of_source, either](const Packet& packet) {
    if (either) return contains(ranges, packet.source_port) || contains(ranges, packet.destination_port);
    return contains(ranges, of_source ? packet.source_port : packet.destination_port);
  });
}

/// A list of `recent` that this rule asks: empty for who comes first. What the same packet was just put into counts as
/// one.
Condition recent_condition(const std::vector<Option>& all) {
  for (const auto& option : all) {
    if (option.name == "--hitcount") return always(option.first() == "1" ? Match::kMaybe : Match::kNo);
  }
  return always(Match::kMaybe);
}

Condition condition_of(const Option& option, const std::vector<Option>& all, PacketRule& rule) {
  const auto& name = option.name;
  const auto value = option.first();
  if (name == "-m") return value == "socket" ? always(Match::kMaybe) : nullptr;
  if (name == "-p") return when([value](const Packet& packet) { return protocol_matches(value, packet.protocol); });
  if (name == "-s" || name == "-d") return address_condition(option, rule);
  if (name == "-i") return when([value](const Packet& packet) { return interface_matches(value, packet.in); });
  if (name == "-o") return when([value](const Packet& packet) { return interface_matches(value, packet.out); });
  if (name == "--dport" || name == "--sport" || name == "--dports" || name == "--sports" || name == "--ports") {
    return port_condition(option, rule);
  }
  if (name.rfind("--ct", 0) == 0 || name == "--state") return connection_condition(name, value);
  if (name == "--syn") return when([](const Packet& packet) { return packet.state == PacketState::kNew; });
  if (name == "--tcp-flags" && option.values.size() == 2) {
    return when([option](const Packet& packet) { return flags_match(packet, option.values[0], option.values[1]); });
  }
  if (name == "--dst-type" || name == "--src-type") {
    return when([value, of_source = name == "--src-type"](const Packet& packet) {
      return address_type_matches(packet, value, of_source);
    });
  }
  if (name == "--src-range") return when([value](const Packet& packet) { return in_range(packet.source, value); });
  if (name == "--dst-range") return when([value](const Packet& packet) { return in_range(packet.destination, value); });
  if (name == "--pkt-type") return always(value == "unicast" || value == "host" ? Match::kYes : Match::kNo);
  if (name == "--update" || name == "--rcheck" || name == "--remove") return recent_condition(all);
  if (never_holds(name)) return always(Match::kNo);
  return always(Match::kMaybe);
}

Condition negated(Condition condition) {
  return [condition = std::move(condition)](const Packet& packet) {
    const auto answer = condition(packet);
    if (answer == Match::kMaybe) return answer;
    return answer == Match::kYes ? Match::kNo : Match::kYes;
  };
}

}  // namespace

std::optional<PortRange> parse_port_range(std::string_view text) {
  const auto separator = text.find_first_of(":-");
  const auto number = [](std::string_view digits) -> std::optional<std::uint16_t> {
    std::uint16_t out = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    if (error != std::errc() || stop != digits.data() + digits.size()) return std::nullopt;
    return out;
  };
  const auto first = number(text.substr(0, separator));
  const auto last = separator == std::string_view::npos ? first : number(text.substr(separator + 1));
  if (!first || !last) return std::nullopt;
  return PortRange{*first, *last};
}

Match PacketRule::matches(const Packet& packet) const {
  auto answer = Match::kYes;
  for (const auto& condition : conditions) {
    const auto one = condition(packet);
    if (one == Match::kNo) return Match::kNo;
    if (one == Match::kMaybe) answer = Match::kMaybe;
  }
  return answer;
}

PacketRule read_packet_rule(const std::string& text) {
  PacketRule rule;
  rule.text = text;
  const auto options = options_of(text);
  for (const auto& option : options) {
    if (!rule.target.empty()) {  // the target's own options follow it
      if (option.name == "--to-destination" || option.name == "--to-ports") rule.to = option.first();
      continue;
    }
    if (option.name == "-j" || option.name == "-g") {
      rule.target = option.first();
      rule.goes_to = option.name == "-g";
    } else if (!says_nothing(option.name)) {
      auto condition = condition_of(option, options, rule);
      if (!condition) continue;
      rule.conditions.push_back(option.negated ? negated(std::move(condition)) : std::move(condition));
    }
  }
  return rule;
}

}  // namespace sentinel
