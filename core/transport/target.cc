// SPDX-License-Identifier: Apache-2.0
// Merging of project, configuration files and defaults. A host named in ProxyJump is resolved the same way, with its
// own blocks of the configuration file.
#include "core/transport/target.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/environment.h"
#include "core/transport/host_key.h"
#include "core/transport/ssh_config.h"

namespace sentinel {

namespace {

constexpr int kMostJumps = 8;

Error bad_destination(const std::string& text, const std::string& why) {
  return {"ssh.destination", fmt::format("'{}' is not a host to connect to: {}", text, why),
          "write it as user@host or user@host:port", ExitCode::kUsage};
}

Result<std::uint16_t> parse_port(const std::string& text, const std::string& whole) {
  unsigned int number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size() || number == 0 || number > 65535) {
    return bad_destination(whole, fmt::format("'{}' is not a port", text));
  }
  return static_cast<std::uint16_t>(number);
}

/// Expands ~, the %-tokens of ssh_config(5) that make sense here, and nothing else.
struct Expander {
  const SshEnvironment& environment;
  const SshTarget& target;
  std::string original_host;

  std::string operator()(const std::string& text) const {
    std::string out;
    std::string rest = text;
    if (rest == "~" || rest.rfind("~/", 0) == 0) {
      out = environment.home;
      rest.erase(0, 1);
    }
    for (std::size_t i = 0; i < rest.size(); ++i) {
      if (rest[i] != '%' || i + 1 == rest.size()) {
        out += rest[i];
        continue;
      }
      switch (rest[++i]) {
        case '%': out += '%'; break;
        case 'd': out += environment.home; break;
        case 'h': out += target.address; break;
        case 'k': out += target.host_key_alias.empty() ? original_host : target.host_key_alias; break;
        case 'n': out += original_host; break;
        case 'p': out += std::to_string(target.port); break;
        case 'r': out += target.user; break;
        case 'u': out += environment.user; break;
        default: out += {'%', rest[i]}; break;
      }
    }
    return out;
  }
};

std::string without_brackets(const std::string& address) {
  const bool bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
  return bracketed ? address.substr(1, address.size() - 2) : address;
}

Result<void> check_address(const std::string& address) {
  const bool odd =
      std::any_of(address.begin(), address.end(), [](unsigned char c) { return c <= ' ' || c == 127 || c == '/'; });
  if (address.empty() || address.front() == '-' || odd) return bad_destination(address, "not a name or an address");
  return {};
}

void choose_keys(const SshRequest& request, const SshConfig& config, const Expander& expand, SshTarget& target) {
  const SshEnvironment& environment = expand.environment;
  target.agent_socket = environment.agent_socket;
  if (config.identity_agent && *config.identity_agent == "none") target.agent_socket.clear();
  if (config.identity_agent && *config.identity_agent != "none" && *config.identity_agent != "SSH_AUTH_SOCK") {
    target.agent_socket = expand(*config.identity_agent);
  }
  if (request.identity) {
    target.identities = {expand(*request.identity)};
    target.identities_only = true;
    return;
  }
  target.identities_only = config.identities_only.value_or(false);
  for (const std::string& file : config.identity_files) {
    if (file != "none") target.identities.push_back(expand(file));
  }
  if (!config.identity_files.empty()) return;
  for (const char* name : {"id_ed25519", "id_ecdsa", "id_rsa"}) {
    target.identities.push_back(fmt::format("{}/.ssh/{}", environment.home, name));
  }
}

void choose_known_hosts(const SshConfig& config, const Expander& expand, SshTarget& target) {
  const std::string directory = expand.environment.home + "/.ssh/";
  const auto user =
      config.user_known_hosts.value_or(std::vector<std::string>{directory + "known_hosts", directory + "known_hosts2"});
  const auto system = config.global_known_hosts.value_or(expand.environment.system_known_hosts);
  for (const auto* list : {&user, &system}) {
    for (const std::string& file : *list) {
      if (file != "none" && file != "/dev/null") target.known_hosts_files.push_back(expand(file));
    }
  }
}

Result<SshTarget> resolve(const SshRequest& request, const SshEnvironment& environment, int depth);

/// "[user@]host[:port],…": the last one is next to the target, each is reached through the one before.
Result<std::shared_ptr<const SshTarget>> resolve_jumps(const std::string& list, const SshEnvironment& environment,
                                                       int depth) {
  std::shared_ptr<const SshTarget> last;
  for (std::size_t start = 0; start <= list.size();) {
    const std::size_t end = std::min(list.find(',', start), list.size());
    SENTINEL_TRY(SshRequest request, parse_destination(list.substr(start, end - start)));
    request.jump = last;
    SENTINEL_TRY(SshTarget target, resolve(request, environment, depth + 1));
    last = std::make_shared<const SshTarget>(std::move(target));
    start = end + 1;
  }
  return last;
}

Result<SshTarget> resolve(const SshRequest& request, const SshEnvironment& environment, int depth) {
  if (depth > kMostJumps) {
    return Error("ssh.config",
                 fmt::format("the jump hosts of '{}' lead through each other without end", request.address),
                 "look at ProxyJump in the SSH configuration", ExitCode::kUsage);
  }
  const std::string original = without_brackets(request.address);
  SENTINEL_CHECK(check_address(original));
  SshConfig config;
  const SshConfigQuery query{original, request.user.value_or(""), environment.user, environment.home};
  for (const std::string& file : {environment.user_config, environment.system_config}) {
    if (!file.empty()) SENTINEL_CHECK(read_ssh_config(file, query, config));
  }

  SshTarget target;
  target.name = request.name.empty() ? original : request.name;
  const Expander expand{environment, target, original};
  target.address = original;
  if (config.host_name) target.address = without_brackets(expand(*config.host_name));
  SENTINEL_CHECK(check_address(target.address));
  target.port = request.port.value_or(config.port.value_or(22));
  const std::string& default_user = request.default_user.empty() ? environment.user : request.default_user;
  target.user = request.user.value_or(config.user.value_or(default_user));
  target.host_key_alias = config.host_key_alias.value_or("");
  choose_keys(request, config, expand, target);
  choose_known_hosts(config, expand, target);
  if (request.host_key) {
    SENTINEL_TRY(const HostKey pin, HostKey::parse(*request.host_key));
    target.host_key_pin = fmt::format("{} {}", pin.type, pin.base64);
  }

  target.jump = request.jump;
  if (target.jump == nullptr && config.proxy_jump && *config.proxy_jump != "none") {
    SENTINEL_TRY(target.jump, resolve_jumps(*config.proxy_jump, environment, depth));
  }
  if (target.jump == nullptr && config.proxy_command && *config.proxy_command != "none") {
    return Error("ssh.config-proxy-command",
                 fmt::format("'{}' is to be reached by a ProxyCommand, which is never run", original),
                 "use ProxyJump there, or `jump` in the project", ExitCode::kUsage)
        .at(config.proxy_command_position);
  }
  return target;
}

}  // namespace

