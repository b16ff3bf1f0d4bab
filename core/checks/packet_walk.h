// SPDX-License-Identifier: Apache-2.0
// What the packet filter of one family does with a packet: the tables of every back end (nft and legacy rules are both
// asked by the kernel), hook by hook. Where a match can't be told, both ways are walked.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/checks/packet_rule.h"

namespace sentinel {

/// Tables by name, as saved by one back end.
using SavedTables = std::map<std::string, FilterTable>;

/// What may become of a packet at a hook.
struct Fate {
  bool may_pass = true;
  bool may_drop = false;
  std::string why;                   ///< what lets it pass, or what drops it when nothing does
  std::vector<std::string> unclear;  ///< rules whose match can't be told

  /// The same packet at one more place.
  void then(const Fate& next);
};

struct Translation {
  std::optional<Prefix> destination;  ///< nothing: an address of this host (REDIRECT)
  std::optional<std::uint16_t> port;  ///< nothing: it stays
  std::string why;
};

/// What the destination of a packet may become; an empty entry: nothing changes.
using Translations = std::vector<std::optional<Translation>>;

class PacketFilter {
 public:
  explicit PacketFilter(const std::vector<SavedTables>& backends);

  /// `hook` is the built-in chain: "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING". Table nat is not asked.
  Fate pass(const std::string& hook, const Packet& packet) const;
  /// What nat's PREROUTING does with the first packet of a connection; at least one entry.
  Translations translate(const Packet& packet) const;

  /// Every rule of every table.
  std::vector<const PacketRule*> rules() const;

 private:
  struct Chain {
    std::string policy;
    std::vector<PacketRule> rules;
  };

  using Chains = std::map<std::string, Chain>;
  class Walk;

  std::vector<std::map<std::string, Chains>> backends_;
};

}  // namespace sentinel
