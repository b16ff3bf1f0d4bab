// SPDX-License-Identifier: Apache-2.0
// The environment an ancestor was started with stays readable in /proc, so no socket table has to be searched.
#include "core/facts/ssh_facts.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <vector>

#include "core/facts/process_tree.h"

namespace sentinel {
namespace {

constexpr std::string_view kVariable = "SSH_CONNECTION=";

bool exists(Reader& machine, const std::string& path) {
  const auto status = machine.status(path);
  return status.ok() && status->type != FileType::kAbsent;
}

bool is_sshd(const ProcessEntry& entry) {
  return entry.name == "sshd" || entry.name == "sshd-session";
}

bool is_address(const std::string& text) {
  unsigned char buffer[sizeof(in6_addr)];
  const auto plain = text.substr(0, text.find('%'));
  return ::inet_pton(AF_INET, plain.c_str(), buffer) == 1 || ::inet_pton(AF_INET6, plain.c_str(), buffer) == 1;
}

}  // namespace

std::string ssh_unit(Reader& machine) {
  for (const char* unit : {"ssh.service", "sshd.service"}) {
    for (const char* directory : {"/usr/lib/systemd/system/", "/lib/systemd/system/", "/etc/systemd/system/"}) {
      if (exists(machine, std::string(directory) + unit)) return unit;
    }
  }
  return {};
}

bool ssh_socket_enabled(Reader& machine) {
  return exists(machine, "/etc/systemd/system/sockets.target.wants/ssh.socket") ||
         exists(machine, "/etc/systemd/system/ssh.service.requires/ssh.socket");
}

std::optional<SshConnection> parse_ssh_connection(const std::string& text) {
  std::vector<std::string> words;
  std::string_view rest = text;
  for (;;) {
    const auto space = rest.find(' ');
    words.emplace_back(rest.substr(0, space));
    if (space == std::string_view::npos) break;
    rest.remove_prefix(space + 1);
  }
  if (words.size() != 4 || !is_address(words[0])) return std::nullopt;
  SshConnection connection{words[0], 0};
  const auto& port = words[3];
  const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), connection.server_port);
  if (failure != std::errc{} || end != port.data() + port.size()) return std::nullopt;
  if (connection.server_port == 0 || connection.server_port > 65535) return std::nullopt;
  // "::ffff:192.0.2.1" is how a dual-stack listener writes an IPv4 client.
  if (connection.client.starts_with("::ffff:") && connection.client.find('.') != std::string::npos)
    connection.client.erase(0, 7);
  return connection;
}

std::optional<SshConnection> connection_in_environ(const std::string& environ) {
  std::string_view rest = environ;
  while (!rest.empty()) {
    const auto entry = rest.substr(0, rest.find('\0'));
    if (entry.starts_with(kVariable)) return parse_ssh_connection(std::string(entry.substr(kVariable.size())));
    rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
  }
  return std::nullopt;
}

std::optional<SshConnection> find_ssh_connection(Reader& machine, const ProcessView& process) {
  const auto own = process.environment.find("SSH_CONNECTION");
  if (own != process.environment.end()) {
    if (auto connection = parse_ssh_connection(own->second)) return connection;
  }
  std::optional<SshConnection> found;
  for (const auto& entry : ancestry(machine, process.pid)) {
    // Without an sshd above, a leftover variable (of a terminal multiplexer, say) means nothing.
    if (is_sshd(entry)) return found;
    if (!found)
      found = connection_in_environ(machine.read_file(fmt::format("/proc/{}/environ", entry.pid)).value_or({}));
  }
  return std::nullopt;
}

void collect_ssh(Reader& machine, const ProcessView& process, Facts& facts) {
  facts.ssh_unit = ssh_unit(machine);
  facts.ssh_socket = ssh_socket_enabled(machine);
  if (const auto connection = find_ssh_connection(machine, process)) {
    facts.ssh_port = connection->server_port;
    facts.ssh_client = connection->client;
  }
}

}  // namespace sentinel
