// SPDX-License-Identifier: Apache-2.0
// How a program's failure is told.
#include "core/system/reader.h"

#include <fmt/format.h>

namespace sentinel {

std::string CommandResult::reason() const {
  constexpr std::size_t kShown = 2000;
  std::string text = errors.empty() ? output : errors;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (text.size() > kShown) text = "…" + text.substr(text.size() - kShown);
  return text.empty() ? fmt::format("status {}", status) : fmt::format("status {}: {}", status, text);
}

}  // namespace sentinel
