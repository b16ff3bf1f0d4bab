// SPDX-License-Identifier: Apache-2.0
// The keys we could log in with, in the order they are offered, found without talking to the host.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/descriptor.h"
#include "core/base/secret.h"
#include "core/transport/agent.h"
#include "core/transport/host_key.h"
#include "core/transport/target.h"

namespace sentinel {

/// One key to offer.
struct Credential {
  std::optional<AgentKey> agent_key;  ///< set: the agent signs
  std::string file;                   ///< private key file, otherwise; for agent keys the file that named it, or empty
  Secret private_key;                 ///< contents of `file`
  bool encrypted = false;             ///< `file` needs a passphrase
  std::optional<HostKey> public_key;  ///< unknown only for encrypted files of old formats without a .pub beside them

  /// "ssh-ed25519 SHA256:… (agent: comment)" or "… (file)".
  std::string describe() const;
};

struct Credentials {
  std::vector<Credential> keys;
  Descriptor agent;  ///< connected when any key is the agent's
};

/// Keys named by the target that the agent has, then (unless identities_only) the agent's others, then files. A key
/// that turns up twice counts once. Without `can_ask`, files that need a passphrase are left out. Errors when nothing
/// is left: `ssh.key-encrypted`, or `ssh.no-key` naming what was looked at; and `ssh.interrupted`.
Result<Credentials> gather_credentials(const SshTarget& target, bool can_ask, Patience& patience);

}  // namespace sentinel
