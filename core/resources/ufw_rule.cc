// SPDX-License-Identifier: Apache-2.0
// ufw's tuple: action protocol dport dst sport src [dapp sapp] direction[_interface] [comment=hex].
#include "core/resources/ufw_rule.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/model/json_fields.h"
#include "core/resources/prefix.h"

namespace sentinel {
namespace {

constexpr const char* kAny = "any";

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  for (;;) {
    const auto end = text.find(separator, begin);
    const auto word = text.substr(begin, end - begin);
    if (!word.empty() || separator != ' ') out.emplace_back(word);
    if (end == std::string_view::npos) return out;
    begin = end + 1;
  }
}

std::string address_of(const std::string& text) {
  const auto prefix = Prefix::parse(text);
  if (!prefix) return text;
  return prefix->is_everything() ? kAny : prefix->to_string();
}

std::string application_of(std::string text) {
  if (text == "-") return "";
  for (std::size_t at = 0; (at = text.find("%20", at)) != std::string::npos;) text.replace(at, 3, " ");
  return text;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool decode_hex(std::string_view text, std::string& out) {
  if (text.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high * 16 + low);
  }
  return true;
}

/// "in", "out", "in_eth0", "out_eth1", "in_eth0!out_eth1"
bool take_direction(const std::string& text, UfwRule& rule) {
  rule.direction = text.rfind("out", 0) == 0 ? "out" : "in";
  for (const auto& part : split(text, '!')) {
    if (part.rfind("in_", 0) == 0) {
      rule.interface_in = part.substr(3);
    } else if (part.rfind("out_", 0) == 0) {
      rule.interface_out = part.substr(4);
    } else if (part != "in" && part != "out") {
      return false;
    }
  }
  return true;
}

bool take_action(const std::string& text, UfwRule& rule) {
  std::string action = text;
  if (action.rfind("route:", 0) == 0) {
    rule.routed = true;
    action = action.substr(6);
  }
  if (const auto underscore = action.find('_'); underscore != std::string::npos) {
    rule.log = action.substr(underscore + 1);
    action = action.substr(0, underscore);
  }
  rule.action = action;
  const bool known_log = rule.log.empty() || rule.log == "log" || rule.log == "log-all";
  return known_log && (action == "allow" || action == "deny" || action == "reject" || action == "limit");
}

struct PortRange {
  int first = 0;
  int last = 65535;
};

bool parse_port(std::string_view text, int& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

/// "any", "22", "80,443", "6000:6007"; nothing for other texts.
std::optional<std::vector<PortRange>> port_ranges(const std::string& text) {
  if (text == kAny) return std::vector<PortRange>{PortRange{}};
  std::vector<PortRange> out;
  for (const auto& part : split(text, ',')) {
    const auto colon = part.find(':');
    PortRange range;
    if (!parse_port(std::string_view(part).substr(0, colon), range.first)) return std::nullopt;
    range.last = range.first;
    if (colon != std::string::npos &&
        (!parse_port(std::string_view(part).substr(colon + 1), range.last) || range.last <= range.first)) {
      return std::nullopt;
    }
    out.push_back(range);
  }
  return out;
}

bool ports_overlap(const std::string& left, const std::string& right) {
  const auto a = port_ranges(left);
  const auto b = port_ranges(right);
  if (!a || !b) return true;
  return std::any_of(a->begin(), a->end(), [&](const PortRange& x) {
    return std::any_of(b->begin(), b->end(),
                       [&](const PortRange& y) { return x.first <= y.last && y.first <= x.last; });
  });
}

bool addresses_overlap(const std::string& left, const std::string& right) {
  const auto a = Prefix::parse(left);
  const auto b = Prefix::parse(right);
  return !a || !b || a->overlaps(*b);
}

bool names_overlap(const std::string& left, const std::string& right, const std::string& everything) {
  return left == everything || right == everything || left == right;
}

Error bad_rule(const FirewallRule& rule, const std::string& why) {
  return {"firewall.bad-rule",
          fmt::format("firewall rule '{} {}{}{}': {}", rule.action, rule.port.empty() ? kAny : rule.port,
                      rule.protocol == kAny ? "" : "/", rule.protocol == kAny ? "" : rule.protocol, why)};
}

std::string any_of(Families families) {
  if (families == Families::kBoth) return kAny;
  return families == Families::kV4 ? "0.0.0.0/0" : "::/0";
}

void add_end(std::vector<std::string>& words, const char* which, const std::string& address, const std::string& port,
             const std::string& application) {
  words.insert(words.end(), {which, address});
  if (!application.empty()) {
    words.insert(words.end(), {"app", application});
  } else if (port != kAny) {
    words.insert(words.end(), {"port", port});
  }
}

}  // namespace

SENTINEL_JSON_FIELDS(UfwRule, action, log, protocol, to, to_port, to_application, from, from_port, from_application,
                     direction, routed, interface_in, interface_out, comment)

bool UfwRule::same_traffic(const UfwRule& other) const {
  UfwRule twin = other;
  twin.action = action;
  twin.log = log;
  twin.comment = comment;
  return twin == *this;
}

bool UfwRule::overlaps(const UfwRule& other) const {
  if (routed != other.routed || direction != other.direction) return false;
  return names_overlap(protocol, other.protocol, kAny) && names_overlap(interface_in, other.interface_in, "") &&
         names_overlap(interface_out, other.interface_out, "") && ports_overlap(to_port, other.to_port) &&
         ports_overlap(from_port, other.from_port) && addresses_overlap(to, other.to) &&
         addresses_overlap(from, other.from);
}

Result<UfwRule> parse_ufw_tuple(std::string_view text) {
  const Error bad("ufw.bad-tuple", fmt::format("ufw's rule file has a rule we can't read: {}", text));
  UfwRule rule;
  if (const auto comment = text.find(" comment="); comment != std::string_view::npos) {
    auto hex = text.substr(comment + 9);
    while (!hex.empty() && (hex.back() == ' ' || hex.back() == '\r')) hex.remove_suffix(1);
    if (!decode_hex(hex, rule.comment)) return bad;
    text = text.substr(0, comment);
  }
  const auto words = split(text, ' ');
  if (words.size() < 6 || words.size() > 9 || !take_action(words[0], rule)) return bad;
  rule.protocol = words[1];
  rule.to_port = words[2];
  rule.to = address_of(words[3]);
  rule.from_port = words[4];
  rule.from = address_of(words[5]);
  if (words.size() >= 8) {
    rule.to_application = application_of(words[6]);
    rule.from_application = application_of(words[7]);
  }
  if (words.size() % 2 == 1 && !take_direction(words.back(), rule)) return bad;
  return rule;
}

Result<UfwRuleFile> parse_ufw_rules(std::string_view text) {
  static constexpr std::string_view kTuple = "### tuple ### ";
  UfwRuleFile out;
  bool inside = false;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.rfind(kTuple, 0) == 0) {
      SENTINEL_TRY(auto rule, parse_ufw_tuple(line.substr(kTuple.size())));
      out.rules.push_back(std::move(rule));
    }
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '*') inside = line == "*filter";
    if (!inside) continue;
    const auto name_end = line.find(' ');
    if (line[0] == ':') out.table.chains[std::string(line.substr(1, name_end - 1))].policy = "-";
    if (line.rfind("-A ", 0) != 0 && line.rfind("-I ", 0) != 0) continue;
    const auto rest = line.substr(3);
    const auto chain_end = rest.find(' ');
    auto& rules = out.table.chains[std::string(rest.substr(0, chain_end))].rules;
    const std::string rule(chain_end == std::string_view::npos ? "" : rest.substr(chain_end + 1));
    rules.insert(line[1] == 'I' ? rules.begin() : rules.end(), rule);
  }
  return out;
}

