// SPDX-License-Identifier: Apache-2.0
// Walks /proc/<pid>/stat upwards (proc(5)): comm is in parentheses and may hold anything, ppid is field 4, start time 22.
#include "agent/ssh_session.h"

#include <unistd.h>

#include <charconv>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace sentinel::agent {
namespace {

constexpr int kMaxDepth = 64;

struct Process {
  int pid = 0;
  std::string name;
  int parent = 0;
  std::uint64_t start_ticks = 0;
};

std::optional<Process> read_process(Reader& machine, int pid) {
  const auto text = machine.read_file(fmt::format("/proc/{}/stat", pid));
  if (!text.ok()) return std::nullopt;
  const auto open = text->find('(');
  const auto close = text->rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open) return std::nullopt;
  Process process{pid, text->substr(open + 1, close - open - 1), 0, 0};
  std::vector<std::string_view> fields;  // from field 3 on
  std::string_view rest = std::string_view(*text).substr(std::min(close + 2, text->size()));
  while (!rest.empty()) {
    const auto space = rest.find(' ');
    fields.push_back(rest.substr(0, space));
    rest = space == std::string_view::npos ? std::string_view() : rest.substr(space + 1);
  }
  if (fields.size() < 20) return std::nullopt;
  std::from_chars(fields[1].data(), fields[1].data() + fields[1].size(), process.parent);
  std::from_chars(fields[19].data(), fields[19].data() + fields[19].size(), process.start_ticks);
  return process;
}

bool is_listener(Reader& machine, int pid) {
  // sshd titles itself "sshd: ... [listener] 0 of 10-100 startups" since OpenSSH 8.2.
  const auto title = machine.read_file(fmt::format("/proc/{}/cmdline", pid));
  return title.ok() && title->find("[listener]") != std::string::npos;
}

}  // namespace

std::optional<SshSessionProcess> find_ssh_session(Reader& machine, int pid) {
  std::optional<SshSessionProcess> found;
  const auto ticks_per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  for (int depth = 0; depth < kMaxDepth && pid > 1; ++depth) {
    const auto process = read_process(machine, pid);
    if (!process) break;
    if ((process->name == "sshd" || process->name == "sshd-session") && !is_listener(machine, pid)) {
      found = SshSessionProcess{pid, std::chrono::nanoseconds(process->start_ticks * (1'000'000'000 / ticks_per_second))};
    }
    pid = process->parent;
  }
  return found;
}

}  // namespace sentinel::agent
