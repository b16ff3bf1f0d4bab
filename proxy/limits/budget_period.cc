// SPDX-License-Identifier: Apache-2.0
#include "proxy/limits/budget_period.h"

#include <fmt/format.h>

#include <chrono>

namespace sentinel::proxy {

BudgetSpan budget_span(UserLimits::Period period, std::int64_t now) {
  using std::chrono::sys_days;
  const auto day = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(now)));
  const std::chrono::year_month_day date(day);
  const auto seconds = [](sys_days at) {
    return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
  };
  const int year = static_cast<int>(date.year());
  const unsigned month = static_cast<unsigned>(date.month());
  if (period == UserLimits::Period::kDay) {
    return {fmt::format("{:04}-{:02}-{:02}", year, month, static_cast<unsigned>(date.day())),
            seconds(day + std::chrono::days(1))};
  }
  const std::chrono::year_month next = date.year() / date.month() + std::chrono::months(1);
  return {fmt::format("{:04}-{:02}", year, month), seconds(sys_days(next / 1))};
}

}  // namespace sentinel::proxy
