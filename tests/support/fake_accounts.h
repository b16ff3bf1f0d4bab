// SPDX-License-Identifier: Apache-2.0
// The shadow tools on a FakeSystem: useradd, usermod, userdel, groupadd, groupmod, groupdel and gpasswd as far as
// resources use them, with the exit statuses of the real ones (shadow 4.13).
#pragma once

#include "tests/support/fake_system.h"

namespace sentinel {

/// Writes an /etc/passwd and /etc/group with root and the groups adm, sudo and users, and answers the tools.
void put_accounts(FakeSystem& machine);

}  // namespace sentinel
