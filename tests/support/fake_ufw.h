// SPDX-License-Identifier: Apache-2.0
// UFW and the kernel's filter tables on a FakeSystem: `ufw` edits its files and loads them as ufw 0.36 does,
// iptables-save and iptables-restore see the same tables. Everything lies in files of the fake, so undoing and
// repeating behave as on a host.
#pragma once

#include <string>

#include "core/resources/netfilter.h"
#include "tests/support/fake_system.h"

namespace sentinel {

/// Freshly installed: switched off, no rules, tables that accept.
void put_ufw(FakeSystem& machine);
/// Runs a command line of words without quoting ("ufw allow 22/tcp", "iptables -F INPUT"); fails the program when it
/// fails.
void on_host(FakeSystem& machine, const std::string& line);
FilterTable fake_table(FakeSystem& machine, Family family);

}  // namespace sentinel
