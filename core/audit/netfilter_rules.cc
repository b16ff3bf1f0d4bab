// SPDX-License-Identifier: Apache-2.0
#include "core/audit/netfilter_rules.h"

#include <algorithm>
#include <set>

namespace sentinel {
namespace {

using nlohmann::json;

bool is_multicast(const std::string& destination) {
  return destination.starts_with("224.") || destination.starts_with("239.") || destination.starts_with("ff02::") ||
         destination.starts_with("ff05::");
}

void collect_accepts(const json& filter, const std::string& chain, std::set<std::string>& visited,
                     std::vector<ForeignAccept>& out) {
  if (!visited.insert(chain).second || !filter.contains(chain)) return;
  for (const auto& rule : filter.at(chain).at("rules")) {
    const auto text = rule.get<std::string>();
    const auto words = words_of_rule(text);
    auto target = option_of(words, "-j");
    if (target.empty()) target = option_of(words, "-g");
    if (target == "ACCEPT") {
      if (lets_clients_in(words)) out.push_back({chain, text});
    } else if (target.find("-user-") == std::string::npos) {
      collect_accepts(filter, target, visited, out);
    }
  }
}

}  // namespace

std::vector<std::string> words_of_rule(const std::string& rule) {
  std::vector<std::string> out;
  std::string word;
  bool quoted = false;
  bool any = false;
  for (std::size_t i = 0; i < rule.size(); ++i) {
    const char c = rule[i];
    if (c == '\\' && quoted && i + 1 < rule.size()) {
      word += rule[++i];
    } else if (c == '"') {
      quoted = !quoted;
      any = true;
    } else if (c == ' ' && !quoted) {
      if (any || !word.empty()) out.push_back(std::move(word));
      word.clear();
      any = false;
    } else {
      word += c;
    }
  }
  if (any || !word.empty()) out.push_back(std::move(word));
  return out;
}

std::string option_of(const std::vector<std::string>& words, const std::string& option) {
  const auto found = std::find(words.begin(), words.end(), option);
  if (found == words.end() || found + 1 == words.end()) return {};
  if (found != words.begin() && *(found - 1) == "!") return "!" + *(found + 1);
  return *(found + 1);
}

const json* table_of(const json& netfilter, const std::string& backend, const std::string& family,
                     const std::string& table) {
  for (const auto& entry : netfilter.at("backends")) {
    if (entry.at("backend") != backend || entry.at("family") != family) continue;
    const auto& tables = entry.at("tables");
    const auto found = tables.find(table);
    if (found != tables.end()) return &*found;
  }
  return nullptr;
}

bool lets_clients_in(const std::vector<std::string>& words) {
  const auto states = option_of(words, "--ctstate") + option_of(words, "--state");
  if (!states.empty() && states.find("NEW") == std::string::npos) return false;
  if (option_of(words, "-i") == "lo") return false;
  if (option_of(words, "-s").starts_with("127.") || option_of(words, "-s").starts_with("::1")) return false;
  const auto protocol = option_of(words, "-p");
  if (protocol == "icmp" || protocol == "ipv6-icmp" || protocol == "icmpv6") return false;
  if (is_multicast(option_of(words, "-d"))) return false;
  const auto port = option_of(words, "--dport");
  const bool dhcp = protocol == "udp" && (port == "68" || port == "546") && !option_of(words, "--sport").empty();
  return !dhcp;
}

std::vector<ForeignAccept> foreign_accepts(const json& filter) {
  std::vector<ForeignAccept> out;
  std::set<std::string> visited;
  collect_accepts(filter, "INPUT", visited, out);
  return out;
}

std::vector<PublishedPort> published_ports(const json& nat) {
  std::vector<PublishedPort> out;
  for (const auto& [chain, content] : nat.items()) {
    if (chain == "OUTPUT") continue;
    for (const auto& rule : content.at("rules")) {
      const auto words = words_of_rule(rule.get<std::string>());
      if (option_of(words, "-j") != "DNAT") continue;
      const auto address = option_of(words, "-d");
      if (address.starts_with("127.") || address.starts_with("::1")) continue;
      const auto protocol = option_of(words, "-p");
      const auto port = option_of(words, "--dport");
      out.push_back(
          {protocol.empty() ? "any" : protocol, port.empty() ? "any" : port, option_of(words, "--to-destination")});
    }
  }
  return out;
}

}  // namespace sentinel
