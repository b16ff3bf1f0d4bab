// SPDX-License-Identifier: Apache-2.0
// What the world can reach of a host, as data: predicted on the host from its packet filter and its sockets
// (core/checks/exposure.h), tried from outside by sentinelctl, and compared by a judgement.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace sentinel {

/// A socket that waits for connections or datagrams.
struct ListeningSocket {
  std::string protocol;  ///< "tcp", "udp"
  std::string address;   ///< numeric; "0.0.0.0" and "::" for every address
  std::uint16_t port = 0;
  /// Of a socket on "::": whether IPv4 is left out. Nothing: not known, then IPv4 counts as served.
  std::optional<bool> v6_only;
  std::string process;  ///< "caddy"; empty: not known

  bool operator==(const ListeningSocket&) const = default;
};

/// One door that a packet from outside gets through.
struct Reach {
  std::string family;                  ///< "IPv4", "IPv6"
  std::string protocol;                ///< "tcp", "udp"
  std::uint16_t port = 0;              ///< as the world sees it
  std::vector<std::string> addresses;  ///< of the host, where it is open
  /// Who gets through: "anywhere", or prefixes that rules name; `except`: prefixes within those that don't. The longest
  /// prefix that holds a sender decides.
  std::vector<std::string> sources;
  std::vector<std::string> except;
  std::string leads_to;     ///< what answers: "0.0.0.0:8080", or "172.17.0.2:80" behind a translation
  std::string owner;        ///< process or container; empty: not known
  std::string why;          ///< the rule that lets it in: "INPUT policy ACCEPT", "ufw-user-input: -p tcp ..."
  bool translated = false;  ///< by DNAT or REDIRECT
  /// False when answers are dropped on their way out: then no connection comes about.
  bool answered = true;
  /// Rules on the way whose match can't be told from here; with any of them the door may also be shut.
  std::vector<std::string> unclear;

  bool operator==(const Reach&) const = default;
};

void to_json(nlohmann::json& json, const ListeningSocket& value);
void from_json(const nlohmann::json& json, ListeningSocket& value);
void to_json(nlohmann::json& json, const Reach& value);
void from_json(const nlohmann::json& json, Reach& value);

}  // namespace sentinel
