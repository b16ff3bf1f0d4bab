// SPDX-License-Identifier: Apache-2.0
// comm is in parentheses and may hold anything, parentheses and newlines included: the last ')' ends it.
#include "core/facts/process_tree.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

namespace sentinel {
namespace {

constexpr int kMaximalDepth = 64;

template <typename Number>
bool parse(std::string_view text, Number& number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::optional<ProcessEntry> parse_process(const std::string& stat) {
  const auto open = stat.find(" (");
  const auto close = stat.rfind(") ");
  if (open == std::string::npos || close == std::string::npos || close < open + 2) return std::nullopt;
  ProcessEntry entry;
  entry.name = stat.substr(open + 2, close - open - 2);
  std::vector<std::string_view> fields;  // the third on
  std::string_view rest = std::string_view(stat).substr(close + 2);
  for (;;) {
    const auto space = rest.find_first_of(" \n");
    fields.push_back(rest.substr(0, space));
    if (space == std::string_view::npos) break;
    rest.remove_prefix(space + 1);
  }
  constexpr std::size_t kParent = 4 - 3;
  constexpr std::size_t kStart = 22 - 3;
  if (fields.size() <= kStart || !parse(std::string_view(stat).substr(0, open), entry.pid)) return std::nullopt;
  if (!parse(fields[kParent], entry.parent) || !parse(fields[kStart], entry.start_ticks)) return std::nullopt;
  return entry;
}

std::vector<ProcessEntry> ancestry(Reader& machine, int pid) {
  std::vector<ProcessEntry> chain;
  while (pid > 1 && chain.size() < kMaximalDepth) {
    const auto text = machine.read_file(fmt::format("/proc/{}/stat", pid));
    auto entry = text.ok() ? parse_process(*text) : std::nullopt;
    if (!entry) break;
    pid = entry->parent;
    chain.push_back(std::move(*entry));
  }
  return chain;
}

}  // namespace sentinel
