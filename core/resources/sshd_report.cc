// SPDX-License-Identifier: Apache-2.0
// Under ssh.socket no daemon may have run yet, and then /run/sshd, which sshd insists on, isn't there (seen on Debian
// 12 and 13). It is shown one in a mount namespace of its own: looking must not change the host.
#include "core/resources/sshd_report.h"

#include <string_view>

namespace sentinel {
namespace {

constexpr const char* kProgram = "/usr/sbin/sshd";

Result<CommandResult> ask(Reader& machine) {
  CommandLine command;
  SENTINEL_TRY(const auto directory, machine.status("/run/sshd"));
  if (directory.type == FileType::kDirectory) {
    command.argv = {kProgram, "-T"};
  } else {
    command.argv = {"unshare",
                    "--mount",
                    "--propagation",
                    "private",
                    "sh",
                    "-c",
                    "mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && exec /usr/sbin/sshd -T"};
  }
  return machine.query(command);
}

}  // namespace

std::map<std::string, std::string> parse_sshd_report(const std::string& text) {
  std::map<std::string, std::string> values;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto space = line.find(' ');
    if (space == std::string_view::npos) continue;
    auto& value = values[std::string(line.substr(0, space))];
    if (!value.empty()) value += ' ';
    value += line.substr(space + 1);
  }
  return values;
}

Result<const SshdReport*> sshd_report(Look& look) {
  return look.shared<SshdReport>([&]() -> Result<SshdReport> {
    SshdReport report;
    SENTINEL_TRY(const auto program, look.machine().status(kProgram));
    report.installed = program.type == FileType::kRegular;
    if (!report.installed) return report;
    SENTINEL_TRY(const auto result, ask(look.machine()));
    if (result.status == 0) {
      report.values = parse_sshd_report(result.output);
    } else {
      report.problem = result.errors.substr(0, result.errors.find('\n'));
      if (report.problem.empty()) report.problem = "exit status " + std::to_string(result.status);
    }
    return report;
  });
}

}  // namespace sentinel
