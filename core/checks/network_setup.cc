// SPDX-License-Identifier: Apache-2.0
// The world comes in by every interface but loopback and bridges without a default route: those belong to containers.
#include "core/checks/network_setup.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <set>
#include <sstream>

#include "core/checks/sockets.h"

namespace sentinel {
namespace {

struct Route {
  std::string interface;
  std::uint32_t destination = 0;  ///< network order, as the file has it
  std::uint32_t gateway = 0;
  std::uint32_t mask = 0;
};

std::optional<std::uint32_t> hex(const std::string& text) {
  std::uint32_t out = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return out;
}

std::vector<Route> parse_routes(std::string_view text) {
  std::vector<Route> out;
  std::istringstream lines{std::string(text)};
  std::string line;
  std::getline(lines, line);  // the heading
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string interface, destination, gateway, flags, references, uses, metric, mask;
    words >> interface >> destination >> gateway >> flags >> references >> uses >> metric >> mask;
    const auto network = hex(destination), next = hex(gateway), bits = hex(mask);
    if (network && next && bits) out.push_back({interface, *network, *next, *bits});
  }
  return out;
}

NetworkInterface& named(const std::string& name, std::vector<NetworkInterface>& interfaces) {
  const auto found = std::find_if(interfaces.begin(), interfaces.end(),
                                  [&](const NetworkInterface& each) { return each.name == name; });
  if (found != interfaces.end()) return *found;
  return interfaces.emplace_back(NetworkInterface{name, {}, false});
}

/// A switch of /proc/sys that may be absent, with a family say.
Result<bool> is_on(const char* path, Reader& machine) {
  const auto text = machine.read_file(path);
  if (!text.ok() && text.error().code == "system.ENOENT") return false;
  if (!text.ok()) return text.error();
  return text->rfind('0', 0) != 0;
}

Result<std::string> read_or_nothing(const char* path, Reader& machine) {
  auto text = machine.read_file(path);
  if (!text.ok() && text.error().code == "system.ENOENT") return std::string();
  return text;
}

Result<void> save(const std::string& program, Reader& machine, std::vector<SavedTables>& backends) {
  CommandLine command;
  command.argv = {program};
  SENTINEL_TRY(const auto result, machine.query(command));
  if (result.status == 127) return {};
  if (result.status != 0) return Error("netfilter.unreadable", fmt::format("{}: {}", program, result.reason()));
  SENTINEL_TRY(auto tables, parse_saved_tables(result.output));
  backends.push_back(std::move(tables));
  return {};
}

Result<bool> has_tables(const char* path, Reader& machine) {
  SENTINEL_TRY(const auto names, read_or_nothing(path, machine));
  return names.find_first_not_of(" \n") != std::string::npos;
}

Result<SavedRules> read_saved_rules(Reader& machine) {
  SavedRules out;
  SENTINEL_CHECK(save("iptables-nft-save", machine, out.v4));
  SENTINEL_CHECK(save("ip6tables-nft-save", machine, out.v6));
  SENTINEL_TRY(const bool legacy_v4, has_tables("/proc/net/ip_tables_names", machine));
  SENTINEL_TRY(const bool legacy_v6, has_tables("/proc/net/ip6_tables_names", machine));
  if (legacy_v4) SENTINEL_CHECK(save("iptables-legacy-save", machine, out.v4));
  if (legacy_v6) SENTINEL_CHECK(save("ip6tables-legacy-save", machine, out.v6));
  return out;
}

Result<std::vector<NetworkInterface>> read_interfaces(Reader& machine) {
  std::vector<NetworkInterface> out;
  SENTINEL_TRY(const auto routes, machine.read_file("/proc/net/route"));
  SENTINEL_TRY(const auto trie, machine.read_file("/proc/net/fib_trie"));
  SENTINEL_TRY(const auto v6_addresses, read_or_nothing("/proc/net/if_inet6", machine));
  SENTINEL_TRY(const auto v6_routes, read_or_nothing("/proc/net/ipv6_route", machine));
  SENTINEL_CHECK(add_v4_addresses(trie, routes, out));
  SENTINEL_CHECK(add_v6_addresses(v6_addresses, out));
  const auto ways_out = default_interfaces(routes, v6_routes);
  for (auto& interface : out) {
    if (interface.name == "lo") continue;
    SENTINEL_TRY(const auto bridge, machine.status("/sys/class/net/" + interface.name + "/bridge"));
    interface.external = bridge.type == FileType::kAbsent ||
                         std::find(ways_out.begin(), ways_out.end(), interface.name) != ways_out.end();
  }
  return out;
}

}  // namespace

