// SPDX-License-Identifier: Apache-2.0
// How Python prints values: str() and repr().
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/template/budget.h"
#include "core/template/datum.h"

namespace sentinel::template_engine {

/// str(): what `{{ value }}` shows. Errors for what has no text here: undefined, secrets, lazy results, methods.
Result<std::string> to_text(const Datum& value, Budget& budget);
/// repr(): how a value looks inside a list.
Result<std::string> to_repr(const Datum& value, Budget& budget);
/// repr() of a string: quotes and escapes.
std::string quoted_repr(std::string_view text);
/// repr() of a float: the shortest digits that read back equal.
std::string float_text(double value);

}  // namespace sentinel::template_engine
