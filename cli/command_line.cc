// SPDX-License-Identifier: Apache-2.0
// CLI11 does the parsing; its exceptions end here. Commands may be followed by global options (fallthrough).
#include "cli/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include <CLI/CLI.hpp>

#include "cli/embedded.h"
#include "core/base/suggest.h"

namespace sentinel {
namespace {

Error usage(std::string code, std::string message, std::string hint) {
  return Error("usage." + std::move(code), std::move(message), std::move(hint), ExitCode::kUsage);
}

void declare_globals(Declaration& d, GlobalOptions& o) {
  d.option("-C,--project", "DIR", o.directory, "the project's directory (default: the current one)");
  d.option("-H,--host", "PATTERN", o.hosts, "only these hosts: names, tags or globs, comma separated, !x takes away");
  d.option("--set", "KEY=VALUE", o.settings, "set a variable; wins over project and host");
  d.option("--parallel", "N", o.parallel, 1, 1000, "hosts worked on at the same time (default 32)");
  d.flag("--json", o.json, "machine-readable output");
  d.flag("--events", o.events, "JSON lines while it runs, then the result as the last line");
  d.flag("-y,--yes", o.yes, "go on without a question");
  d.flag("--dry-run", o.dry_run, "only show what would change; exit 3 when something would");
  d.flag("--no-color", o.no_colour, "no colours (also by the variable NO_COLOR)");
  d.flag("-v,--verbose", o.verbose, "whole diffs, and more about what is going on");
  d.option("--connect-timeout", "S", o.connect_timeout, 1, 3600, "seconds to wait at each step of a connection (default 10)");
  d.flag("--accept-new-host-key", o.accept_new_host_key, "trust hosts never seen before; changed keys are still refused");
  d.flag("--ask-sudo-password", o.ask_sudo_password, "ask for the password sudo wants on the hosts");
  d.option("--confirm-timeout", "S", o.confirm_timeout, 5, 3600, "seconds until an unconfirmed change is reverted (default 60)");
  d.option("--wait", "S", o.wait, 0, 86400, "seconds to wait for a lease that another operator holds");
}

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const auto& name : option.get_snames()) names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

OptionDescription describe_option(const CLI::Option& option) {
  OptionDescription description;
  description.names = names_of(option);
  if (option.get_expected_max() > 0 && option.get_type_size() > 0) {
    const std::string type = option.get_type_name();  // CLI11 adds the check: "N:UINT in [1 - 1000]"
    description.value = type.substr(0, type.find(':'));
  }
  description.help = option.get_description();
  description.repeated = option.get_expected_max() > 1;
  return description;
}

std::string manual_of(const std::string& command) {
  for (const EmbeddedFile& file : manual_files()) {
    if (file.name == "cli/commands/" + command + ".md") return std::string(file.bytes);
  }
  return {};
}

// "  -H, --host PATTERN   only these hosts": options in two columns.
std::string option_lines(const std::vector<OptionDescription>& options) {
  constexpr std::size_t kColumn = 30;
  std::string out;
  for (const OptionDescription& option : options) {
    std::string left = fmt::format("  {}", fmt::join(option.names, ", "));
    if (!option.value.empty()) left += " " + option.value;
    if (left.size() + 2 > kColumn) {
      out += fmt::format("{}\n{:{}}{}\n", left, "", kColumn, option.help);
    } else {
      out += fmt::format("{:<{}}{}\n", left, kColumn, option.help);
    }
  }
  return out;
}

std::string usage_line(const CommandDescription& command) {
  std::string line = "Usage: sentinelctl " + command.name;
  for (const OptionDescription& argument : command.arguments) {
    const bool required =
        std::find(command.required.begin(), command.required.end(), argument.names.front()) != command.required.end();
    const std::string name = argument.names.front() + (argument.repeated ? "..." : "");
    line += required ? " " + name : " [" + name + "]";
  }
  return line + " [OPTIONS]\n";
}

}  // namespace

struct CommandLine::Tree {
  CLI::App app{"Configures, watches over and repairs the hosts an AI proxy runs on.", "sentinelctl"};
  struct Entry {
    CLI::App* app;
    std::vector<std::string> words;
  };
  std::vector<Entry> commands;  // in the order of commands_
};

CommandLine::CommandLine(Subcommands commands, GlobalOptions& options)
    : commands_(std::move(commands)), tree_(std::make_unique<Tree>()) {
  CLI::App& app = tree_->app;
  app.set_help_flag();
  app.require_subcommand(0, 1);
  Declaration globals(app);
  declare_globals(globals, options);
  for (const auto& command : commands_) {
    CLI::App* sub = app.add_subcommand(command->name(), command->summary());
    sub->set_help_flag();
    sub->fallthrough();
    Declaration declaration(*sub);
    command->declare(declaration);
    tree_->commands.push_back({sub, declaration.words()});
  }
}

