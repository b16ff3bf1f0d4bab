// SPDX-License-Identifier: Apache-2.0
// Lines are "sl local_address rem_address st ... inode"; addresses are the kernel's 32-bit words in host order, in hex.
#include "core/checks/sockets.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <optional>
#include <sstream>

#include "core/facts/process_tree.h"

namespace sentinel {
namespace {

constexpr std::string_view kListen = "0A";
constexpr std::string_view kUnconnected = "07";

template <typename Number>
std::optional<Number> number(std::string_view text, int base) {
  Number out = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return out;
}

std::optional<std::string> address_of(std::string_view hex) {
  if (hex.size() != 8 && hex.size() != 32) return std::nullopt;
  std::array<std::uint32_t, 4> words{};
  for (std::size_t i = 0; i < hex.size() / 8; ++i) {
    const auto word = number<std::uint32_t>(hex.substr(8 * i, 8), 16);
    if (!word) return std::nullopt;
    words.at(i) = *word;
  }
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(hex.size() == 8 ? AF_INET : AF_INET6, words.data(), text, sizeof text);
  return std::string(text);
}

struct Table {
  const char* path;
  const char* protocol;
  bool v6;
};

constexpr std::array<Table, 4> kTables = {{{"/proc/net/tcp", "tcp", false},
                                           {"/proc/net/tcp6", "tcp", true},
                                           {"/proc/net/udp", "udp", false},
                                           {"/proc/net/udp6", "udp", true}}};

/// Inode -> name of a process that holds it. Processes that end meanwhile, or aren't ours to see, are left out.
std::map<std::uint64_t, std::string> holders(const std::map<std::uint64_t, std::size_t>& wanted, Reader& machine) {
  std::map<std::uint64_t, std::string> out;
  const auto processes = machine.list("/proc");
  if (!processes.ok()) return out;
  for (const auto& pid : *processes) {
    if (out.size() == wanted.size()) break;
    if (!number<int>(pid, 10)) continue;
    const auto directory = "/proc/" + pid + "/fd";
    const auto descriptors = machine.list(directory);
    if (!descriptors.ok()) continue;
    for (const auto& descriptor : *descriptors) {
      const auto link = machine.read_link(directory + "/" + descriptor);
      if (!link.ok() || link->rfind("socket:[", 0) != 0) continue;
      const auto inode = number<std::uint64_t>(std::string_view(*link).substr(8, link->size() - 9), 10);
      if (!inode || !wanted.contains(*inode) || out.contains(*inode)) continue;
      const auto stat = machine.read_file("/proc/" + pid + "/stat");
      const auto process = stat.ok() ? parse_process(*stat) : std::nullopt;
      if (process) out[*inode] = process->name;
    }
  }
  return out;
}

/// Fills in v6_only of sockets on ::, unless ss isn't there or says nothing.
void ask_dual_stack(std::vector<ListeningSocket>& sockets, Reader& machine) {
  if (std::none_of(sockets.begin(), sockets.end(),
                   [](const ListeningSocket& socket) { return socket.address == "::"; }))
    return;
  CommandLine command;
  command.argv = {"ss", "-H", "-l", "-n", "-t", "-u"};
  const auto result = machine.query(command);
  if (!result.ok() || result->status != 0) return;
  const auto dual = parse_dual_stack(result->output);
  for (auto& socket : sockets) {
    if (socket.address != "::") continue;
    const auto& ports = socket.protocol == "tcp" ? dual.tcp : dual.udp;
    socket.v6_only = std::find(ports.begin(), ports.end(), socket.port) == ports.end();
  }
}

Result<std::vector<ListeningSocket>> read_sockets(Reader& machine) {
  std::vector<ListeningSocket> out;
  std::map<std::uint64_t, std::size_t> by_inode;
  for (const auto& table : kTables) {
    const auto text = machine.read_file(table.path);
    if (!text.ok() && table.v6 && text.error().code == "system.ENOENT") continue;  // a kernel without IPv6
    if (!text.ok()) return text.error();
    SENTINEL_TRY(const auto entries, parse_socket_table(*text, std::string_view(table.protocol) == "udp"));
    for (const auto& entry : entries) {
      by_inode[entry.inode] = out.size();
      out.push_back({table.protocol, entry.address, entry.port, std::nullopt, ""});
    }
  }
  for (const auto& [inode, process] : holders(by_inode, machine)) out[by_inode[inode]].process = process;
  ask_dual_stack(out, machine);
  return out;
}

}  // namespace

Result<std::vector<SocketEntry>> parse_socket_table(std::string_view text, bool udp) {
  std::vector<SocketEntry> out;
  std::istringstream lines{std::string(text)};
  std::string line;
  std::getline(lines, line);  // the heading
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode_text;
    words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode_text;
    const auto colon = local.find(':');
    const auto address = address_of(std::string_view(local).substr(0, colon));
    const auto port = colon == std::string::npos ? std::nullopt
                                                 : number<std::uint16_t>(std::string_view(local).substr(colon + 1), 16);
    const auto inode = number<std::uint64_t>(inode_text, 10);
    if (!address || !port || !inode)
      return Error("network.malformed", fmt::format("a line of the socket table can't be read: {}", line));
    if (state == (udp ? kUnconnected : kListen)) out.push_back({*address, *port, *inode});
  }
  return out;
}

DualStackPorts parse_dual_stack(std::string_view ss_output) {
  DualStackPorts out;
  std::istringstream lines{std::string(ss_output)};
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string protocol, state, receiving, sending, local;
    words >> protocol >> state >> receiving >> sending >> local;
    if (local.rfind("*:", 0) != 0) continue;
    if (const auto port = number<std::uint16_t>(std::string_view(local).substr(2), 10)) {
      (protocol == "tcp" ? out.tcp : out.udp).push_back(*port);
    }
  }
  return out;
}

Result<const std::vector<ListeningSocket>*> listening_sockets(Look& look) {
  return look.shared<std::vector<ListeningSocket>>([&] { return read_sockets(look.machine()); });
}

}  // namespace sentinel
