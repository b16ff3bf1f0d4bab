// SPDX-License-Identifier: Apache-2.0
// How commands name their arguments and options, so that only command_line.cc and declaration.cc include CLI11.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace sentinel {

class Declaration {
 public:
  explicit Declaration(CLI::App& app) : app_(app) {}

  /// A positional argument; `name` is upper case ("DIR").
  void argument(const std::string& name, std::string& target, const std::string& help);
  void required_argument(const std::string& name, std::string& target, const std::string& help);
  void arguments(const std::string& name, std::vector<std::string>& target, const std::string& help);
  /// A required argument that takes one of a few words.
  void choice(const std::string& name, std::string& target, const std::vector<std::string>& words, const std::string& help);

  /// `names` as in "-H,--host", `value` names what follows ("PATTERN").
  void option(const std::string& names, const std::string& value, std::string& target, const std::string& help);
  void option(const std::string& names, const std::string& value, unsigned& target, unsigned low, unsigned high,
              const std::string& help);
  void option(const std::string& names, const std::string& value, std::optional<std::uint64_t>& target, const std::string& help);
  /// May be given several times, one value each.
  void option(const std::string& names, const std::string& value, std::vector<std::string>& target, const std::string& help);
  void flag(const std::string& names, bool& target, const std::string& help);

  /// Words of the choice that was declared; empty: none was.
  const std::vector<std::string>& words() const { return words_; }

 private:
  CLI::App& app_;
  std::vector<std::string> words_;
};

}  // namespace sentinel