CommandLine::~CommandLine() = default;

Error CommandLine::unknown_command(const std::string& word) const {
  std::vector<std::string> names;
  names.reserve(commands_.size());
  for (const auto& command : commands_) names.push_back(command->name());
  const std::string suggestion = did_you_mean(word, names);
  return usage("unknown-command", fmt::format("there is no command '{}'", word),
               suggestion.empty() ? "see sentinelctl --help" : suggestion);
}

Result<CommandLine::Parsed> CommandLine::parse(const std::vector<std::string>& arguments) {
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  if (std::find(arguments.begin(), end, "-h") != end || std::find(arguments.begin(), end, "--help") != end) {
    for (const auto& argument : arguments) {
      const auto is_it = [&](const auto& command) { return command->name() == argument; };
      if (std::any_of(commands_.begin(), commands_.end(), is_it)) return Parsed{nullptr, argument};
    }
    return Parsed{};
  }
  CLI::App& app = tree_->app;
  std::string failure;
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    failure = error.what();
  }
  const auto chosen = app.get_subcommands();
  for (const std::string& rest : app.remaining(true)) {
    if (rest.rfind('-', 0) != 0 && chosen.empty()) return unknown_command(rest);
    if (rest.rfind('-', 0) != 0) break;
    std::vector<std::string> known;
    for (const CLI::Option* option : app.get_options()) {
      for (auto& name : names_of(*option)) known.push_back(name);
    }
    if (!chosen.empty()) {
      for (const CLI::Option* option : chosen.front()->get_options()) {
        for (auto& name : names_of(*option)) known.push_back(name);
      }
    }
    const std::string suggestion = did_you_mean(rest.substr(0, rest.find('=')), known);
    return usage("unknown-option", fmt::format("there is no option '{}'{}", rest, chosen.empty() ? "" : " for " + chosen.front()->get_name()),
                 suggestion.empty() ? "see sentinelctl --help" : suggestion);
  }
  const std::string see = chosen.empty() ? "see sentinelctl --help" : fmt::format("see sentinelctl {} --help", chosen.front()->get_name());
  if (!failure.empty()) return usage("arguments", failure, see);
  if (chosen.empty()) return usage("no-command", "no command was given", "see sentinelctl --help");
  const auto is_chosen = [&](const Tree::Entry& entry) { return entry.app == chosen.front(); };
  const auto index = std::find_if(tree_->commands.begin(), tree_->commands.end(), is_chosen) - tree_->commands.begin();
  return Parsed{commands_[static_cast<std::size_t>(index)].get(), {}};
}

std::vector<OptionDescription> CommandLine::global_options() const {
  std::vector<OptionDescription> options;
  for (const CLI::Option* option : tree_->app.get_options()) options.push_back(describe_option(*option));
  options.push_back({{"-h", "--help"}, "", "this text; after a command, its manual", false});
  return options;
}

std::vector<CommandDescription> CommandLine::describe() const {
  std::vector<CommandDescription> descriptions;
  for (const auto& [command, words] : tree_->commands) {
    CommandDescription description{command->get_name(), command->get_description(), manual_of(command->get_name()), {}, {}, {}, words};
    for (const CLI::Option* option : command->get_options()) {
      if (!option->get_positional()) {
        description.options.push_back(describe_option(*option));
        continue;
      }
      OptionDescription argument = describe_option(*option);
      argument.names = {option->get_name(true)};
      argument.value.clear();
      if (option->get_required()) description.required.push_back(argument.names.front());
      description.arguments.push_back(std::move(argument));
    }
    descriptions.push_back(std::move(description));
  }
  return descriptions;
}

Result<std::string> CommandLine::help(const std::string& command) const {
  const auto descriptions = describe();
  if (command.empty()) {
    std::string text = fmt::format("sentinelctl {}: {}\n\nUsage: sentinelctl COMMAND [ARGUMENTS] [OPTIONS]\n\nCommands:\n",
                                   SENTINEL_VERSION, tree_->app.get_description());
    for (const auto& description : descriptions) text += fmt::format("  {:<12}{}\n", description.name, description.summary);
    return text + "\nOptions:\n" + option_lines(global_options()) +
           "\nsentinelctl COMMAND --help tells more about a command.\n";
  }
  for (const auto& description : descriptions) {
    if (description.name != command) continue;
    std::string text = fmt::format("sentinelctl {}: {}\n\n{}", command, description.summary, usage_line(description));
    if (!description.manual.empty()) text += "\n" + description.manual;
    if (!description.arguments.empty()) text += "\nArguments:\n" + option_lines(description.arguments);
    if (!description.options.empty()) text += "\nOptions of this command:\n" + option_lines(description.options);
    return text + "\nOptions of every command:\n" + option_lines(global_options());
  }
  return unknown_command(command);
}

}  // namespace sentinel
