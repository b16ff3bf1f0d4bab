// SPDX-License-Identifier: Apache-2.0
// Which SSH session started this process, and when it began: what makes a confirmation trustworthy. SSH_CONNECTION can't
// be used, since sudo strips it and since it says nothing about time.
#pragma once

#include <chrono>
#include <optional>

#include "core/system/reader.h"

namespace sentinel::agent {

struct SshSessionProcess {
  int pid = 0;
  std::chrono::nanoseconds started{0};  ///< since boot; the kernel counts in steps of 10 ms
};

/// The process sshd made for the connection that `pid` belongs to: the topmost ancestor called sshd or sshd-session that
/// isn't the listener. Nothing when `pid` doesn't descend from sshd.
std::optional<SshSessionProcess> find_ssh_session(Reader& machine, int pid);

}  // namespace sentinel::agent
