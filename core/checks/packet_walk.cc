// SPDX-License-Identifier: Apache-2.0
// A walk gathers what may happen, as a set: a rule that may match adds its outcome and is passed by as well.
#include "core/checks/packet_walk.h"

#include <algorithm>
#include <array>
#include <set>

namespace sentinel {
namespace {

enum Outcome : unsigned { kAccepted = 1, kDropped = 2, kPassedBy = 4, kReturned = 8 };

/// Chains can't be nested deeper than this without a loop, which the kernel refuses.
constexpr int kDeepest = 64;

constexpr std::array<std::string_view, 4> kFilteringTables = {"raw", "mangle", "filter", "security"};

bool only_notes(const std::string& target) {
  static const std::set<std::string> kTargets = {"",         "LOG",    "NFLOG",    "ULOG",    "TRACE",       "MARK",
                                                 "CONNMARK", "TCPMSS", "DSCP",     "TOS",     "TTL",         "HL",
                                                 "CHECKSUM", "SET",    "CLASSIFY", "SECMARK", "CONNSECMARK", "AUDIT",
                                                 "RATEEST",  "TEE",    "LED",      "ECN",     "MASQUERADE",  "SNAT"};
  return kTargets.contains(target);
}

/// "172.17.0.2:80", "[fd00::2]:80", "172.17.0.2", ":8080", "10.0.0.1-10.0.0.9:80": of a range its first.
Translation parse_destination(const std::string& text) {
  Translation out;
  auto address = text;
  std::string port;
  if (const auto bracket = text.find(']'); bracket != std::string::npos) {
    address = text.substr(1, bracket - 1);
    if (bracket + 2 <= text.size()) port = text.substr(bracket + 2);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    address = text.substr(0, text.find(':'));
    port = text.substr(text.find(':') + 1);
  }
  out.destination = Prefix::parse(address.substr(0, address.find('-')));
  if (const auto range = parse_port_range(port.substr(0, port.find('/')))) out.port = range->first;
  return out;
}

}  // namespace

/// One packet through the chains of one table.
class PacketFilter::Walk {
 public:
  Walk(const Chains& chains, const Packet& packet) : chains_(chains), packet_(packet) {}

  unsigned through(const std::string& name, int depth = 0) {
    const auto chain = chains_.find(name);
    if (chain == chains_.end() || depth > kDeepest) return kPassedBy;
    unsigned seen = 0;
    for (const auto& rule : chain->second.rules) {
      const auto match = rule.matches(packet_);
      if (match == Match::kNo) continue;
      unsigned outcome = follow(name, rule, depth);
      if (match == Match::kMaybe) {
        if (outcome != kPassedBy) unclear.push_back(name + ": " + rule.text);
        outcome |= kPassedBy;
      }
      seen |= outcome & (kAccepted | kDropped);
      if ((outcome & kReturned) != 0) seen |= kPassedBy;
      if ((outcome & kPassedBy) == 0) return seen;
    }
    if (depth > 0) return seen | kPassedBy;
    const bool accepts = chain->second.policy != "DROP";
    note(accepts, name + " policy " + chain->second.policy);
    return seen | (accepts ? kAccepted : kDropped);
  }

  std::string accepted_by;
  std::string dropped_by;
  std::vector<std::string> unclear;
  Translations translations;

 private:
  void note(bool accepts, const std::string& what) {
    auto& place = accepts ? accepted_by : dropped_by;
    if (place.empty()) place = what;
  }

  unsigned follow(const std::string& chain, const PacketRule& rule, int depth) {
    const auto& target = rule.target;
    const auto here = chain + ": " + rule.text;
    if (target == "ACCEPT") {
      note(true, here);
      return kAccepted;
    }
    if (target == "DROP" || target == "REJECT" || target == "TARPIT") {
      note(false, here);
      return kDropped;
    }
    if (target == "RETURN") return depth > 0 ? kReturned : returned_from_built_in(chain);
    if (target == "DNAT" || target == "REDIRECT") {
      auto translation = target == "DNAT" ? parse_destination(rule.to) : Translation{};
      if (target == "REDIRECT") {
        if (const auto range = parse_port_range(rule.to)) translation.port = range->first;
      }
      translation.why = here;
      translations.emplace_back(std::move(translation));
      return kAccepted;
    }
    if (chains_.contains(target)) {
      const auto outcome = through(target, depth + 1);
      if (!rule.goes_to || (outcome & kPassedBy) == 0) return outcome;
      return depth > 0 ? (outcome & ~unsigned{kPassedBy}) | kReturned
                       : (outcome & ~unsigned{kPassedBy}) | returned_from_built_in(chain);
    }
    if (only_notes(target)) return kPassedBy;
    unclear.push_back(here);  // a target that decides elsewhere: QUEUE, NFQUEUE, CT, one we don't know
    return kAccepted | kDropped | kPassedBy;
  }

  unsigned returned_from_built_in(const std::string& chain) {
    const auto& policy = chains_.at(chain).policy;
    note(policy != "DROP", chain + " policy " + policy);
    return policy != "DROP" ? kAccepted : kDropped;
  }

  const Chains& chains_;
  const Packet& packet_;
};

void Fate::then(const Fate& next) {
  if (may_pass && !next.why.empty()) why = next.why;
  may_pass = may_pass && next.may_pass;
  may_drop = may_drop || next.may_drop;
  unclear.insert(unclear.end(), next.unclear.begin(), next.unclear.end());
}

PacketFilter::PacketFilter(const std::vector<SavedTables>& backends) {
  for (const auto& saved : backends) {
    auto& tables = backends_.emplace_back();
    for (const auto& [table_name, table] : saved) {
      for (const auto& [chain_name, chain] : table.chains) {
        auto& read = tables[table_name][chain_name];
        read.policy = chain.policy;
        for (const auto& rule : chain.rules) read.rules.push_back(read_packet_rule(rule));
      }
    }
  }
}

Fate PacketFilter::pass(const std::string& hook, const Packet& packet) const {
  Fate fate;
  for (const auto& tables : backends_) {
    for (const auto table : kFilteringTables) {
      const auto chains = tables.find(std::string(table));
      if (chains == tables.end() || !chains->second.contains(hook)) continue;
      Walk walk(chains->second, packet);
      const auto outcome = walk.through(hook);
      Fate here;
      here.may_pass = (outcome & kAccepted) != 0;
      here.may_drop = (outcome & kDropped) != 0;
      if (!here.may_pass) here.why = walk.dropped_by;
      if (here.may_pass && table == "filter") here.why = walk.accepted_by;
      if (here.may_pass && here.may_drop) here.unclear = walk.unclear;
      fate.then(here);
    }
  }
  return fate;
}

Translations PacketFilter::translate(const Packet& packet) const {
  for (const auto& tables : backends_) {
    const auto chains = tables.find("nat");
    if (chains == tables.end()) continue;
    Walk walk(chains->second, packet);
    walk.through("PREROUTING");
    auto found = std::move(walk.translations);
    if (found.empty()) continue;
    if (!walk.unclear.empty()) found.emplace_back(std::nullopt);
    return found;
  }
  return {std::nullopt};
}

std::vector<const PacketRule*> PacketFilter::rules() const {
  std::vector<const PacketRule*> out;
  for (const auto& tables : backends_) {
    for (const auto& [table, chains] : tables) {
      for (const auto& [name, chain] : chains) {
        for (const auto& rule : chain.rules) out.push_back(&rule);
      }
    }
  }
  return out;
}

}  // namespace sentinel