SshEnvironment SshEnvironment::of_process() {
  SshEnvironment found;
  std::array<char, 4096> buffer;
  passwd entry{};
  passwd* result = nullptr;
  if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &result) == 0 && result != nullptr) {
    found.user = entry.pw_name;
    found.home = entry.pw_dir;
  }
  found.home = environment_variable("HOME").value_or(found.home);
  found.agent_socket = environment_variable("SSH_AUTH_SOCK").value_or("");
  found.user_config = found.home + "/.ssh/config";
  found.system_config = "/etc/ssh/ssh_config";
  found.system_known_hosts = {"/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"};
  return found;
}

Result<SshTarget> resolve_target(const SshRequest& request, const SshEnvironment& environment) {
  return resolve(request, environment, 0);
}

Result<SshRequest> parse_destination(const std::string& text) {
  std::string rest = text;
  SshRequest request;
  if (rest.rfind("ssh://", 0) == 0) {
    rest.erase(0, 6);
    if (!rest.empty() && rest.back() == '/') rest.pop_back();
  }
  if (const std::size_t at = rest.rfind('@'); at != std::string::npos) {
    if (at == 0) return bad_destination(text, "the user is missing");
    request.user = rest.substr(0, at);
    rest.erase(0, at + 1);
  }
  const std::size_t close = rest.find(']');
  const std::size_t colon = rest.rfind(':');
  const bool bracketed = !rest.empty() && rest.front() == '[' && close != std::string::npos;
  // A bare IPv6 address has several colons and no port.
  const bool has_port = colon != std::string::npos && (bracketed ? colon == close + 1 : rest.find(':') == colon);
  if (has_port) {
    SENTINEL_TRY(request.port, parse_port(rest.substr(colon + 1), text));
    rest.erase(colon);
  }
  request.address = without_brackets(rest);
  if (!check_address(request.address).ok()) return bad_destination(text, "the host is missing or malformed");
  return request;
}

std::string display(const SshTarget& target) {
  const std::string place = target.port == 22 ? target.address : fmt::format("{} port {}", target.address, target.port);
  return target.user.empty() ? place : fmt::format("{}@{}", target.user, place);
}

}  // namespace sentinel
