// SPDX-License-Identifier: Apache-2.0
// A subcommand of sentinelctl: one object in one file of commands/, which names its arguments and runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/declaration.h"
#include "cli/interruption.h"
#include "cli/options.h"
#include "core/base/exit_code.h"
#include "core/config/assets.h"

namespace sentinel {

class CommandLine;

/// What `main` hands to the command it runs.
struct Context {
  const GlobalOptions& options;
  Console& console;
  Interruption& interruption;
  const Assets& assets;            ///< shipped templates, playbooks and reference files
  const CommandLine& command_line; ///< for the commands that describe the others
};

class Subcommand {
 public:
  virtual ~Subcommand() = default;
  virtual std::string name() const = 0;
  /// One line for the list of commands.
  virtual std::string summary() const = 0;
  /// Names arguments and options; called once, before parsing.
  virtual void declare(Declaration&) {}
  virtual ExitCode run(const Context& context) = 0;
};

using Subcommands = std::vector<std::unique_ptr<Subcommand>>;

/// All of them, in the order of the help text.
Subcommands all_commands();

}  // namespace sentinel
