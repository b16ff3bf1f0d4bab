// SPDX-License-Identifier: Apache-2.0
// The words are those of --help; only the dress is another. Exit codes stand in the page of the program.
#include "cli/man_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

namespace sentinel {
namespace {

constexpr std::array<std::pair<ExitCode, const char*>, 14> kExitCodes{{
    {ExitCode::kDone, "done, or nothing to do"},
    {ExitCode::kFailed, "failed; nothing was left half-done"},
    {ExitCode::kUsage, "wrong usage or configuration"},
    {ExitCode::kChangesPending, "changes are pending (plan, --dry-run)"},
    {ExitCode::kFindings, "findings at or above --fail-on"},
    {ExitCode::kSomeHosts, "some hosts failed, others are done"},
    {ExitCode::kRolledBack, "unhealthy, and rolled back"},
    {ExitCode::kStuck, "failed and not reverted: needs a person"},
    {ExitCode::kUnreachable, "a host can't be reached, or its key was refused"},
    {ExitCode::kLeaseHeld, "another operator is at work on the host"},
    {ExitCode::kStalePlan, "the host is not as the plan saw it"},
    {ExitCode::kInconclusive, "a control could not be judged"},
    {ExitCode::kBug, "a bug in sentinel"},
    {ExitCode::kInterrupted, "interrupted; reverted where it had begun"},
}};

// A line of running text: backslashes and hyphens kept as they are, no accidental requests.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  if (!out.empty() && (out[0] == '.' || out[0] == '\'')) out.insert(0, "\\&");
  return out;
}

// Paragraphs; indented lines are shown as they are.
std::string manual_text(const std::string& manual) {
  std::string out;
  std::istringstream in(manual);
  bool example = false;
  for (std::string line; std::getline(in, line);) {
    const bool indented = line.rfind("  ", 0) == 0;
    if (indented != example) {
      out += indented ? ".PP\n.nf\n" : ".fi\n";
      example = indented;
    }
    out += line.empty() ? ".PP\n" : roff(line) + "\n";
  }
  return example ? out + ".fi\n" : out;
}

std::string options_text(const std::vector<OptionDescription>& options) {
  std::string out;
  for (const OptionDescription& option : options) {
    out += fmt::format(".TP\n.B {}{}\n{}\n", roff(fmt::format("{}", fmt::join(option.names, ", "))),
                       option.value.empty() ? "" : " " + roff(option.value), roff(option.help));
  }
  return out;
}

std::string head(const std::string& name, const std::string& summary) {
  return fmt::format(".TH \"{}\" 1 \"\" \"sentinelctl {}\"\n.SH NAME\n{} \\- {}\n", name, SENTINEL_VERSION, roff(name), roff(summary));
}

std::string program_page(const CommandLine& command_line) {
  std::string out = head("sentinelctl", "configure, watch over and repair the hosts an AI proxy runs on");
  out += ".SH SYNOPSIS\n.B sentinelctl\n.I COMMAND\n[ARGUMENTS] [OPTIONS]\n.SH COMMANDS\n";
  for (const CommandDescription& command : command_line.describe()) {
    out += fmt::format(".TP\n.BR sentinelctl\\-{} (1)\n{}\n", roff(command.name), roff(command.summary));
  }
  out += ".SH OPTIONS\n" + options_text(command_line.global_options()) + ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : kExitCodes) out += fmt::format(".TP\n.B {}\n{}\n", static_cast<int>(code), roff(meaning));
  return out;
}

}  // namespace

Result<std::string> man_page(const CommandLine& command_line, const std::string& command) {
  if (command.empty()) return program_page(command_line);
  SENTINEL_TRY(const auto known, command_line.help(command));
  const auto all = command_line.describe();
  const auto& page = *std::find_if(all.begin(), all.end(), [&](const auto& c) { return c.name == command; });
  std::string out = head("sentinelctl-" + command, page.summary);
  out += fmt::format(".SH SYNOPSIS\n.B sentinelctl {}\n", roff(command));
  for (const OptionDescription& argument : page.arguments) out += fmt::format("[{}]\n", roff(argument.names.front()));
  out += "[OPTIONS]\n.SH DESCRIPTION\n" + manual_text(page.manual);
  if (!page.arguments.empty()) out += ".SH ARGUMENTS\n" + options_text(page.arguments);
  if (!page.options.empty()) out += ".SH OPTIONS\n" + options_text(page.options);
  return out + ".SH SEE ALSO\n.BR sentinelctl (1)\n";
}

}  // namespace sentinel
