// SPDX-License-Identifier: Apache-2.0
// One rule of the packet filter, read so that it can be asked about a packet. Three answers: yes, no, and maybe for
// matches that only the kernel can decide (sets, marks, time, owners).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/resources/netfilter.h"
#include "core/resources/prefix.h"

namespace sentinel {

enum class Match { kNo, kMaybe, kYes };

enum class PacketState { kNew, kEstablished };

/// The first packet of a connection, or the first answer to it.
struct Packet {
  std::string protocol;  ///< "tcp", "udp"
  Prefix source;         ///< a single address
  Prefix destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::string in;   ///< interface; empty: it was made here
  std::string out;  ///< interface; empty: it ends here, or isn't routed yet
  PacketState state = PacketState::kNew;
  bool destination_is_local = false;
  bool translated = false;   ///< its connection has another destination than the client asked for
  Prefix asked_destination;  ///< what the client asked for
  std::uint16_t asked_port = 0;
};

using PortRange = std::pair<std::uint16_t, std::uint16_t>;  ///< both ends belong to it

/// "80", "6000:6007", "6000-6007".
std::optional<PortRange> parse_port_range(std::string_view text);

struct PacketRule {
  std::string text;  ///< as saved, after "-A CHAIN "
  std::vector<std::function<Match(const Packet&)>> conditions;
  std::string target;                        ///< "ACCEPT", a chain; empty: the rule only counts
  bool goes_to = false;                      ///< -g: a return from the target leaves this chain too
  std::string to;                            ///< of DNAT "172.17.0.2:80", of REDIRECT the port
  std::vector<Prefix> sources;               ///< prefixes that its conditions name
  std::vector<PortRange> source_ports;       ///< likewise
  std::vector<PortRange> destination_ports;  ///< likewise

  Match matches(const Packet& packet) const;
};

/// Reads a rule as iptables-save prints it. Unknown matches answer maybe: nothing is an error.
PacketRule read_packet_rule(const std::string& text);

}  // namespace sentinel
