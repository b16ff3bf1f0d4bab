// SPDX-License-Identifier: Apache-2.0
// Integers stay integers except under / and negative powers, floor division and remainder round towards minus infinity,
// and texts and lists repeat under *.
#include <fmt/format.h>

#include <cmath>

#include "core/template/literals.h"
#include "core/template/operators.h"
#include "core/template/percent_format.h"

namespace sentinel::template_engine {
namespace {

Error division_by_zero() {
  return Error("template.division-by-zero", "division by zero", {}, ExitCode::kUsage);
}

Error mismatch(std::string_view symbol, const Datum& left, const Datum& right) {
  std::string hint;
  if (symbol == "+" && (left.as_text() != nullptr || right.as_text() != nullptr)) hint = "use ~ to join values as text";
  return type_error(fmt::format("'{}' doesn't work between {} and {}", symbol, type_name(left), type_name(right)),
                    std::move(hint));
}

Result<Datum> integer_power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) return division_by_zero();
    return Datum::real(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  std::int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) return overflow_error();
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) return overflow_error();
  }
  return Datum::integer(result);
}

Result<Datum> integers(std::string_view symbol, std::int64_t left, std::int64_t right) {
  std::int64_t out = 0;
  bool overflow = false;
  if (symbol == "+") {
    overflow = __builtin_add_overflow(left, right, &out);
  } else if (symbol == "-") {
    overflow = __builtin_sub_overflow(left, right, &out);
  } else if (symbol == "*") {
    overflow = __builtin_mul_overflow(left, right, &out);
  } else if (symbol == "**") {
    return integer_power(left, right);
  } else {
    if (right == 0) return division_by_zero();
    if (symbol == "/")
      return Datum::real(static_cast<double>(static_cast<long double>(left) / static_cast<long double>(right)));
    if (right == -1) {
      // The smallest number divided by -1 traps on x86.
      overflow = __builtin_sub_overflow(std::int64_t{0}, left, &out);
      if (symbol == "%") return Datum::integer(0);
    } else {
      const std::int64_t remainder = left % right;
      const bool adjust = remainder != 0 && ((remainder < 0) != (right < 0));
      out = symbol == "%" ? (adjust ? remainder + right : remainder) : left / right - (adjust ? 1 : 0);
    }
  }
  if (overflow) return overflow_error();
  return Datum::integer(out);
}

Result<Datum> real_power(double left, double right) {
  if (left == 0 && right < 0) return division_by_zero();
  if (left < 0 && std::isfinite(left) && std::isfinite(right) && right != std::floor(right)) {
    return type_error("a negative number can't have a fractional power");
  }
  const double value = std::pow(left, right);
  if (std::isinf(value) && std::isfinite(left) && std::isfinite(right)) return overflow_error();
  return Datum::real(value);
}

/// CPython's float_divmod.
Result<Datum> real_floor(std::string_view symbol, double left, double right) {
  if (right == 0) return division_by_zero();
  double remainder = std::fmod(left, right);
  double quotient = (left - remainder) / right;
  if (remainder != 0) {
    if ((right < 0) != (remainder < 0)) {
      remainder += right;
      quotient -= 1.0;
    }
  } else {
    remainder = std::copysign(0.0, right);
  }
  if (symbol == "%") return Datum::real(remainder);
  if (quotient == 0) return Datum::real(std::copysign(0.0, left / right));
  double whole = std::floor(quotient);
  if (quotient - whole > 0.5) whole += 1.0;
  return Datum::real(whole);
}

Result<Datum> reals(std::string_view symbol, double left, double right) {
  if (symbol == "+") return Datum::real(left + right);
  if (symbol == "-") return Datum::real(left - right);
  if (symbol == "*") return Datum::real(left * right);
  if (symbol == "**") return real_power(left, right);
  if (symbol == "/") {
    if (right == 0) return division_by_zero();
    return Datum::real(left / right);
  }
  return real_floor(symbol, left, right);
}

Result<Datum> repeat(const Datum& what, std::int64_t count, Budget& budget) {
  const auto times = static_cast<std::size_t>(count < 0 ? 0 : count);
  if (const auto* text = what.as_text()) {
    if (!text->empty() && times > budget.limits().output_bytes / text->size())
      return budget.text(budget.limits().output_bytes + 1).error();
    std::string out;
    out.reserve(times * text->size());
    for (std::size_t i = 0; !text->empty() && i < times; ++i) out += *text;
    return Datum::text(std::move(out));
  }
  const Items& items = *what.as_items();
  if (items.items.empty() || times == 0)
    return Datum::items({}, items.is_tuple() ? Items::Flavor::kTuple : items.flavor);
  if (times > budget.limits().iterations / items.items.size())
    return budget.iterations(budget.limits().iterations + 1).error();
  SENTINEL_CHECK(budget.iterations(times * items.items.size()));
  std::vector<Datum> out;
  out.reserve(times * items.items.size());
  for (std::size_t i = 0; i < times; ++i) out.insert(out.end(), items.items.begin(), items.items.end());
  return Datum::items(std::move(out), items.is_tuple() ? Items::Flavor::kTuple : items.flavor);
}

bool repeats(const Datum& value) {
  const auto* items = value.as_items();
  return value.as_text() != nullptr || (items != nullptr && (items->is_list() || items->is_tuple()));
}

Result<Datum> join_items(const Items& left, const Items& right, Budget& budget) {
  SENTINEL_CHECK(budget.iterations(left.items.size() + right.items.size()));
  std::vector<Datum> out = left.items;
  out.insert(out.end(), right.items.begin(), right.items.end());
  return Datum::items(std::move(out), left.is_tuple() ? Items::Flavor::kTuple : Items::Flavor::kList);
}

}  // namespace

Result<Datum> arithmetic(std::string_view symbol, const Datum& left, const Datum& right, Budget& budget) {
  SENTINEL_CHECK(require_plain(left));
  SENTINEL_CHECK(require_plain(right));
  if (symbol == "%" && left.as_text() != nullptr) return percent_format(*left.as_text(), right, budget);
  const auto left_integer = left.as_integer();
  const auto right_integer = right.as_integer();
  if (left_integer && right_integer) return integers(symbol, *left_integer, *right_integer);
  const auto left_number = left.as_number();
  const auto right_number = right.as_number();
  if (left_number && right_number) return reals(symbol, *left_number, *right_number);
  if (symbol == "*" && right_integer && repeats(left)) return repeat(left, *right_integer, budget);
  if (symbol == "*" && left_integer && repeats(right)) return repeat(right, *left_integer, budget);
  if (symbol == "+") {
    if (left.as_text() != nullptr && right.as_text() != nullptr) {
      SENTINEL_CHECK(budget.text(left.as_text()->size() + right.as_text()->size()));
      return Datum::text(*left.as_text() + *right.as_text());
    }
    const auto* a = left.as_items();
    const auto* b = right.as_items();
    if (a != nullptr && b != nullptr && ((a->is_list() && b->is_list()) || (a->is_tuple() && b->is_tuple()))) {
      return join_items(*a, *b, budget);
    }
  }
  return mismatch(symbol, left, right);
}

Result<Datum> signed_value(std::string_view symbol, const Datum& value) {
  SENTINEL_CHECK(require_plain(value));
  if (const auto integer = value.as_integer()) {
    if (symbol == "+") return Datum::integer(*integer);
    return integers("-", 0, *integer);
  }
  if (const auto* real = value.get<double>()) return Datum::real(symbol == "-" ? -*real : *real);
  return type_error(fmt::format("'{}' doesn't work on {}", symbol, type_name(value)));
}

}  // namespace sentinel::template_engine
