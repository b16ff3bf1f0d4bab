// SPDX-License-Identifier: Apache-2.0
// The listener is told from a session by its title: "sshd: ... [listener] 0 of 10-100 startups" since OpenSSH 8.2.
#include "agent/ssh_session.h"

#include <unistd.h>

#include <fmt/format.h>

#include "core/facts/process_tree.h"

namespace sentinel::agent {
namespace {

bool is_listener(Reader& machine, int pid) {
  const auto title = machine.read_file(fmt::format("/proc/{}/cmdline", pid));
  return title.ok() && title->find("[listener]") != std::string::npos;
}

}  // namespace

std::optional<SshSessionProcess> find_ssh_session(Reader& machine, int pid) {
  std::optional<SshSessionProcess> found;
  const auto ticks_per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  for (const auto& process : ancestry(machine, pid)) {
    if ((process.name == "sshd" || process.name == "sshd-session") && !is_listener(machine, process.pid)) {
      found = SshSessionProcess{process.pid, std::chrono::nanoseconds(process.start_ticks * (1'000'000'000 / ticks_per_second))};
    }
  }
  return found;
}

}  // namespace sentinel::agent
