// SPDX-License-Identifier: Apache-2.0
// ".NAME.<12 hexadecimal digits>.tmp"
#include "core/base/temporary_name.h"

#include <fmt/format.h>

#include "core/base/digest.h"
#include "core/base/file.h"

namespace sentinel {
namespace {

constexpr std::size_t kRandomBytes = 6;
constexpr std::string_view kSuffix = ".tmp";

}  // namespace

std::string temporary_name(const std::string& path) {
  const std::string directory = parent_directory(path);
  return fmt::format("{}/.{}.{}{}", directory == "/" ? "" : directory, path.substr(path.find_last_of('/') + 1),
                     to_hex(random_bytes(kRandomBytes)), kSuffix);
}

bool is_temporary_name(std::string_view entry, std::string_view name) {
  constexpr std::size_t kTail = 1 + 2 * kRandomBytes + kSuffix.size();
  if (entry.size() <= 1 + kTail || entry.front() != '.' || !entry.ends_with(kSuffix)) return false;
  const auto middle = entry.substr(entry.size() - kTail, 1 + 2 * kRandomBytes);
  if (middle.front() != '.' || middle.find_first_not_of("0123456789abcdef", 1) != std::string_view::npos) return false;
  return name.empty() || entry.substr(1, entry.size() - 1 - kTail) == name;
}

}  // namespace sentinel
