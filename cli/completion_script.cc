// SPDX-License-Identifier: Apache-2.0
// Scripts are static text: completing never starts sentinelctl, so it is instant.
#include "cli/completion_script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sentinel {
namespace {

std::vector<std::string> option_names(const std::vector<OptionDescription>& options) {
  std::vector<std::string> names;
  for (const OptionDescription& option : options) names.insert(names.end(), option.names.begin(), option.names.end());
  return names;
}

std::vector<std::string> command_names(const std::vector<CommandDescription>& commands) {
  std::vector<std::string> names;
  for (const CommandDescription& command : commands) names.push_back(command.name);
  return names;
}

// In single quotes, for a shell word.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string for_bash(const std::vector<CommandDescription>& commands, const std::vector<std::string>& global) {
  std::string cases;
  for (const CommandDescription& command : commands) {
    std::vector<std::string> words = option_names(command.options);
    words.insert(words.end(), command.words.begin(), command.words.end());
    cases += fmt::format("    {}) words=\"{}\" ;;\n", command.name, fmt::join(words, " "));
  }
  return fmt::format(R"(# bash completion for sentinelctl
_sentinelctl() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" command="" words="" i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case "${{COMP_WORDS[i]}}" in
      {0}) command="${{COMP_WORDS[i]}}"; break ;;
    esac
  done
  case "$command" in
    "") words="{1}" ;;
{2}  esac
  COMPREPLY=($(compgen -W "$words {3}" -- "$current"))
  if [[ -n "$command" && "$current" != -* ]]; then
    COMPREPLY+=($(compgen -f -- "$current"))
  fi
}}
complete -o filenames -F _sentinelctl sentinelctl
)",
                     fmt::join(command_names(commands), "|"), fmt::join(command_names(commands), " "), cases, fmt::join(global, " "));
}

// name:help pairs as _describe wants them.
std::string zsh_entries(const std::vector<OptionDescription>& options) {
  std::string out;
  for (const OptionDescription& option : options) {
    for (const std::string& name : option.names) out += " " + quoted(name + ":" + option.help);
  }
  return out;
}

std::string for_zsh(const std::vector<CommandDescription>& commands, const std::vector<OptionDescription>& global) {
  std::string names;
  std::string cases;
  for (const CommandDescription& command : commands) {
    names += " " + quoted(command.name + ":" + command.summary);
    std::string words;
    for (const std::string& word : command.words) words += " " + quoted(word);
    cases += fmt::format("    {}) options+=({}); words_of=({}) ;;\n", command.name, zsh_entries(command.options), words);
  }
  return fmt::format(R"(#compdef sentinelctl
_sentinelctl() {{
  local -a commands options words_of
  local command="" word
  commands=({0})
  options=({1})
  for word in "${{words[@]:1:$((CURRENT - 2))}}"; do
    if [[ -n "${{commands[(r)$word:*]}}" ]]; then command="$word"; break; fi
  done
  case "$command" in
    "") _describe command commands ;;
{2}  esac
  if [[ "${{words[CURRENT]}}" == -* ]]; then
    _describe option options
  elif [[ -n "$command" ]]; then
    (( $#words_of )) && compadd -a words_of
    _files
  fi
}}
_sentinelctl "$@"
)",
                     names, zsh_entries(global), cases);
}

std::string fish_options(const std::string& condition, const std::vector<OptionDescription>& options) {
  std::string out;
  for (const OptionDescription& option : options) {
    std::string line = "complete -c sentinelctl" + condition;
    for (const std::string& name : option.names) line += name.rfind("--", 0) == 0 ? " -l " + name.substr(2) : " -s " + name.substr(1);
    if (!option.value.empty()) line += " -r";
    out += line + " -d " + quoted(option.help) + "\n";
  }
  return out;
}

std::string for_fish(const std::vector<CommandDescription>& commands, const std::vector<OptionDescription>& global) {
  std::string out = "# fish completion for sentinelctl\n";
  for (const CommandDescription& command : commands) {
    out += fmt::format("complete -c sentinelctl -n __fish_use_subcommand -f -a {} -d {}\n", command.name, quoted(command.summary));
  }
  for (const CommandDescription& command : commands) {
    const std::string condition = fmt::format(" -n '__fish_seen_subcommand_from {}'", command.name);
    if (!command.words.empty()) {
      out += fmt::format("complete -c sentinelctl{} -f -a {}\n", condition, quoted(fmt::format("{}", fmt::join(command.words, " "))));
    }
    out += fish_options(condition, command.options);
  }
  return out + fish_options("", global);
}

}  // namespace

std::string completion_script(const std::string& shell, const CommandLine& command_line) {
  auto commands = command_line.describe();
  const auto global = command_line.global_options();
  for (CommandDescription& command : commands) {
    if (command.name == "help") command.words = command_names(commands);
  }
  if (shell == "bash") return for_bash(commands, option_names(global));
  return shell == "zsh" ? for_zsh(commands, global) : for_fish(commands, global);
}

}  // namespace sentinel
