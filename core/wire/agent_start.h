// SPDX-License-Identifier: Apache-2.0
// How an agent comes to run on a host: one command line that starts it where it is, lets an older one install its
// successor, or takes its bytes on the same channel into a root-owned, content-addressed place.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sentinel {

/// Where agents live on a host: <root>/<sha256>/sentinel-agent.
inline constexpr std::string_view kAgentRoot = "/usr/local/lib/sentinel";
/// Link to the agent that last changed the host; the way in for a deploy user whose sudo is limited to the agent.
inline constexpr std::string_view kAgentLink = "/usr/local/bin/sentinel-agent";

struct AgentBinary {
  std::string sha256;
  std::string bytes;
};

/// By `uname -m`: "x86_64".
using AgentBinaries = std::map<std::string, AgentBinary>;

enum class Privilege {
  kAlreadyRoot,       ///< logged in as root
  kSudo,              ///< sudo -n
  kSudoWithPassword,  ///< sudo -k -S: the password is written to stdin once the prompt was seen on stderr
};

struct AgentStart {
  Privilege privilege = Privilege::kAlreadyRoot;
  std::string sudo_prompt;     ///< for kSudoWithPassword: random, so that nothing else can look like it
  bool force_upload = false;   ///< don't try what is there: it was found to be broken
};

/// The command line for the login shell (any shell: it only starts sh).
std::string agent_start_command(const AgentBinaries& agents, const AgentStart& start);

/// What the start script says on stdout instead of an agent's preamble, each on a line of its own.
inline constexpr std::string_view kUploadWanted = "SENTINEL-UPLOAD ";        ///< + architecture: now send the bytes
inline constexpr std::string_view kUploadDamaged = "SENTINEL-DAMAGED";       ///< the bytes had another digest
inline constexpr std::string_view kUnsupported = "SENTINEL-UNSUPPORTED ";    ///< + architecture: no build for it

}  // namespace sentinel
