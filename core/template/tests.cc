// SPDX-License-Identifier: Apache-2.0
// The tests behind `is`.
#include <fmt/format.h>

#include <algorithm>

#include "core/template/operators.h"
#include "core/template/python_text.h"
#include "core/template/runtime.h"
#include "core/template/unicode.h"

namespace sentinel::template_engine {
namespace {

Result<Datum> answer(bool value) {
  return Datum::boolean(value);
}

Result<Datum> remainder_is(const Call& call, const Datum& divisor, std::int64_t wanted) {
  SENTINEL_TRY(const Datum rest, arithmetic("%", call.input, divisor, call.runtime.budget()));
  SENTINEL_TRY(const bool same, equal(rest, Datum::integer(wanted)));
  return answer(same);
}

Result<Datum> odd(const Call& call) {
  return remainder_is(call, Datum::integer(2), 1);
}

Result<Datum> even(const Call& call) {
  return remainder_is(call, Datum::integer(2), 0);
}

Result<Datum> divisible_by(const Call& call) {
  return remainder_is(call, *call.argument(0), 0);
}

Result<Datum> defined(const Call& call) {
  return answer(!call.input.is_undefined());
}

Result<Datum> undefined(const Call& call) {
  return answer(call.input.is_undefined());
}

Result<Datum> none(const Call& call) {
  return answer(call.input.is_none());
}

Result<Datum> boolean(const Call& call) {
  return answer(call.input.is_boolean());
}

Result<Datum> integer(const Call& call) {
  return answer(call.input.get<std::int64_t>() != nullptr);
}

Result<Datum> real(const Call& call) {
  return answer(call.input.is_float());
}

Result<Datum> number(const Call& call) {
  return answer(call.input.as_number().has_value());
}

Result<Datum> string(const Call& call) {
  return answer(call.input.as_text() != nullptr);
}

Result<Datum> mapping(const Call& call) {
  return answer(call.input.as_dict() != nullptr);
}

Result<Datum> is_false(const Call& call) {
  const auto* flag = call.input.get<bool>();
  return answer(flag != nullptr && !*flag);
}

Result<Datum> is_true(const Call& call) {
  const auto* flag = call.input.get<bool>();
  return answer(flag != nullptr && *flag);
}

Result<Datum> sequence(const Call& call) {
  const auto* items = call.input.as_items();
  const bool indexable = items != nullptr && (items->is_list() || items->is_tuple());
  return answer(indexable || call.input.as_text() != nullptr || call.input.as_dict() != nullptr ||
                call.input.get<Range>() != nullptr);
}

Result<Datum> iterable(const Call& call) {
  return answer(call.input.as_items() != nullptr || call.input.as_text() != nullptr ||
                call.input.as_dict() != nullptr || call.input.get<Range>() != nullptr ||
                call.input.get<std::shared_ptr<Loop>>() != nullptr);
}

/// str.islower and isupper: all letters that have a case have this one, and there is at least one.
Result<Datum> case_is(const Call& call, bool (*wanted)(char32_t), bool (*other)(char32_t)) {
  SENTINEL_TRY(const std::string text, to_text(call.input, call.runtime.budget()));
  bool any = false;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t code = next_code_point(text, i);
    if (other(code)) return answer(false);
    any = any || wanted(code);
  }
  return answer(any);
}

Result<Datum> lower(const Call& call) {
  return case_is(call, is_lower, is_upper);
}

Result<Datum> upper(const Call& call) {
  return case_is(call, is_upper, is_lower);
}

Result<Datum> in(const Call& call) {
  SENTINEL_TRY(const bool found, contains(*call.argument(0), call.input, call.runtime.budget()));
  return answer(found);
}

Result<Datum> same_as(const Call& call) {
  const Datum& other = *call.argument(0);
  if (call.input.as_items() != nullptr) return answer(call.input.as_items() == other.as_items());
  if (call.input.as_dict() != nullptr) return answer(call.input.as_dict() == other.as_dict());
  if (call.input.as_text() != nullptr) return answer(call.input.as_text() == other.as_text());
  if (call.input.state().index() != other.state().index()) return answer(false);
  SENTINEL_TRY(const bool same, equal(call.input, other));
  return answer(same);
}

Result<Datum> compared(const Call& call, std::string_view symbol) {
  SENTINEL_TRY(const bool holds, compare(symbol, call.input, *call.argument(0), call.runtime.budget()));
  return answer(holds);
}

Result<Datum> eq(const Call& call) {
  return compared(call, "==");
}

Result<Datum> ne(const Call& call) {
  return compared(call, "!=");
}

Result<Datum> lt(const Call& call) {
  return compared(call, "<");
}

Result<Datum> le(const Call& call) {
  return compared(call, "<=");
}

Result<Datum> gt(const Call& call) {
  return compared(call, ">");
}

Result<Datum> ge(const Call& call) {
  return compared(call, ">=");
}

Result<Datum> filter_exists(const Call& call) {
  return answer(call.input.as_text() != nullptr && find_filter(*call.input.as_text()) != nullptr);
}

Result<Datum> test_exists(const Call& call) {
  return answer(call.input.as_text() != nullptr && find_test(*call.input.as_text()) != nullptr);
}

constexpr TestSpec kTests[] = {
    {"defined", "", defined, true},
    {"undefined", "", undefined, true},
    {"none", "", none, true},
    {"boolean", "", boolean, true},
    {"true", "", is_true, true},
    {"false", "", is_false, true},
    {"integer", "", integer, true},
    {"float", "", real, true},
    {"number", "", number, true},
    {"string", "", string, true},
    {"mapping", "", mapping, true},
    {"sequence", "", sequence, true},
    {"iterable", "", iterable},
    {"odd", "", odd},
    {"even", "", even},
    {"divisibleby", "num", divisible_by},
    {"lower", "", lower},
    {"upper", "", upper},
    {"in", "seq", in},
    {"sameas", "other", same_as},
    {"eq", "other", eq},
    {"equalto", "other", eq},
    {"==", "other", eq},
    {"ne", "other", ne},
    {"!=", "other", ne},
    {"lt", "other", lt},
    {"lessthan", "other", lt},
    {"<", "other", lt},
    {"le", "other", le},
    {"<=", "other", le},
    {"gt", "other", gt},
    {"greaterthan", "other", gt},
    {">", "other", gt},
    {"ge", "other", ge},
    {">=", "other", ge},
    {"filter", "", filter_exists},
    {"test", "", test_exists},
};

}  // namespace

const TestSpec* find_test(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kTests), std::end(kTests), [&](const TestSpec& test) { return test.name == name; });
  return found == std::end(kTests) ? nullptr : found;
}

std::vector<std::string> test_names() {
  std::vector<std::string> out;
  for (const auto& test : kTests) out.emplace_back(test.name);
  return out;
}

}  // namespace sentinel::template_engine
