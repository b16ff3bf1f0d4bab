// SPDX-License-Identifier: Apache-2.0
// Plain POSIX sh and coreutils, so that nothing has to be installed. `head -c` reads no byte more than it was told from a
// pipe, so what follows the upload on stdin is the agent's.
#include "core/wire/agent_start.h"

#include <fmt/format.h>

#include "core/base/quote.h"

namespace sentinel {
namespace {

// Runs as root: takes the bytes into the final directory under a temporary name, checks, syncs, renames, starts.
std::string upload_script() {
  return fmt::format(
      "umask 022; l={root}/$1; a=$l/sentinel-agent; t=$l/.upload.$$; "
      "mkdir -p \"$l\" && printf '{wanted}%s\\n' \"$3\" && head -c \"$2\" > \"$t\" || exit 1; "
      "if [ \"$(sha256sum < \"$t\" | cut -d' ' -f1)\" != \"$1\" ]; then rm -f \"$t\"; echo {damaged}; exit 65; fi; "
      "chmod 755 \"$t\" && sync \"$t\" && mv \"$t\" \"$a\" && sync \"$l\" && exec \"$a\" serve",
      fmt::arg("root", kAgentRoot), fmt::arg("wanted", kUploadWanted), fmt::arg("damaged", kUploadDamaged));
}

std::string privilege_prefix(const AgentStart& start) {
  switch (start.privilege) {
    case Privilege::kAlreadyRoot: return "";
    case Privilege::kSudo: return "sudo -n ";
    case Privilege::kSudoWithPassword: return fmt::format("sudo -k -S -p {} ", shell_quote(start.sudo_prompt));
  }
  return "";
}

}  // namespace

std::string agent_start_command(const AgentBinaries& agents, const AgentStart& start) {
  std::string cases;
  for (const auto& [architecture, agent] : agents) {
    cases += fmt::format("{}) d={} s={};; ", shell_quote(architecture), agent.sha256, agent.bytes.size());
  }
  const std::string root = privilege_prefix(start);
  std::string script = fmt::format("m=$(uname -m); case $m in {}*) echo \"{}$m\"; exit 69;; esac; a={}/$d/sentinel-agent; ",
                                   cases, kUnsupported, kAgentRoot);
  if (!start.force_upload) {
    script += fmt::format("[ -x $a ] && exec {root}$a serve; [ -x {link} ] && exec {root}{link} serve; ",
                          fmt::arg("root", root), fmt::arg("link", kAgentLink));
  }
  script += fmt::format("exec {}sh -c {} sh $d $s $m", root, shell_quote(upload_script()));
  return "exec sh -c " + shell_quote(script);
}

}  // namespace sentinel