Result<UfwRule> to_ufw_rule(const FirewallRule& rule) {
  UfwRule out;
  out.action = rule.action;
  out.protocol = rule.protocol;
  out.to_port = rule.port.empty() ? kAny : rule.port;
  out.comment = rule.comment;
  if (rule.action != "allow" && rule.action != "deny" && rule.action != "reject" && rule.action != "limit") {
    return bad_rule(rule, "the action is one of allow, deny, reject, limit");
  }
  if (rule.protocol != "tcp" && rule.protocol != "udp" && rule.protocol != kAny) {
    return bad_rule(rule, "the protocol is one of tcp, udp, any");
  }
  if (!port_ranges(out.to_port)) return bad_rule(rule, "the port is a number, a range 6000:6007 or a list 80,443");
  if (rule.protocol == kAny && out.to_port.find_first_of(",:") != std::string::npos) {
    return bad_rule(rule, "several ports need a protocol, tcp or udp");
  }
  for (const char c : rule.comment) {
    if (c == '\'' || static_cast<unsigned char>(c) < 0x20)
      return bad_rule(rule, "ufw takes no ' and no control characters in comments");
  }
  if (rule.from == kAny) return out;
  const auto prefix = Prefix::parse(rule.from);
  if (!prefix) return bad_rule(rule, fmt::format("'{}' is not an address, a prefix or 'any'", rule.from));
  out.from = address_of(rule.from);
  return out;
}

