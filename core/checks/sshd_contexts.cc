// SPDX-License-Identifier: Apache-2.0
// Patterns as in ssh_config(5): '*' and '?' in names, comma-separated lists, '!' takes away; addresses also as CIDR.
#include "core/checks/sshd_contexts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <sstream>

#include "core/resources/prefix.h"

namespace sentinel {
namespace {

/// The first pattern of a list that lets something in, made concrete.
std::optional<std::string> example_of(const std::string& list, const std::string& star) {
  std::istringstream words(list);
  std::string pattern;
  while (std::getline(words, pattern, ',')) {
    if (pattern.empty() || pattern.front() == '!') continue;
    std::string out;
    for (const char c : pattern) out += c == '*' ? star : c == '?' ? "1" : std::string(1, c);
    return out;
  }
  return std::nullopt;
}

std::optional<std::string> address_in(const std::string& list) {
  const auto example = example_of(list, "1");
  if (!example) return std::nullopt;
  const auto prefix = Prefix::parse(*example);
  if (prefix && example->find('/') != std::string::npos) {
    const auto network = prefix->to_string();
    const auto base = network.substr(0, network.find('/'));
    return prefix->is_everything() ? (prefix->v6 ? "2001:db8::7" : "198.51.100.7") : base;
  }
  if (prefix) return example;
  // "10.1" left of a star: as many parts as an address has.
  std::string address = *example;
  while (std::count(address.begin(), address.end(), '.') < 3 && address.find(':') == std::string::npos) address += ".1";
  return address;
}

Result<std::string> member_of(const std::string& list, const Accounts& accounts) {
  const auto name = example_of(list, "");
  for (const auto& group : accounts.groups) {
    if (!name || group.name != *name) continue;
    if (!group.members.empty()) return group.members.front();
    for (const auto& user : accounts.users) {
      if (user.gid == group.gid) return user.name;
    }
  }
  return Error("sshd.match", fmt::format("no user is in the group '{}'", list));
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

Result<void> take(const std::string& key, const std::string& list, const Accounts& accounts, SshdConnection& out) {
  const Error unmet("sshd.match", fmt::format("no connection can be made up for Match {} {}", key, list));
  if (key == "user") {
    const auto user = example_of(list, "someone");
    if (!user) return unmet;
    out.user = *user;
  } else if (key == "group") {
    SENTINEL_TRY(out.user, member_of(list, accounts));
  } else if (key == "address" || key == "localaddress") {
    const auto address = address_in(list);
    if (!address) return unmet;
    (key == "address" ? out.address : out.local_address) = *address;
  } else if (key == "host") {
    const auto host = example_of(list, "host");
    if (!host) return unmet;
    out.host = *host;
  } else if (key == "localport") {
    const auto port = example_of(list, "22");
    if (!port || std::from_chars(port->data(), port->data() + port->size(), out.local_port).ec != std::errc())
      return unmet;
  } else {
    return unmet;
  }
  return {};
}

}  // namespace

std::string SshdConnection::specification() const {
  return fmt::format("user={},host={},addr={},laddr={},lport={}", user, host, address, local_address, local_port);
}

Result<SshdConnection> connection_for(const std::string& match, const Accounts& accounts) {
  SshdConnection out;
  std::istringstream words(match);
  std::string key;
  while (words >> key) {
    key = lower(key);
    if (key == "and" || key == "all") continue;
    std::string list;
    if (const auto equals = key.find('='); equals != std::string::npos) {
      list = key.substr(equals + 1);
      key.resize(equals);
    } else if (!(words >> list)) {
      return Error("sshd.match", fmt::format("no connection can be made up for Match {}", key));
    }
    SENTINEL_CHECK(take(key, list, accounts, out));
  }
  return out;
}

}  // namespace sentinel
