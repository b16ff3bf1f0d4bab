// SPDX-License-Identifier: Apache-2.0
// Logging in by public key, with as few attempts as possible: hosts count them.
#pragma once

#include "core/transport/credentials.h"
#include "core/transport/libssh_session.h"

namespace sentinel {

/// Offers the keys in order until one is taken; sets state.login_key. A key at hand signs at once (one round trip for
/// the service and one for the key); a key that needs a person or the agent is shown first. Errors `ssh.auth-refused`,
/// `ssh.auth-more`, `ssh.connection-lost`, `ssh.timeout`, `ssh.interrupted`.
Result<void> log_in(SshSession::State& state, const Credentials& credentials, Patience& patience);

}  // namespace sentinel
