// SPDX-License-Identifier: Apache-2.0
// ufw appends new rules and changes known ones in place. Where that would put a rule on the wrong side of one that
// decides otherwise, it is put in front, last one first, with whatever must come before it; one that is there is taken
// out first.
#include "core/resources/firewall_rules.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace sentinel {
namespace {

constexpr std::uint32_t kUfwTimeout = 120;

Families families(bool v4, bool v6) {
  return v4 && v6 ? Families::kBoth : v4 ? Families::kV4 : Families::kV6;
}

Action ufw(const std::vector<std::string>& before, const UfwRule& rule, Families which, bool with_comment) {
  RunCommand command{{"ufw"}, kUfwTimeout, false};
  if (rule.routed) command.argv.push_back("route");
  command.argv.insert(command.argv.end(), before.begin(), before.end());
  const auto words = ufw_words(rule, which, with_comment);
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  return command;
}

const UfwRule* find_traffic(const std::vector<UfwRule>& list, const UfwRule& rule) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const UfwRule& other) { return other.same_traffic(rule); });
  return found == list.end() ? nullptr : &*found;
}

bool is_wanted(const std::vector<WantedRule>& wanted, const UfwRule& rule, bool WantedRule::*family) {
  return std::any_of(wanted.begin(), wanted.end(),
                     [&](const WantedRule& other) { return other.*family && other.rule.same_traffic(rule); });
}

std::string shown_for(const UfwRule& rule, Families which) {
  const bool one = which != Families::kBoth && families_of(rule) == Families::kBoth;
  return shown(rule) + (!one ? "" : which == Families::kV4 ? " (IPv4)" : " (IPv6)");
}

bool opens(const UfwRule& rule, const std::string& port) {
  UfwRule probe;
  probe.protocol = "tcp";
  probe.to_port = port;
  const bool lets_in = rule.action == "allow" || rule.action == "limit";
  return lets_in && rule.interface_in.empty() && rule.to == "any" && rule.overlaps(probe);
}

bool closes_for_all(const UfwRule& rule, const std::string& port) {
  UfwRule opposite = rule;
  opposite.action = "allow";
  return (rule.action == "deny" || rule.action == "reject") && rule.from == "any" && opens(opposite, port);
}

/// The same rules, when they are about this port alone: they stay as they are, but for the comment.
void keep_existing(const UfwLists& now, const std::string& port, bool ipv6, std::vector<WantedRule>& kept) {
  const auto take = [&](const std::vector<UfwRule>& list, bool WantedRule::*family) {
    for (auto rule : list) {
      if (rule.to_port != port || rule.routed || !opens(rule, port)) continue;
      rule.comment = kKeptComment;
      auto known = std::find_if(kept.begin(), kept.end(),
                                [&](const WantedRule& other) { return other.rule.same_traffic(rule); });
      if (known == kept.end()) known = kept.insert(kept.end(), {rule, false, false});
      (*known).*family = true;
    }
  };
  take(now.v4, &WantedRule::v4);
  if (ipv6) take(now.v6, &WantedRule::v6);
}

void keep_open(const std::string& port, const Firewall& want, const UfwLists& now, std::vector<WantedRule>& wanted) {
  const auto closing = std::find_if(wanted.begin(), wanted.end(),
                                    [&](const WantedRule& other) { return closes_for_all(other.rule, port); });
  const auto opening =
      std::find_if(wanted.begin(), wanted.end(), [&](const WantedRule& other) { return opens(other.rule, port); });
  if (opening < closing || (opening == wanted.end() && closing == wanted.end() && want.incoming == "allow")) return;
  std::vector<WantedRule> kept;
  keep_existing(now, port, want.ipv6, kept);
  if (kept.empty()) {
    UfwRule rule;
    rule.protocol = "tcp";
    rule.to_port = port;
    rule.comment = kKeptComment;
    kept.push_back({rule, true, want.ipv6});
  }
  // Whatever the declaration says about the same traffic, above or below, gives way.
  std::vector<WantedRule> rest;
  std::size_t at = 0;
  bool passed = false;
  for (auto& other : wanted) {
    const bool same =
        std::any_of(kept.begin(), kept.end(), [&](const WantedRule& k) { return k.rule.same_traffic(other.rule); });
    passed = passed || closes_for_all(other.rule, port);
    if (same) continue;
    rest.push_back(std::move(other));
    if (!passed) at = rest.size();
  }
  rest.insert(rest.begin() + static_cast<std::ptrdiff_t>(at), kept.begin(), kept.end());
  wanted = std::move(rest);
}

