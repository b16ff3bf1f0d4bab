// SPDX-License-Identifier: Apache-2.0
// Reading rules out of the probe "netfilter": which ones let traffic in that ufw's own list doesn't show.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace sentinel {

/// Words of a rule as iptables-save prints it; quotes hold together.
std::vector<std::string> words_of_rule(const std::string& rule);
/// The word behind an option ("-j", "--dport"); empty when the option isn't there.
std::string option_of(const std::vector<std::string>& words, const std::string& option);

/// Table `table` of a family of one backend; null when there is none.
const nlohmann::json* table_of(const nlohmann::json& netfilter, const std::string& backend, const std::string& family,
                               const std::string& table);

/// Whether a rule that accepts lets in what a client begins: no replies, loopback, ICMP, nor the DHCP, mDNS and UPnP
/// answers of ufw's own before.rules.
bool lets_clients_in(const std::vector<std::string>& words);

struct ForeignAccept {
  std::string chain;
  std::string rule;  ///< "-p tcp -m tcp --dport 9999 -j ACCEPT"
};

/// Rules that accept new connections on their way through INPUT outside ufw's user chain: in INPUT itself, in chains of
/// others it leads to, and ports opened in ufw's before and after chains.
std::vector<ForeignAccept> foreign_accepts(const nlohmann::json& filter);

struct PublishedPort {
  std::string protocol;
  std::string port;         ///< as clients reach it
  std::string destination;  ///< "172.17.0.2:80"
};

/// DNAT of a nat table that clients of other machines can reach: what Docker publishes past ufw.
std::vector<PublishedPort> published_ports(const nlohmann::json& nat);

}  // namespace sentinel
