// SPDX-License-Identifier: Apache-2.0
// Whether a host's key is the right one: pinned, in known_hosts, or accepted by a person, never silently. Our own
// rules, in place of libssh's: they are the same for direct connections and through jump hosts.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/transport/target.h"

namespace sentinel {

/// A public key as it stands in known_hosts.
struct HostKey {
  std::string type;    ///< "ssh-ed25519"
  std::string base64;  ///< the key blob

  /// "SHA256:…", as ssh-keygen -l prints it; empty when `base64` isn't base64.
  std::string fingerprint() const;
  /// Parses "type base64 [comment]"; error `ssh.host-key-pin`.
  static Result<HostKey> parse(const std::string& text);

  bool operator==(const HostKey&) const = default;
};

/// The question put to a person for a host never seen before.
struct UnknownHost {
  std::string name;  ///< as it would be written to known_hosts: "host" or "[host]:port"
  HostKey key;
  std::string known_hosts_file;  ///< where an accepted key goes
};

/// How unknown keys are treated. Known, pinned, changed and revoked keys are not a matter of policy.
struct HostKeyPolicy {
  bool accept_new = false;  ///< --accept-new-host-key
  /// Asks a person on the terminal; empty when there is none, then an unknown key is refused. Called from the thread
  /// that connects; where many do, the callback serializes. An error ends the connection with that error.
  std::function<Result<bool>(const UnknownHost&)> ask;
};

/// Why a host key was accepted; part of what a session reports.
struct HostKeyDecision {
  enum class Reason { kPinned, kKnown, kAcceptedNew };
  Reason reason = Reason::kKnown;
  HostKey key;
  std::string place;  ///< "file:line" for kKnown, the file written for kAcceptedNew
};

/// Decides about `offered` for `target`; an accepted new key is on disk when this returns. Errors, all with exit code
/// 8: `ssh.host-key-changed` (also for a pin that differs), `ssh.host-key-revoked`, `ssh.host-key-unknown`.
Result<HostKeyDecision> judge_host_key(const SshTarget& target, const HostKey& offered, const HostKeyPolicy& policy);

/// Host key algorithms to ask for, comma separated: those of keys already known first, so that a host known by one type
/// of key isn't taken for an unknown one.
std::string preferred_host_key_algorithms(const SshTarget& target);

}  // namespace sentinel
