// SPDX-License-Identifier: Apache-2.0
// JSON -> run-time values and back, and JSON text as Python's json.dumps writes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/template/budget.h"
#include "core/template/datum.h"
#include "core/template/value_declaration.h"

namespace sentinel::template_engine {

/// One variable of an object; nothing when it is not there. Errors: nesting beyond kMaxValueDepth, unsigned numbers
/// beyond 63 bits, binary values.
Result<std::optional<Datum>> variable_named(const Value& variables, const std::string& name);
/// The names of all variables.
std::vector<std::string> variable_names(const Value& variables);
/// Tuples, ranges, lazy results become arrays; dictionary keys must be texts.
Result<Value> to_value(const Datum& value, Budget& budget);
/// Jinja's htmlsafe_json_dumps: sorted keys, ASCII, and < > & ' as \u003c ...; indented when `indent` is given.
Result<std::string> to_json_text(const Datum& value, std::optional<std::int64_t> indent, Budget& budget);

}  // namespace sentinel::template_engine
