// SPDX-License-Identifier: Apache-2.0
// The tree of commands: parsing, and the description of it that help, man pages and completions are made from. Usage errors
// are errors like others, with "did you mean".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/subcommand.h"

namespace sentinel {

struct OptionDescription {
  std::vector<std::string> names;  ///< "-H", "--host"; the one word of an argument
  std::string value;               ///< "PATTERN"; empty: a flag
  std::string help;
  bool repeated = false;
};

struct CommandDescription {
  std::string name;
  std::string summary;
  std::string manual;  ///< text of commands/<name>.md
  std::vector<OptionDescription> options;
  std::vector<OptionDescription> arguments;
  std::vector<std::string> required;   ///< names of arguments that can't be left out
  std::vector<std::string> words;      ///< what the first argument can be, when that is fixed
};

class CommandLine {
 public:
  /// `options` is filled in by parse.
  CommandLine(Subcommands commands, GlobalOptions& options);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  struct Parsed {
    Subcommand* command = nullptr;  ///< null: help is wanted
    std::string help_for;        ///< a command's name, or empty for the whole program
  };

  /// Arguments without the program's name. Errors `usage.…`.
  Result<Parsed> parse(const std::vector<std::string>& arguments);

  std::vector<CommandDescription> describe() const;
  /// Options every command takes.
  std::vector<OptionDescription> global_options() const;
  /// The program's help, or a command's; error `usage.unknown-command`.
  Result<std::string> help(const std::string& command) const;

 private:
  struct Tree;
  Error unknown_command(const std::string& word) const;

  Subcommands commands_;
  std::unique_ptr<Tree> tree_;
};

}  // namespace sentinel
