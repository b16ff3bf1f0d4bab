// SPDX-License-Identifier: Apache-2.0
// Predicts what the world can reach of a host: the packet filter's rules, address translation (Docker's too) and the
// listening sockets, joined by walking a packet for each kind of sender to each possible door and its answer back.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/checks/packet_walk.h"
#include "core/model/exposure.h"

namespace sentinel {

struct NetworkInterface {
  std::string name;
  std::vector<std::string> addresses;  ///< with their prefix lengths: "192.0.2.7/24"
  bool external = false;               ///< the world comes in by it

  bool operator==(const NetworkInterface&) const = default;
};

/// One family's part of what decides.
struct FamilySetup {
  std::vector<SavedTables> backends;  ///< of iptables-save and of iptables-legacy-save, when that holds any
  bool forwards = false;              ///< net.ipv4.ip_forward, net.ipv6.conf.all.forwarding
};

struct NetworkSetup {
  FamilySetup v4;
  FamilySetup v6;
  std::vector<NetworkInterface> interfaces;
  std::vector<ListeningSocket> sockets;
  std::map<std::string, std::string> containers;  ///< address -> name, to say who answers
  bool routes_localnet = false;  ///< net.ipv4.conf.all.route_localnet: translations to 127.0.0.0/8 work
};

/// Every door that is open to somebody who isn't on the host, in order of family, protocol and port. Senders are told
/// apart as far as rules tell them apart, by source address and port; private senders count too. What a translation
/// leads to on another machine or in a container counts as answering.
std::vector<Reach> predict_exposure(const NetworkSetup& setup);

}  // namespace sentinel