Result<void> add_v4_addresses(std::string_view fib_trie, std::string_view route,
                              std::vector<NetworkInterface>& interfaces) {
  const auto routes = parse_routes(route);
  std::istringstream lines{std::string(fib_trie)};
  std::string line, leaf;
  std::set<std::string> addresses;
  while (std::getline(lines, line)) {
    const auto text = line.find_first_not_of(' ');
    if (text == std::string::npos) continue;
    if (line.compare(text, 4, "|-- ") == 0) {
      leaf = line.substr(text + 4);
    } else if (line.find("/32 host LOCAL") != std::string::npos) {
      addresses.insert(leaf);
    }
  }
  for (const auto& address : addresses) {
    in_addr binary{};
    if (::inet_pton(AF_INET, address.c_str(), &binary) != 1) {
      return Error("network.malformed", fmt::format("fib_trie has the address '{}'", address));
    }
    if ((ntohl(binary.s_addr) >> 24) == 127) {
      named("lo", interfaces).addresses.push_back(address + "/8");
      continue;
    }
    const Route* best = nullptr;
    const Route* way_out = nullptr;
    for (const auto& each : routes) {
      if (each.mask == 0 && way_out == nullptr) way_out = &each;
      if (each.mask == 0 || each.gateway != 0 || (binary.s_addr & each.mask) != each.destination) continue;
      if (best == nullptr || std::popcount(each.mask) > std::popcount(best->mask)) best = &each;
    }
    if (best != nullptr) {
      named(best->interface, interfaces).addresses.push_back(fmt::format("{}/{}", address, std::popcount(best->mask)));
    } else if (way_out != nullptr) {
      named(way_out->interface, interfaces).addresses.push_back(address + "/32");
    }
  }
  return {};
}

Result<void> add_v6_addresses(std::string_view if_inet6, std::vector<NetworkInterface>& interfaces) {
  std::istringstream lines{std::string(if_inet6)};
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string digits, index, length, scope, flags, interface;
    words >> digits >> index >> length >> scope >> flags >> interface;
    std::string address;
    for (std::size_t i = 0; i < digits.size(); i += 4) address += (i == 0 ? "" : ":") + digits.substr(i, 4);
    const auto parsed = Prefix::parse(address);
    const auto bits = hex(length);
    if (!parsed || !bits || interface.empty()) {
      return Error("network.malformed", fmt::format("a line of if_inet6 can't be read: {}", line));
    }
    named(interface, interfaces).addresses.push_back(fmt::format("{}/{}", parsed->to_string(), *bits));
  }
  return {};
}

std::vector<std::string> default_interfaces(std::string_view route, std::string_view ipv6_route) {
  std::set<std::string> out;
  for (const auto& each : parse_routes(route)) {
    if (each.mask == 0 && each.destination == 0) out.insert(each.interface);
  }
  std::istringstream lines{std::string(ipv6_route)};
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string destination, length, rest, interface;
    words >> destination >> length;
    while (words >> rest) interface = rest;
    const bool everything = length == "00" && destination.find_first_not_of('0') == std::string::npos;
    if (everything && interface != "lo") out.insert(interface);
  }
  return {out.begin(), out.end()};
}

Result<const SavedRules*> saved_rules(Look& look) {
  return look.shared<SavedRules>([&] { return read_saved_rules(look.machine()); });
}

Result<NetworkSetup> read_network_setup(Look& look) {
  Reader& machine = look.machine();
  NetworkSetup out;
  SENTINEL_TRY(const auto* rules, saved_rules(look));
  out.v4.backends = rules->v4;
  out.v6.backends = rules->v6;
  SENTINEL_TRY(out.v4.forwards, is_on("/proc/sys/net/ipv4/ip_forward", machine));
  SENTINEL_TRY(out.v6.forwards, is_on("/proc/sys/net/ipv6/conf/all/forwarding", machine));
  SENTINEL_TRY(out.routes_localnet, is_on("/proc/sys/net/ipv4/conf/all/route_localnet", machine));
  SENTINEL_TRY(out.interfaces, read_interfaces(machine));
  SENTINEL_TRY(const auto* sockets, listening_sockets(look));
  out.sockets = *sockets;
  return out;
}

}  // namespace sentinel
