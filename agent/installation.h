// SPDX-License-Identifier: Apache-2.0
// The agent's own footprint on a host: its content-addressed file, the link to the one in charge, and its units.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/system/system.h"

namespace sentinel::agent {

/// SHA-256 of the running executable: read off its content-addressed path, computed only when it runs from elsewhere.
Result<std::string> own_digest(Reader& machine);

/// Makes this agent the one in charge before it changes anything: link, units (written, enabled, loaded) — each only when it
/// isn't already so. An agent that runs from elsewhere copies itself into place first.
Result<void> take_charge(System& machine);

/// Puts a successor's bytes into place; its path is returned, ready to be exec'd.
Result<std::string> install_successor(System& machine, const std::string& bytes, const std::string& sha256);

/// Where the agent with that digest lives.
std::string agent_path(const std::string& sha256);

}  // namespace sentinel::agent