std::optional<FirewallRule> to_firewall_rule(const UfwRule& rule, Families families) {
  FirewallRule out{rule.action, rule.to_port == kAny ? "" : rule.to_port, rule.protocol, rule.from, rule.comment};
  const auto back = to_ufw_rule(out);
  if (!back.ok() || !(*back == rule)) return std::nullopt;
  if (families_of(rule) == Families::kBoth) out.from = any_of(families);
  return out;
}

Families families_of(const FirewallRule& rule) {
  const auto prefix = Prefix::parse(rule.from);
  if (!prefix) return Families::kBoth;
  return prefix->v6 ? Families::kV6 : Families::kV4;
}

Families families_of(const UfwRule& rule) {
  for (const auto& address : {rule.from, rule.to}) {
    if (address == kAny) continue;
    if (const auto prefix = Prefix::parse(address)) return prefix->v6 ? Families::kV6 : Families::kV4;
  }
  // ufw's ipv4_only_protocols
  return rule.protocol == "ipv6" || rule.protocol == "igmp" ? Families::kV4 : Families::kBoth;
}

std::vector<std::string> ufw_words(const UfwRule& rule, Families families, bool with_comment) {
  std::vector<std::string> words{rule.action};
  const bool by_family = families != Families::kBoth && families_of(rule) == Families::kBoth;
  const bool simple = !by_family && !rule.routed && rule.from == kAny && rule.to == kAny && rule.from_port == kAny &&
                      rule.from_application.empty() && rule.interface_in.empty() && rule.interface_out.empty() &&
                      (rule.to_port != kAny || !rule.to_application.empty());
  if (!rule.interface_in.empty()) words.insert(words.end(), {"in", "on", rule.interface_in});
  if (!rule.interface_out.empty()) words.insert(words.end(), {"out", "on", rule.interface_out});
  if (rule.interface_in.empty() && rule.interface_out.empty() && rule.direction == "out") words.push_back("out");
  if (!rule.log.empty()) words.push_back(rule.log);
  if (simple) {
    if (!rule.to_application.empty()) {
      words.push_back(rule.to_application);
    } else {
      words.push_back(rule.protocol == kAny ? rule.to_port : rule.to_port + "/" + rule.protocol);
    }
  } else {
    add_end(words, "from", by_family && rule.from == kAny ? any_of(families) : rule.from, rule.from_port,
            rule.from_application);
    add_end(words, "to", rule.to, rule.to_port, rule.to_application);
    if (rule.protocol != kAny && rule.to_application.empty() && rule.from_application.empty()) {
      words.insert(words.end(), {"proto", rule.protocol});
    }
  }
  if (with_comment && !rule.comment.empty()) words.insert(words.end(), {"comment", rule.comment});
  return words;
}

std::string shown(const UfwRule& rule) {
  const auto words = ufw_words(rule, Families::kBoth, false);
  return fmt::format("{}{}{}", rule.routed ? "route " : "", fmt::join(words, " "),
                     rule.comment.empty() ? "" : fmt::format(" # {}", rule.comment));
}

}  // namespace sentinel
