// SPDX-License-Identifier: Apache-2.0
// Inside of the adapter to libssh: from a target to a logged-in session state. Used for hosts and for jump hosts alike.
#pragma once

#include <memory>

#include "core/transport/libssh_session.h"

namespace sentinel {

/// What SshSession::connect does, without the wrapping.
Result<std::unique_ptr<SshSession::State>> connect_state(const SshTarget& target, const ConnectOptions& options);

}  // namespace sentinel
