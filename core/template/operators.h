// SPDX-License-Identifier: Apache-2.0
// Python's operators on values: truth, arithmetic, comparison, membership, iteration. Errors carry no position; the
// evaluator adds it.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/template/budget.h"
#include "core/template/datum.h"

namespace sentinel::template_engine {

Result<bool> truth(const Datum& value);
/// + - * / // % **
Result<Datum> arithmetic(std::string_view symbol, const Datum& left, const Datum& right, Budget& budget);
/// Unary - and +.
Result<Datum> signed_value(std::string_view symbol, const Datum& value);
Result<bool> equal(const Datum& left, const Datum& right);
/// left < right; an error when Python can't order them.
Result<bool> less(const Datum& left, const Datum& right);
/// == != < <= > >= in "not in"
Result<bool> compare(std::string_view symbol, const Datum& left, const Datum& right, Budget& budget);
Result<bool> contains(const Datum& container, const Datum& value, Budget& budget);
/// What a for loop sees; pays for the items.
Result<std::vector<Datum>> iterate(const Datum& value, Budget& budget);
/// len(); an error for what has none.
Result<std::size_t> size_of(const Datum& value);

}  // namespace sentinel::template_engine
