// SPDX-License-Identifier: Apache-2.0
#include "proxy/operation/settings_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/suggest.h"

namespace sentinel::proxy {
namespace {

template <typename Number>
std::optional<Number> parsed(const std::string& text) {
  Number number{};
  const char* const last = text.data() + text.size();
  const auto [end, failed] = std::from_chars(text.data(), last, number);
  if (text.empty() || failed != std::errc() || end != last) return std::nullopt;
  return number;
}

/// One text for a node, so that two readings can be compared.
void flatten(const Node& node, std::string& into) {
  into.append(node.text).push_back('\0');
  for (const Node& item : node.items) flatten(item, into);
  for (const Node::Entry& entry : node.entries) {
    flatten(entry.key, into);
    flatten(entry.value, into);
  }
}

}  // namespace

SettingsReader::SettingsReader(const Environment& environment, const std::string& config_file)
    : environment_(environment) {
  if (config_file.empty()) return;
  Result<Node> loaded = load_yaml(config_file, config_file);
  if (!loaded.ok()) {
    errors_.push_back(std::move(loaded).error());
  } else if (!loaded->is_mapping() && !loaded->is_null()) {
    errors_.push_back(
        Error("proxy.setting", "the configuration is not a mapping", {}, ExitCode::kUsage).at(loaded->position()));
  } else {
    file_ = std::move(*loaded);
  }
}

const Node* SettingsReader::of_file(const std::string& name) {
  known_.push_back(name);
  return file_.find(name);
}

bool SettingsReader::is_set(const std::string& name) {
  return of_file(name) != nullptr || environment_(name).has_value();
}

std::optional<std::string> SettingsReader::text(const std::string& name) {
  const Node* node = of_file(name);
  if (node != nullptr && !node->is_scalar()) {
    wrong(name, "must be a plain value");
    node = nullptr;
  }
  std::optional<std::string> value = environment_(name);
  if (!value && node != nullptr) value = node->text;
  if (value) values_[name] = *value;
  return value;
}

std::optional<std::uint64_t> SettingsReader::whole_number(const std::string& name, std::uint64_t least,
                                                          std::uint64_t most) {
  const std::optional<std::string> value = text(name);
  if (!value) return std::nullopt;
  const std::optional<std::uint64_t> number = parsed<std::uint64_t>(*value);
  if (number && *number >= least && *number <= most) return number;
  wrong(name, fmt::format("must be a whole number from {} to {}", least, most));
  return std::nullopt;
}

void SettingsReader::seconds(const std::string& name, std::chrono::milliseconds& into) {
  const std::optional<std::string> value = text(name);
  if (!value) return;
  const std::optional<double> number = parsed<double>(*value);
  if (!number || !(*number > 0) || *number > 86'400) {
    wrong(name, "must be seconds, more than 0 and at most 86400");
    return;
  }
  into = std::chrono::milliseconds(std::llround(*number * 1000));
}

void SettingsReader::flag(const std::string& name, bool& into) {
  const std::optional<std::string> value = text(name);
  if (!value) return;
  into = *value == "true" || *value == "1";
  if (!into && *value != "false" && *value != "0") wrong(name, "must be true, false, 1 or 0");
}

std::vector<std::string> SettingsReader::list(const std::string& name) {
  std::vector<std::string> words;
  const Node* node = of_file(name);
  std::optional<std::string> joined = environment_(name);
  if (!joined && node != nullptr && node->is_sequence()) {
    for (const Node& item : node->items) {
      if (!item.is_scalar() || item.text.empty()) {
        wrong(name, "must be a list of plain values");
        return {};
      }
      words.push_back(item.text);
      values_[name].append(item.text).push_back(',');
    }
    return words;
  }
  if (!joined && node != nullptr && !node->is_null()) {
    if (!node->is_scalar()) {
      wrong(name, "must be a list of plain values");
      return {};
    }
    joined = node->text;
  }
  if (!joined) return words;
  values_[name] = *joined;
  for (std::size_t at = 0; at <= joined->size();) {
    const std::size_t comma = std::min(joined->find(',', at), joined->size());
    std::string word = joined->substr(at, comma - at);
    word.erase(0, word.find_first_not_of(' '));
    word.erase(word.find_last_not_of(' ') + 1);
    if (!word.empty()) words.push_back(std::move(word));
    at = comma + 1;
  }
  return words;
}

Node SettingsReader::node(const std::string& name) {
  const Node* found = of_file(name);
  Node read = found != nullptr ? *found : Node{};
  if (const std::optional<std::string> value = environment_(name)) {
    Result<Node> parsed_node = parse_yaml(*value, name);
    if (!parsed_node.ok()) {
      add(std::move(parsed_node).error());
      return {};
    }
    read = std::move(*parsed_node);
  }
  if (!read.is_null()) flatten(read, values_[name]);
  return read;
}

void SettingsReader::wrong(const std::string& name, const std::string& what) {
  Error error("proxy.setting", fmt::format("{} {}", name, what), {}, ExitCode::kUsage);
  if (const Node* node = file_.find(name); node != nullptr && !environment_(name)) error.position = node->position();
  errors_.push_back(std::move(error));
}

Errors SettingsReader::finish() {
  for (const Node::Entry& entry : file_.entries) {
    if (std::find(known_.begin(), known_.end(), entry.key.text) != known_.end()) continue;
    errors_.push_back(Error("proxy.setting", fmt::format("there is no setting '{}'", entry.key.text),
                            did_you_mean(entry.key.text, known_), ExitCode::kUsage)
                          .at(entry.key.position()));
  }
  return std::move(errors_);
}

}  // namespace sentinel::proxy
