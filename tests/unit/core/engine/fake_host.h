// SPDX-License-Identifier: Apache-2.0
// A small host in memory: FakeSystem with just enough of systemd, apt, dpkg and the account tools that a realistic list
// of resources can be applied, reverted and looked at. All of its state lies in the fake's tree, so a "crash" loses
// nothing.
#pragma once

#include <string>
#include <vector>

#include "core/model/request.h"
#include "tests/support/fake_system.h"

namespace sentinel {

/// Installs the handlers and a base system: dpkg's status, accounts, a unit "sshd.service" that runs.
void furnish(FakeSystem& machine);

/// Puts a blob where the store looks for it, and returns its reference.
ContentRef store_content(FakeSystem& machine, const Content& content);

/// One of most kinds: a directory, files new, changed and removed, one with a secret, a link, packages, an account, a
/// unit of our own, services, kernel parameters, a command with an undo.
Request realistic_request(FakeSystem& machine);

/// A resource whose mistakes can lock out: arms the guard, and owes a reload of the running sshd.
Resource risky_resource(FakeSystem& machine);

bool is_running(const FakeSystem& machine, const std::string& unit);

/// The tree without what Sentinel keeps for itself and without the fake's clocks.
std::map<std::string, FakeSystem::Node> managed_tree(const FakeSystem& machine);

}  // namespace sentinel
