// SPDX-License-Identifier: Apache-2.0
#include "core/audit/times.h"

#include <time.h>

#include <algorithm>
#include <charconv>

namespace sentinel {
namespace {

bool read(const std::string& text, std::size_t at, std::size_t length, int& value) {
  if (at + length > text.size()) return false;
  const char* begin = text.data() + at;
  const auto [end, error] = std::from_chars(begin, begin + length, value);
  return error == std::errc() && end == begin + length;
}

/// Of "…Z", "….123+01:00"; seconds are enough, so a fraction is passed over.
std::optional<std::int64_t> minutes_east(const std::string& rfc3339) {
  const auto zone = std::min(rfc3339.find_first_not_of(".0123456789", 19), rfc3339.size());
  const auto rest = rfc3339.substr(zone);
  if (rest == "Z") return 0;
  int hours = 0;
  int minutes = 0;
  if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':' || !read(rest, 1, 2, hours) ||
      !read(rest, 4, 2, minutes)) {
    return std::nullopt;
  }
  return (rest[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
}

}  // namespace

std::optional<std::int64_t> nanoseconds_of(const std::string& rfc3339) {
  struct tm when {};

  if (rfc3339.size() < 20 || rfc3339[10] != 'T' || !read(rfc3339, 0, 4, when.tm_year) ||
      !read(rfc3339, 5, 2, when.tm_mon) || !read(rfc3339, 8, 2, when.tm_mday) || !read(rfc3339, 11, 2, when.tm_hour) ||
      !read(rfc3339, 14, 2, when.tm_min) || !read(rfc3339, 17, 2, when.tm_sec)) {
    return std::nullopt;
  }
  const auto east = minutes_east(rfc3339);
  if (!east) return std::nullopt;
  if (when.tm_year < 2020) return std::nullopt;
  when.tm_year -= 1900;
  when.tm_mon -= 1;
  return (static_cast<std::int64_t>(::timegm(&when)) - *east * 60) * 1'000'000'000;
}

std::string day_of(const std::string& rfc3339) {
  return nanoseconds_of(rfc3339) ? rfc3339.substr(0, 10) : std::string();
}

}  // namespace sentinel
