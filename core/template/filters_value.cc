// SPDX-License-Identifier: Apache-2.0
// Filters on single values: defaults, numbers, sizes.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "core/template/literals.h"
#include "core/template/operators.h"
#include "core/template/runtime.h"

namespace sentinel::template_engine {
namespace {

Result<Datum> default_filter(const Call& call) {
  SENTINEL_TRY(const bool boolean, call.flag(1, false));
  const Datum fallback = call.argument(0) != nullptr ? *call.argument(0) : Datum::text({});
  if (call.input.is_undefined()) return fallback;
  if (boolean) {
    SENTINEL_TRY(const bool truthy, truth(call.input));
    if (!truthy) return fallback;
  }
  if (!call.input.is_hole()) SENTINEL_CHECK(require_plain(call.input));
  return call.input;
}

Result<Datum> truncated(double value) {
  if (!std::isfinite(value) || std::fabs(value) >= 9.223372036854775e18) return overflow_error();
  return Datum::integer(static_cast<std::int64_t>(value));
}

Result<Datum> int_filter(const Call& call) {
  const Datum fallback = call.argument(0) != nullptr ? *call.argument(0) : Datum::integer(0);
  SENTINEL_TRY(const std::int64_t base, call.integer(1, 10));
  SENTINEL_CHECK(require_plain(call.input));
  if (base != 0 && (base < 2 || base > 36)) return fallback;
  if (const auto integer = call.input.as_integer()) return Datum::integer(*integer);
  if (const auto* real = call.input.get<double>()) {
    if (std::isnan(*real)) return fallback;
    return truncated(*real);
  }
  const auto* text = call.input.as_text();
  if (text == nullptr) return fallback;
  SENTINEL_TRY(const auto integer, parse_integer(*text, static_cast<int>(base)));
  if (integer) return Datum::integer(*integer);
  const auto real = parse_float(*text);
  if (!real || std::isnan(*real)) return fallback;
  return truncated(*real);
}

Result<Datum> float_filter(const Call& call) {
  const Datum fallback = call.argument(0) != nullptr ? *call.argument(0) : Datum::real(0);
  SENTINEL_CHECK(require_plain(call.input));
  if (const auto number = call.input.as_number()) return Datum::real(*number);
  const auto* text = call.input.as_text();
  const auto number = text != nullptr ? parse_float(*text) : std::nullopt;
  return number ? Datum::real(*number) : fallback;
}

Result<Datum> abs_filter(const Call& call) {
  if (const auto integer = call.input.as_integer()) {
    if (*integer >= 0) return Datum::integer(*integer);
    return signed_value("-", Datum::integer(*integer));
  }
  if (const auto* real = call.input.get<double>()) return Datum::real(std::fabs(*real));
  return type_error(fmt::format("abs wants a number, not {}", type_name(call.input)));
}

/// round() to `digits` behind the point: glibc prints the exact binary value and rounds halves to even, as Python does.
double rounded(double value, int digits) {
  if (!std::isfinite(value) || digits > 320) return value;
  if (digits >= 0) {
    char buffer[1024];
    std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
    return std::strtod(buffer, nullptr);
  }
  if (digits < -308) return std::copysign(0.0, value);
  const double scale = std::pow(10.0, -digits);
  return std::nearbyint(value / scale) * scale;
}

/// round() of an integer to tens, hundreds ...: halves to even.
Result<Datum> rounded_integer(std::int64_t value, std::int64_t digits) {
  if (digits >= 0) return Datum::integer(value);
  if (digits < -18) return Datum::integer(0);
  std::int64_t scale = 1;
  for (std::int64_t i = digits; i < 0; ++i) scale *= 10;
  const std::int64_t remainder = ((value % scale) + scale) % scale;
  const std::int64_t floor = value - remainder;
  const bool up = remainder > scale - remainder || (remainder == scale - remainder && (floor / scale) % 2 != 0);
  std::int64_t out = floor;
  if (up && __builtin_add_overflow(floor, scale, &out)) return overflow_error();
  return Datum::integer(out);
}

Result<Datum> round_filter(const Call& call) {
  SENTINEL_TRY(const std::int64_t precision, call.integer(0, 0));
  SENTINEL_TRY(const std::string method, call.text(1, "common"));
  const auto number = call.input.as_number();
  if (!number) return type_error(fmt::format("round wants a number, not {}", type_name(call.input)));
  const int digits = static_cast<int>(std::max<std::int64_t>(-400, std::min<std::int64_t>(400, precision)));
  if (method == "common") {
    if (const auto integer = call.input.as_integer()) return rounded_integer(*integer, precision);
    return Datum::real(rounded(*number, digits));
  }
  if (method != "ceil" && method != "floor") return type_error("the method of round is common, ceil or floor");
  const double scale = std::pow(10.0, digits);
  const double scaled = *number * scale;
  if (!std::isfinite(scaled) || scale == 0) return overflow_error();
  // Python's ceil and floor give integers, which have no negative zero.
  const double whole = (method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) + 0.0;
  return Datum::real(whole / scale);
}

Result<Datum> length_filter(const Call& call) {
  SENTINEL_TRY(const std::size_t size, size_of(call.input));
  return Datum::integer(static_cast<std::int64_t>(size));
}

constexpr FilterSpec kValueFilters[] = {
    {"default", "default_value? boolean?", default_filter, true},
    {"d", "default_value? boolean?", default_filter, true},
    {"int", "default? base?", int_filter},
    {"float", "default?", float_filter},
    {"abs", "", abs_filter},
    {"round", "precision? method?", round_filter},
    {"length", "", length_filter},
    {"count", "", length_filter},
};

}  // namespace

std::span<const FilterSpec> value_filters() {
  return kValueFilters;
}

}  // namespace sentinel::template_engine
