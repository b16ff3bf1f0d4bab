// SPDX-License-Identifier: Apache-2.0
// What ~/.ssh/config says about one host (ssh_config(5)): first value wins, IdentityFile adds up. A parser of our own,
// so that nothing in the file is ever run, errors have a position, and host keys stay under our own rules. Match knows
// all, host, originalhost, user and localuser; a block with other criteria (such as exec) doesn't apply. Other keywords
// are passed over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace sentinel {

/// Whom the blocks of the file are matched with.
struct SshConfigQuery {
  std::string host;  ///< as the operator wrote it
  std::string user;  ///< remote user when it is given already, else empty
  std::string local_user;
  std::string home;  ///< for ~ and Include
};

/// Values as written: tokens and ~ are not expanded.
struct SshConfig {
  std::optional<std::string> host_name;
  std::optional<std::string> user;
  std::optional<std::uint16_t> port;
  std::vector<std::string> identity_files;
  std::optional<bool> identities_only;
  std::optional<std::string> identity_agent;
  std::optional<std::string> proxy_jump;
  std::optional<std::string> proxy_command;
  Position proxy_command_position;
  std::optional<std::string> host_key_alias;
  std::optional<std::vector<std::string>> user_known_hosts;
  std::optional<std::vector<std::string>> global_known_hosts;
};

/// Adds what `file` says to `into`, which earlier files have filled in. A missing file says nothing. Error `ssh.config`
/// with position for a line that a keyword we use makes no sense of, for a file that can't be read, and for endless
/// Include.
Result<void> read_ssh_config(const std::string& file, const SshConfigQuery& query, SshConfig& into);

}  // namespace sentinel
