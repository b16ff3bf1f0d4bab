// SPDX-License-Identifier: Apache-2.0
// Where an SSH connection goes and who logs in: plain data, complete before anything is connected. resolve_target
// merges what the project says with ~/.ssh/config; the project wins, then the configuration file, then OpenSSH's
// defaults.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace sentinel {

/// One machine to log in to. Nothing in here is looked up again later: paths are absolute, tokens are expanded.
struct SshTarget {
  std::string name;     ///< as the operator wrote it; only for messages
  std::string address;  ///< DNS name, or IPv4 or IPv6 literal without brackets
  std::uint16_t port = 22;
  std::string user;

  std::vector<std::string> identities;  ///< private key files (or .pub files of keys in the agent), in order
  /// Offer only `identities` (from the agent when it has them), never the agent's other keys.
  bool identities_only = false;
  std::string agent_socket;  ///< path of the ssh agent's socket; empty: no agent

  std::string host_key_pin;                    ///< "type base64": the one key accepted; empty: known_hosts decides
  std::string host_key_alias;                  ///< name to use in known_hosts in place of `address`; empty: none
  std::vector<std::string> known_hosts_files;  ///< read in order; a new key is appended to the first

  std::shared_ptr<const SshTarget> jump;  ///< reached through this machine, under the same host-key rules

  bool operator==(const SshTarget&) const = default;
};

/// What the project file or the command line says about a host; everything but `address` may be missing.
struct SshRequest {
  std::string name;     ///< host name in the project; empty: `address` is used in messages
  std::string address;  ///< also the name that `Host` patterns of ~/.ssh/config are matched with
  std::optional<std::uint16_t> port;
  std::optional<std::string> user;
  std::string default_user;  ///< where the configuration file names none either; empty: the operator's own name
  std::optional<std::string> identity;    ///< offered first and alone
  std::optional<std::string> host_key;    ///< pin, "type base64"
  std::shared_ptr<const SshTarget> jump;  ///< set: ProxyJump of the configuration file is not looked at
};

/// The operator's surroundings, as data so that tests have their own.
struct SshEnvironment {
  std::string home;           ///< absolute
  std::string user;           ///< login name, the default remote user
  std::string agent_socket;   ///< $SSH_AUTH_SOCK, or empty
  std::string user_config;    ///< ~/.ssh/config; need not exist
  std::string system_config;  ///< /etc/ssh/ssh_config; need not exist
  std::vector<std::string> system_known_hosts;

  /// HOME (or the password file), SSH_AUTH_SOCK and the usual paths.
  static SshEnvironment of_process();
};

/// Errors: `ssh.config…` with position for a configuration file we can't follow, `ssh.config-proxy-command` where it
/// asks for a ProxyCommand (never run), `ssh.host-key-pin` for a pin that isn't "type base64".
Result<SshTarget> resolve_target(const SshRequest& request, const SshEnvironment& environment);

/// Splits "user@host:port", "host", "[::1]:22" or "ssh://user@host:port" into a request. Error `ssh.destination`.
Result<SshRequest> parse_destination(const std::string& text);

/// "user@address", with " port N" where it isn't 22; for messages.
std::string display(const SshTarget& target);

}  // namespace sentinel
