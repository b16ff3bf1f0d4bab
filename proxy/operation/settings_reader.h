// SPDX-License-Identifier: Apache-2.0
// Reads settings by name from the environment or a YAML file; the environment wins. It collects everything that is
// wrong instead of stopping, and in the end a key of the file that nobody asked for is a mistake.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/config/yaml.h"

namespace sentinel::proxy {

/// A variable's value, or nothing; environment_variable in production.
using Environment = std::function<std::optional<std::string>(const std::string&)>;

class SettingsReader {
 public:
  /// `config_file` empty: only the environment. Both outlive the reader.
  SettingsReader(const Environment& environment, const std::string& config_file);

  bool is_set(const std::string& name);
  /// A plain value; nothing when it isn't set.
  std::optional<std::string> text(const std::string& name);

  template <typename Number>
  void number(const std::string& name, Number& into, std::uint64_t least, std::uint64_t most) {
    if (const std::optional<std::uint64_t> value = whole_number(name, least, most)) into = static_cast<Number>(*value);
  }

  /// More than 0 and at most a day.
  void seconds(const std::string& name, std::chrono::milliseconds& into);
  /// "true" or "false", "1" or "0".
  void flag(const std::string& name, bool& into);
  /// A sequence of the file, or words with commas between them.
  std::vector<std::string> list(const std::string& name);
  /// Any shape; a variable holds it as YAML on one line. A null node when it isn't set.
  Node node(const std::string& name);

  /// Says what is wrong with a setting.
  void wrong(const std::string& name, const std::string& what);

  void add(Error error) { errors_.push_back(std::move(error)); }

  /// What was read, as text, by name: for comparing with another reading. Secrets are in it: never to be shown.
  const std::map<std::string, std::string>& values() const { return values_; }

  /// All that is wrong, unknown keys among it.
  Errors finish();

 private:
  std::optional<std::uint64_t> whole_number(const std::string& name, std::uint64_t least, std::uint64_t most);
  const Node* of_file(const std::string& name);

  const Environment& environment_;
  Node file_;
  std::vector<std::string> known_;
  std::map<std::string, std::string> values_;
  Errors errors_;
};

}  // namespace sentinel::proxy
