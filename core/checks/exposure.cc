// SPDX-License-Identifier: Apache-2.0
// Senders are classes: one for each prefix that a rule names, and one for everybody else. Within a class no rule can
// tell two senders apart, so one packet stands for all of them.
#include "core/checks/exposure.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace sentinel {
namespace {

constexpr std::uint16_t kUsualSourcePort = 45'678;
/// Doors of one translated range that are tried one by one; of a longer one its ends.
constexpr int kLongestRange = 256;

struct Sender {
  Prefix address;  ///< one that no narrower class has
  Prefix prefix;
  std::string name;  ///< "anywhere", or the prefix
};

bool is_on_link_only(const Prefix& prefix) {
  static const std::vector<Prefix> kNotTheWorld = {*Prefix::parse("fe80::/10"),   *Prefix::parse("ff00::/8"),
                                                   *Prefix::parse("::1"),         *Prefix::parse("127.0.0.0/8"),
                                                   *Prefix::parse("224.0.0.0/4"), *Prefix::parse("169.254.0.0/16"),
                                                   *Prefix::parse("0.0.0.0/8"),   *Prefix::parse("::")};
  return std::any_of(kNotTheWorld.begin(), kNotTheWorld.end(),
                     [&](const Prefix& each) { return prefix.overlaps(each) && prefix.length >= each.length; });
}

Prefix single(Prefix prefix, const std::array<std::uint8_t, 16>& bytes) {
  prefix.bytes = bytes;
  prefix.length = prefix.v6 ? 128 : 32;
  return prefix;
}

/// The first address behind the prefix.
std::array<std::uint8_t, 16> first_behind(const Prefix& prefix) {
  auto bytes = prefix.bytes;
  int carry = 1;
  for (int bit = prefix.length - 1; bit >= 0 && carry != 0; --bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    auto& byte = bytes[static_cast<std::size_t>(bit / 8)];
    carry = (byte & mask) != 0 ? 1 : 0;
    byte ^= mask;
  }
  return bytes;
}

/// An address of `within` that lies in none of `others`, unless they cover it.
std::optional<Prefix> address_outside(const Prefix& within, const std::vector<Prefix>& others) {
  std::vector<Prefix> candidates = {single(within, within.bytes)};
  for (const auto& other : others) {
    if (other.v6 == within.v6) candidates.push_back(single(within, first_behind(other)));
  }
  for (const auto& candidate : candidates) {
    if (!candidate.overlaps(within) || is_on_link_only(candidate)) continue;
    if (std::none_of(others.begin(), others.end(), [&](const Prefix& other) { return other.overlaps(candidate); }))
      return candidate;
  }
  return std::nullopt;
}

std::vector<Sender> senders_of(const std::vector<const PacketRule*>& rules, bool v6) {
  std::vector<Prefix> named;
  for (const auto* rule : rules) {
    for (const auto& prefix : rule->sources) {
      if (prefix.v6 != v6 || prefix.is_everything() || is_on_link_only(prefix)) continue;
      if (std::find(named.begin(), named.end(), prefix) == named.end()) named.push_back(prefix);
    }
  }
  std::vector<Sender> out;
  // Documentation's prefixes stand for the world when nothing names them; else whatever is left over.
  const auto everything = *Prefix::parse(v6 ? "::/0" : "0.0.0.0/0");
  auto world = address_outside(*Prefix::parse(v6 ? "2001:db8:5e1f::/48" : "198.51.100.0/24"), named);
  if (!world) world = address_outside(everything, named);
  if (world) out.push_back({*world, everything, "anywhere"});
  for (const auto& prefix : named) {
    std::vector<Prefix> inner;
    for (const auto& other : named) {
      if (other.length > prefix.length && other.overlaps(prefix)) inner.push_back(other);
    }
    if (const auto address = address_outside(prefix, inner)) out.push_back({*address, prefix, prefix.to_string()});
  }
  return out;
}

std::vector<std::uint16_t> source_ports_of(const std::vector<const PacketRule*>& rules) {
  std::set<std::uint16_t> out = {kUsualSourcePort};
  for (const auto* rule : rules) {
    for (const auto& range : rule->source_ports) out.insert(range.first);
  }
  return {out.begin(), out.end()};
}

/// What lies behind the packet filter for a packet: the way it takes, where it ends and who answers there.
struct Way {
  bool open = false;
  bool answered = false;
  std::string leads_to;
  std::string owner;
  std::string why;
  bool translated = false;
  std::vector<std::string> unclear;
};

class Prediction {
 public:
  Prediction(const NetworkSetup& setup, bool v6)
      : setup_(setup),
        v6_(v6),
        family_(v6 ? setup.v6 : setup.v4),
        filter_(family_.backends),
        rules_(filter_.rules()),
        senders_(senders_of(rules_, v6)),
        source_ports_(source_ports_of(rules_)) {
    for (const auto& interface : setup.interfaces) {
      for (const auto& text : interface.addresses) {
        const auto address = Prefix::parse(text.substr(0, text.find('/')));
        if (!address || address->v6 != v6) continue;
        local_.push_back(*address);
        if (interface.external && !is_on_link_only(*address)) doors_.emplace_back(*address, interface.name);
      }
    }
  }