/// A list after appending, changing in place and deleting.
std::vector<UfwRule> after_plain_changes(const std::vector<WantedRule>& wanted, const std::vector<UfwRule>& now,
                                         bool WantedRule::*family) {
  std::vector<UfwRule> out;
  for (const auto& rule : now) {
    if (is_wanted(wanted, rule, family)) out.push_back(rule);
  }
  for (const auto& want : wanted) {
    if (!(want.*family)) continue;
    const auto known =
        std::find_if(out.begin(), out.end(), [&](const UfwRule& other) { return other.same_traffic(want.rule); });
    if (known == out.end()) {
      out.push_back(want.rule);
    } else {
      *known = want.rule;
    }
  }
  return out;
}

bool decide_differently(const WantedRule& left, const WantedRule& right) {
  const bool meet = (left.v4 && right.v4) || (left.v6 && right.v6);
  return meet && left.rule.action != right.rule.action && left.rule.overlaps(right.rule);
}

/// Which wanted rules have to be put in front so that every pair that decides differently about the same packets is in
/// the wanted order: those that would come after one they must precede, and whatever must precede one of these.
std::vector<bool> misplaced(const std::vector<WantedRule>& wanted, const UfwLists& now) {
  std::vector<bool> out(wanted.size(), false);
  for (const auto family : {&WantedRule::v4, &WantedRule::v6}) {
    const auto list = after_plain_changes(wanted, family == &WantedRule::v4 ? now.v4 : now.v6, family);
    const auto place = [&](const WantedRule& want) { return find_traffic(list, want.rule) - list.data(); };
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      for (std::size_t j = i + 1; j < wanted.size(); ++j) {
        if (!(wanted[i].*family) || !(wanted[j].*family) || !decide_differently(wanted[i], wanted[j])) continue;
        if (place(wanted[i]) > place(wanted[j])) out[i] = true;
      }
    }
  }
  for (std::size_t j = wanted.size(); j-- > 0;) {
    for (std::size_t i = 0; out[j] && i < j; ++i) {
      if (decide_differently(wanted[i], wanted[j])) out[i] = true;
    }
  }
  return out;
}

struct OneRule {
  const UfwRule* v4 = nullptr;  ///< the rule for the same traffic that is there now
  const UfwRule* v6 = nullptr;
  std::optional<Change> change;
};

OneRule compare_rule(const WantedRule& want, const UfwLists& now, bool moves) {
  OneRule out;
  if (want.v4) out.v4 = find_traffic(now.v4, want.rule);
  if (want.v6) out.v6 = find_traffic(now.v6, want.rule);
  const bool needs4 = want.v4 && (out.v4 == nullptr || !(*out.v4 == want.rule));
  const bool needs6 = want.v6 && (out.v6 == nullptr || !(*out.v6 == want.rule));
  if (needs4 || needs6) {
    const auto which = families(needs4, needs6);
    const auto* before = needs4 && out.v4 != nullptr ? out.v4 : needs6 ? out.v6 : nullptr;
    out.change = Change{"rule", before == nullptr ? "" : shown_for(*before, which), shown_for(want.rule, which), false};
  } else if (moves) {
    out.change = Change{"rule order", shown(want.rule), fmt::format("{}, in front", shown(want.rule)), false};
  }
  return out;
}

