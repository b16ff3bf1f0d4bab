// SPDX-License-Identifier: Apache-2.0
#include "core/audit/times.h"

#include <time.h>

#include <charconv>

namespace sentinel {
namespace {

bool read(const std::string& text, std::size_t at, std::size_t length, int& value) {
  if (at + length > text.size()) return false;
  const char* begin = text.data() + at;
  const auto [end, error] = std::from_chars(begin, begin + length, value);
  return error == std::errc() && end == begin + length;
}

}  // namespace

std::optional<std::int64_t> nanoseconds_of(const std::string& rfc3339) {
  struct tm when {};

  // Seconds are enough; a fraction may follow, and only UTC is written.
  if (rfc3339.size() < 20 || rfc3339.back() != 'Z' || rfc3339[10] != 'T' || !read(rfc3339, 0, 4, when.tm_year) ||
      !read(rfc3339, 5, 2, when.tm_mon) || !read(rfc3339, 8, 2, when.tm_mday) || !read(rfc3339, 11, 2, when.tm_hour) ||
      !read(rfc3339, 14, 2, when.tm_min) || !read(rfc3339, 17, 2, when.tm_sec)) {
    return std::nullopt;
  }
  if (when.tm_year < 2020) return std::nullopt;
  when.tm_year -= 1900;
  when.tm_mon -= 1;
  return static_cast<std::int64_t>(::timegm(&when)) * 1'000'000'000;
}

std::string day_of(const std::string& rfc3339) {
  return nanoseconds_of(rfc3339) ? rfc3339.substr(0, 10) : std::string();
}

}  // namespace sentinel
