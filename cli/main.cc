// SPDX-License-Identifier: Apache-2.0
// sentinelctl: builds the objects, parses, runs one command. The only catch-all of the program is here.
#include <signal.h>

#include <cstdio>
#include <exception>

#include <fmt/format.h>

#include "cli/command_line.h"
#include "cli/shipped_assets.h"
#include "core/report/diagnostic.h"

namespace sentinel {
namespace {

ExitCode run(const std::vector<std::string>& arguments) {
  GlobalOptions options;
  CommandLine command_line(all_commands(), options);
  auto parsed = command_line.parse(arguments);
  Interruption interruption;
  const Interruption::Watch gave_up(interruption, 1);
  Console console({options.json, options.events, options.no_colour}, gave_up.fd());
  if (!parsed.ok()) return console.fail(parsed.error());
  if (parsed->command == nullptr) {
    const auto help = command_line.help(parsed->help_for);
    if (!help.ok()) return console.fail(help.error());
    console.raw(*help);
    return ExitCode::kDone;
  }
  const Assets assets = shipped_assets();
  const ExitCode code = parsed->command->run({options, console, interruption, assets, command_line});
  if (console.output_failed() && code == ExitCode::kDone) return ExitCode::kFailed;
  return code;
}

}  // namespace
}  // namespace sentinel

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  try {
    return static_cast<int>(sentinel::run(std::vector<std::string>(argv + 1, argv + argc)));
  } catch (const std::exception& failure) {
    fmt::print(stderr, "error[bug]: {}\n hint: this is a bug in sentinelctl; please report it with the command line\n", failure.what());
    return static_cast<int>(sentinel::ExitCode::kBug);
  }
}
