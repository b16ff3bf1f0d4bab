// SPDX-License-Identifier: Apache-2.0
// An OpenSSH server on a FakeSystem: `sshd -T` answers from the configuration files as sshd would read them, systemctl
// knows when the service last read them, and ssh.socket listens where its drop-in says.
#pragma once

#include "tests/support/fake_system.h"

namespace sentinel {

/// Debian 12's main file with its include, and cloud-init's drop-in that turns passwords on.
void put_sshd(FakeSystem& machine);
/// Lets ssh.socket own the port.
void enable_ssh_socket(FakeSystem& machine);

}  // namespace sentinel
