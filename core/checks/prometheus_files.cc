// SPDX-License-Identifier: Apache-2.0
#include "core/checks/prometheus_files.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace sentinel {
namespace {

using nlohmann::json;

constexpr const char* kConfiguration = "/etc/prometheus/prometheus.yml";
constexpr const char* kOptions = "/etc/default/prometheus";
/// Of Prometheus, where its command line says nothing.
constexpr const char* kDefaultRetention = "15d";

std::string bare(std::string text) {
  const auto comment = text.find(" #");
  if (comment != std::string::npos) text.resize(comment);
  const auto first = text.find_first_not_of(" \t\"\'");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\"\'") - first + 1);
}

/// A line without its indentation and the dash of an item.
std::string content(const std::string& line) {
  const auto first = line.find_first_not_of(" \t-");
  return first == std::string::npos || line[first] == '#' ? std::string() : line.substr(first);
}

/// Values of `key` in a file, in order.
json values_of(const std::string& text, const std::string& key) {
  auto out = json::array();
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    const auto words = content(line);
    if (words.starts_with(key + ":")) out.push_back(bare(words.substr(key.size() + 1)));
  }
  return out;
}

/// The items of the list `rule_files`, and where they are patterns like /etc/x/*.yml, the files they stand for.
Result<std::vector<std::string>> rule_files(const std::string& text, Reader& machine) {
  std::vector<std::string> out;
  std::istringstream lines(text);
  std::string line;
  bool inside = false;
  while (std::getline(lines, line)) {
    if (content(line).empty()) continue;
    const bool item = line.find_first_not_of(' ') != std::string::npos && line[line.find_first_not_of(' ')] == '-';
    if (!item) inside = line.starts_with("rule_files:");
    if (!inside || !item) continue;
    auto path = bare(content(line));
    if (!path.starts_with('/')) path = "/etc/prometheus/" + path;
    const auto slash = path.rfind('/');
    const auto star = path.find('*', slash);
    if (star == std::string::npos) {
      out.push_back(path);
      continue;
    }
    const auto prefix = path.substr(slash + 1, star - slash - 1);
    const auto suffix = path.substr(star + 1);
    const auto names = machine.list(path.substr(0, slash));
    if (!names.ok()) continue;
    for (const auto& name : *names) {
      if (name.size() >= prefix.size() + suffix.size() && name.starts_with(prefix) && name.ends_with(suffix))
        out.push_back(path.substr(0, slash + 1) + name);
    }
  }
  return out;
}

/// host:port of every target below `alerting`, in either way to write a list.
json alertmanagers_of(const std::string& text) {
  auto out = json::array();
  std::istringstream lines(text);
  std::string line;
  bool inside = false;
  bool targets = false;
  while (std::getline(lines, line)) {
    auto words = content(line);
    if (words.empty()) continue;
    const auto indent = line.find_first_not_of(' ');
    if (indent == 0 && line.front() != '-') inside = words.starts_with("alerting:");
    if (!inside) continue;
    const bool item = line[indent] == '-' && words.find(": ") == std::string::npos && !words.ends_with(":");
    if (!item) targets = words.starts_with("targets:");
    if (!targets) continue;
    if (!item) words.erase(0, std::string_view("targets:").size());
    std::replace_if(
        words.begin(), words.end(),
        [](char c) { return std::string_view("[],\"\'").find(c) != std::string_view::npos; }, ' ');
    std::istringstream names(words.substr(0, words.find(" #")));
    std::string name;
    while (names >> name) out.push_back(name);
  }
  return out;
}

}  // namespace

Result<json> prometheus_files(Reader& machine) {
  SENTINEL_TRY(const auto text, machine.read_file(kConfiguration));
  json out{{"jobs", values_of(text, "job_name")},
           {"alerts", json::array()},
           {"retention", kDefaultRetention},
           {"alertmanagers", alertmanagers_of(text)}};
  SENTINEL_TRY(const auto files, rule_files(text, machine));
  for (const auto& file : files) {
    SENTINEL_TRY(const auto status, machine.status(file));
    if (status.type == FileType::kAbsent) continue;
    SENTINEL_TRY(const auto rules, machine.read_file(file));
    for (const auto& name : values_of(rules, "alert")) out["alerts"].push_back(name);
  }
  const auto options = machine.read_file(kOptions);
  constexpr std::string_view kFlag = "--storage.tsdb.retention.time";
  if (const auto at = options.ok() ? options->rfind(kFlag) : std::string::npos; at != std::string::npos) {
    const auto begin = at + kFlag.size() + 1;
    out["retention"] = options->substr(begin, options->find_first_of(" \"\'\n", begin) - begin);
  }
  return out;
}

}  // namespace sentinel
