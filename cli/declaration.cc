// SPDX-License-Identifier: Apache-2.0
// Thin over CLI11; its checks give the messages that command_line.cc turns into our errors.
#include "cli/declaration.h"

#include <CLI/CLI.hpp>

namespace sentinel {

void Declaration::argument(const std::string& name, std::string& target, const std::string& help) {
  app_.add_option(name, target, help);
}

void Declaration::required_argument(const std::string& name, std::string& target, const std::string& help) {
  app_.add_option(name, target, help)->required();
}

void Declaration::arguments(const std::string& name, std::vector<std::string>& target, const std::string& help) {
  app_.add_option(name, target, help);
}

void Declaration::choice(const std::string& name, std::string& target, const std::vector<std::string>& words,
                         const std::string& help) {
  words_ = words;
  app_.add_option(name, target, help)->required()->check(CLI::IsMember(words));
}

void Declaration::option(const std::string& names, const std::string& value, std::string& target, const std::string& help) {
  app_.add_option(names, target, help)->type_name(value);
}

void Declaration::option(const std::string& names, const std::string& value, unsigned& target, unsigned low, unsigned high,
                         const std::string& help) {
  app_.add_option(names, target, help)->check(CLI::Range(low, high))->type_name(value);
}

void Declaration::option(const std::string& names, const std::string& value, std::optional<std::uint64_t>& target,
                         const std::string& help) {
  app_.add_option(names, target, help)->type_name(value);
}

void Declaration::option(const std::string& names, const std::string& value, std::vector<std::string>& target,
                         const std::string& help) {
  app_.add_option(names, target, help)->type_name(value)->type_size(1)->allow_extra_args(false);
}

void Declaration::flag(const std::string& names, bool& target, const std::string& help) { app_.add_flag(names, target, help); }

}  // namespace sentinel