  void add_to(std::vector<Reach>& out) const {
    using Door = std::tuple<std::string, std::uint16_t, std::string>;  // protocol, port, where it leads
    std::map<Door, Reach> merged;
    for (const std::string protocol : {"tcp", "udp"}) {
      for (const auto port : ports_of(protocol)) {
        for (const auto& [address, interface] : doors_) add_door(merged, protocol, port, address, interface);
      }
    }
    for (auto& [door, reach] : merged) out.push_back(std::move(reach));
  }

 private:
  /// Ports that something may answer on: of sockets, and of translations.
  std::set<std::uint16_t> ports_of(const std::string& protocol) const {
    std::set<std::uint16_t> out;
    for (const auto& socket : setup_.sockets) {
      if (socket.protocol == protocol) out.insert(socket.port);
    }
    for (const auto* rule : rules_) {
      if (rule->target != "DNAT" && rule->target != "REDIRECT") continue;
      for (const auto& [first, last] : rule->destination_ports) {
        for (int port = first; port <= last && last - first < kLongestRange; ++port)
          out.insert(static_cast<std::uint16_t>(port));
        out.insert({first, last});
      }
    }
    return out;
  }

  void add_door(std::map<std::tuple<std::string, std::uint16_t, std::string>, Reach>& merged,
                const std::string& protocol, std::uint16_t port, const Prefix& address,
                const std::string& interface) const {
    std::vector<Way> ways;
    for (const auto& sender : senders_) ways.push_back(way_of(sender, protocol, port, address, interface));
    const auto first = std::find_if(ways.begin(), ways.end(), [](const Way& way) { return way.open; });
    if (first == ways.end()) return;
    auto& reach = merged[{protocol, port, first->leads_to}];
    reach.family = v6_ ? "IPv6" : "IPv4";
    reach.protocol = protocol;
    reach.port = port;
    reach.addresses.push_back(address.to_string());
    reach.leads_to = first->leads_to;
    reach.owner = first->owner;
    reach.why = first->why;
    reach.translated = first->translated;
    reach.answered = first->answered;
    reach.unclear = first->unclear;
    reach.sources.clear();
    reach.except.clear();
    for (std::size_t i = 0; i < senders_.size(); ++i) {
      const auto* around = nearest_around(senders_[i]);
      const bool open_around = around != nullptr && ways[static_cast<std::size_t>(around - senders_.data())].open;
      if (ways[i].open && !open_around) reach.sources.push_back(senders_[i].name);
      if (!ways[i].open && open_around) reach.except.push_back(senders_[i].name);
    }
  }

  /// The smallest class that holds this one.
  const Sender* nearest_around(const Sender& sender) const {
    const Sender* nearest = nullptr;
    for (const auto& other : senders_) {
      const bool wider = other.prefix.length < sender.prefix.length && other.prefix.overlaps(sender.prefix);
      if (wider && (nearest == nullptr || nearest->prefix.length < other.prefix.length)) nearest = &other;
    }
    return nearest;
  }

  /// The best way that any source port gets.
  Way way_of(const Sender& sender, const std::string& protocol, std::uint16_t port, const Prefix& address,
             const std::string& interface) const {
    Way best;
    for (const auto source_port : source_ports_) {
      Packet packet;
      packet.protocol = protocol;
      packet.source = sender.address;
      packet.source_port = source_port;
      packet.destination = packet.asked_destination = address;
      packet.destination_port = packet.asked_port = port;
      packet.in = interface;
      packet.destination_is_local = true;
      const auto way = follow(packet);
      if (way.open && (!best.open || (way.answered && !best.answered))) best = way;
      if (best.open && best.answered) break;
    }
    return best;
  }

