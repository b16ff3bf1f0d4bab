// SPDX-License-Identifier: Apache-2.0
// Addresses come from getifaddrs (netlink), not from a name lookup.
#include "core/facts/collect.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <set>

#include "core/facts/hardware_facts.h"
#include "core/facts/os_facts.h"
#include "core/facts/ssh_facts.h"

namespace sentinel {
namespace {

/// Empty for addresses that only mean something on one link or inside the host.
std::string global_address(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address->sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
    const auto first_two = ntohl(v4.s_addr) >> 16;
    if (first_two == 0xa9fe || (first_two >> 8) == 127) return {};
    ::inet_ntop(AF_INET, &v4, text, sizeof text);
  } else if (address->sa_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    if (IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6)) return {};
    ::inet_ntop(AF_INET6, &v6, text, sizeof text);
  }
  return text;
}

std::vector<std::string> global_addresses() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return {};
  std::set<std::string> found;
  for (const auto* entry = first; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
    if (auto text = global_address(entry->ifa_addr); !text.empty()) found.insert(std::move(text));
  }
  ::freeifaddrs(first);
  return {found.begin(), found.end()};
}

}  // namespace

ProcessView this_process() {
  ProcessView view;
  view.pid = ::getpid();
  utsname names{};
  if (::uname(&names) == 0) {
    view.architecture = names.machine;
    view.kernel = names.release;
    view.hostname = names.nodename;
  }
  if (const char* connection = ::getenv("SSH_CONNECTION")) view.environment["SSH_CONNECTION"] = connection;
  view.addresses = global_addresses();
  return view;
}

Facts collect_facts(Reader& machine, const ProcessView& process) {
  Facts facts;
  facts.architecture = process.architecture;
  facts.kernel = process.kernel;
  facts.hostname = process.hostname;
  facts.addresses = process.addresses;
  collect_os(machine, facts);
  collect_hardware(machine, facts);
  collect_ssh(machine, process, facts);
  return facts;
}

}  // namespace sentinel
