// SPDX-License-Identifier: Apache-2.0
// The firewall as it is, put back as it was: ufw's files, and per family the policies of the built-in chains and ufw's
// own chains of table filter. They go back by one iptables-restore --noflush a family that names only those chains: one
// atomic commit, which holds up new connections for milliseconds. Docker's and fail2ban's chains and table nat are
// never touched.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/system/system.h"

namespace sentinel {

/// JSON text. A host without ufw has a snapshot too: of its policies, and of there being no files.
Result<std::string> capture_firewall(Reader& machine);

/// Files, kernel parameters that ufw sets, then the rules of both families. Idempotent.
Result<void> restore_firewall(const std::string& snapshot, System& machine);

/// The files alone, for early boot.
Result<void> restore_firewall_files(const std::string& snapshot, System& machine);

}  // namespace sentinel