  Way follow(const Packet& asked) const {
    Way best;
    const auto before = filter_.pass("PREROUTING", asked);
    if (!before.may_pass) return best;
    for (const auto& translation : filter_.translate(asked)) {
      Packet packet = asked;
      if (translation) {
        packet.translated = true;
        if (translation->destination) packet.destination = *translation->destination;
        if (translation->port) packet.destination_port = *translation->port;
        packet.destination_is_local = std::find(local_.begin(), local_.end(), packet.destination) != local_.end() ||
                                      is_loopback(packet.destination);
      }
      auto way = packet.destination_is_local ? to_socket(packet) : through_host(packet);
      if (!way.open) continue;
      way.translated = packet.translated;
      if (translation) way.why = translation->why + "; " + way.why;
      if (before.may_drop) way.unclear.insert(way.unclear.begin(), before.unclear.begin(), before.unclear.end());
      if (!best.open || (way.answered && !best.answered)) best = way;
    }
    return best;
  }

  static bool is_loopback(const Prefix& address) {
    return address.overlaps(*Prefix::parse("127.0.0.0/8")) || address.overlaps(*Prefix::parse("::1"));
  }

  const ListeningSocket* socket_for(const Packet& packet) const {
    const ListeningSocket* found = nullptr;
    for (const auto& socket : setup_.sockets) {
      if (socket.protocol != packet.protocol || socket.port != packet.destination_port) continue;
      if (Prefix::parse(socket.address) == packet.destination) return &socket;
      const bool any = v6_ ? socket.address == "::"
                           : socket.address == "0.0.0.0" || (socket.address == "::" && !socket.v6_only.value_or(false));
      // Of two sockets for every address the one of IPv4 alone gets IPv4.
      if (any && (found == nullptr || socket.address == "0.0.0.0")) found = &socket;
    }
    return found;
  }

  Way to_socket(const Packet& packet) const {
    if (is_loopback(packet.destination) && !setup_.routes_localnet) return {};
    const auto* socket = socket_for(packet);
    if (socket == nullptr) return {};
    const auto fate = filter_.pass("INPUT", packet);
    if (!fate.may_pass) return {};
    Packet answer = answer_to(packet);
    answer.out = packet.in;
    const auto back = filter_.pass("OUTPUT", answer);
    Way way{true,  back.may_pass, fmt::format("{}:{}", socket->address, socket->port), socket->process, fate.why,
            false, fate.unclear};
    way.unclear.insert(way.unclear.end(), back.unclear.begin(), back.unclear.end());
    return way;
  }

  Way through_host(Packet packet) const {
    if (!family_.forwards) return {};
    packet.out = interface_to(packet.destination, packet.in);
    const auto fate = filter_.pass("FORWARD", packet);
    if (!fate.may_pass) return {};
    Packet answer = answer_to(packet);
    answer.in = packet.out;
    answer.out = packet.in;
    answer.destination_is_local = false;
    const auto back = filter_.pass("FORWARD", answer);
    const auto address = packet.destination.to_string();
    const auto owner = setup_.containers.find(address);
    Way way{true,
            back.may_pass,
            fmt::format("{}:{}", v6_ ? "[" + address + "]" : address, packet.destination_port),
            owner == setup_.containers.end() ? "" : owner->second,
            fate.why,
            false,
            fate.unclear};
    way.unclear.insert(way.unclear.end(), back.unclear.begin(), back.unclear.end());
    return way;
  }

  static Packet answer_to(const Packet& packet) {
    Packet answer = packet;
    std::swap(answer.source, answer.destination);
    std::swap(answer.source_port, answer.destination_port);
    answer.state = PacketState::kEstablished;
    answer.in.clear();
    answer.destination_is_local = false;
    return answer;
  }

  /// By the most specific network an interface is in; else the way out to the world.
  std::string interface_to(const Prefix& destination, const std::string& otherwise) const {
    std::string found = otherwise;
    int longest = 0;
    for (const auto& interface : setup_.interfaces) {
      for (const auto& text : interface.addresses) {
        const auto network = Prefix::parse(text);
        if (network && network->length > longest && network->overlaps(destination)) {
          found = interface.name;
          longest = network->length;
        }
      }
    }
    return found;
  }

  const NetworkSetup& setup_;
  bool v6_;
  const FamilySetup& family_;
  PacketFilter filter_;
  std::vector<const PacketRule*> rules_;
  std::vector<Sender> senders_;
  std::vector<std::uint16_t> source_ports_;
  std::vector<Prefix> local_;
  std::vector<std::pair<Prefix, std::string>> doors_;  ///< addresses the world can send to, and the interface it uses
};

}  // namespace

std::vector<Reach> predict_exposure(const NetworkSetup& setup) {
  std::vector<Reach> out;
  Prediction(setup, false).add_to(out);
  Prediction(setup, true).add_to(out);
  return out;
}

}  // namespace sentinel