std::vector<Action> place_in_front(const WantedRule& want, const UfwLists& now) {
  const auto known = compare_rule(want, now, true);
  std::vector<Action> out;
  if (known.v4 != nullptr && known.v6 != nullptr && *known.v4 == *known.v6) {
    out.push_back(ufw({"delete"}, *known.v4, Families::kBoth, false));
  } else {
    if (known.v4 != nullptr) out.push_back(ufw({"delete"}, *known.v4, Families::kV4, false));
    if (known.v6 != nullptr) out.push_back(ufw({"delete"}, *known.v6, Families::kV6, false));
  }
  out.push_back(ufw({"prepend"}, want.rule, families(want.v4, want.v6), true));
  return out;
}

void add_deletions(const std::vector<WantedRule>& wanted, const UfwLists& now, RuleDifference& out) {
  const auto remove = [&](const UfwRule& rule, Families which) {
    out.changes.push_back({"rule", shown_for(rule, which), "", false});
    out.deletions.push_back(ufw({"delete"}, rule, which, false));
  };
  /// The very same rule in the other family's list, if that isn't wanted either: one command removes both.
  const auto has_twin = [&](const UfwRule& rule, const std::vector<UfwRule>& list, bool WantedRule::*family) {
    const auto* twin = find_traffic(list, rule);
    return twin != nullptr && *twin == rule && !is_wanted(wanted, rule, family);
  };
  for (const auto& rule : now.v4) {
    if (is_wanted(wanted, rule, &WantedRule::v4)) continue;
    remove(rule, has_twin(rule, now.v6, &WantedRule::v6) ? Families::kBoth : Families::kV4);
  }
  for (const auto& rule : now.v6) {
    if (is_wanted(wanted, rule, &WantedRule::v6) || has_twin(rule, now.v4, &WantedRule::v4)) continue;
    remove(rule, Families::kV6);
  }
}

}  // namespace

Result<std::vector<WantedRule>> wanted_rules(const Firewall& want, const UfwLists& now,
                                             const std::vector<std::string>& ports) {
  std::vector<WantedRule> wanted;
  for (const auto& declared : want.rules) {
    SENTINEL_TRY(const auto rule, to_ufw_rule(declared));
    const auto which = families_of(declared);
    if (which == Families::kV6 && !want.ipv6) {
      return Error("firewall.bad-rule", fmt::format("the rule from {} can't be set: IPv6 is off", declared.from));
    }
    const WantedRule next{rule, which != Families::kV6, want.ipv6 && which != Families::kV4};
    bool known = false;
    for (const auto& other : wanted) {
      const bool meet = (other.v4 && next.v4) || (other.v6 && next.v6);
      if (!meet || !other.rule.same_traffic(rule)) continue;
      if (other.rule.action != rule.action) {
        return Error("firewall.contradiction",
                     fmt::format("two rules for the same traffic: '{}' and '{}'", shown(other.rule), shown(rule)),
                     "ufw keeps one rule for it: say which");
      }
      known = true;
    }
    if (!known) wanted.push_back(next);
  }
  for (const auto& port : ports) keep_open(port, want, now, wanted);
  return wanted;
}

RuleDifference compare_rules(const std::vector<WantedRule>& wanted, const UfwLists& now) {
  RuleDifference out;
  const auto moves = misplaced(wanted, now);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto difference = compare_rule(wanted[i], now, moves[i]);
    if (!difference.change) continue;
    out.changes.push_back(*difference.change);
    if (!moves[i]) out.additions.push_back(ufw({}, wanted[i].rule, families(wanted[i].v4, wanted[i].v6), true));
  }
  for (std::size_t i = wanted.size(); i-- > 0;) {
    if (!moves[i]) continue;
    const auto actions = place_in_front(wanted[i], now);
    out.additions.insert(out.additions.end(), actions.begin(), actions.end());
  }
  add_deletions(wanted, now, out);
  return out;
}

}  // namespace sentinel
