// SPDX-License-Identifier: Apache-2.0
// The tables of what templates can call: filters, tests, methods of values and global functions. One row each;
// arguments are bound to the row's parameter names before its function runs, so no function parses its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/template/datum.h"

namespace sentinel::template_engine {

class Runtime;

/// Arguments as written.
struct CallArguments {
  std::vector<Datum> positional;
  std::vector<std::pair<std::string, Datum>> named;
};

/// What a callable sees: where it stands, what it is applied to, its bound arguments.
struct Call {
  Runtime& runtime;
  const SourceText& source;
  Span span;
  Datum input;                      ///< the filtered or tested value, or the object of a method
  std::vector<const Datum*> bound;  ///< by parameter; null: not given
  const CallArguments& arguments;   ///< everything as written, for callables with free arguments

  const Datum* argument(std::size_t index) const { return bound[index]; }

  /// The argument's value, or `fallback` when it is not given. Wrong types are errors.
  Result<std::int64_t> integer(std::size_t index, std::int64_t fallback) const;
  Result<std::string> text(std::size_t index, std::string fallback) const;
  Result<bool> flag(std::size_t index, bool fallback) const;
  /// Something missing, described for the error its use would be.
  Datum undefined(std::string message, std::string hint = {}) const;
};

using CallableFunction = Result<Datum> (*)(const Call&);

/// `parameters`: names in order, separated by spaces; required ones first, optional ones end with '?'. "*": the
/// function takes any arguments and looks at them itself.
struct FilterSpec {
  std::string_view name;
  std::string_view parameters;
  CallableFunction function;
  bool undefined_input = false;  ///< the function accepts an undefined input
};

struct TestSpec {
  std::string_view name;
  std::string_view parameters;
  CallableFunction function;
  bool any_input = false;  ///< accepts everything, also undefined
};

struct MethodSpec {
  std::string_view name;
  std::string_view parameters;
  CallableFunction function;  ///< null: exists in Python, but not here; `hint` says what to write
  std::string_view hint = {};
};

struct FunctionSpec {
  std::string_view name;
  std::string_view parameters;
  CallableFunction function;
};

std::span<const FilterSpec> text_filters();
std::span<const FilterSpec> value_filters();
std::span<const FilterSpec> sequence_filters();
std::span<const FilterSpec> selection_filters();
std::span<const FilterSpec> quoting_filters();

const FilterSpec* find_filter(std::string_view name);
std::vector<std::string> filter_names();
const TestSpec* find_test(std::string_view name);
std::vector<std::string> test_names();
/// Null when values of this type have no such method.
const MethodSpec* find_method(const Datum& self, std::string_view name);
std::vector<std::string> method_names(const Datum& self);
const FunctionSpec* find_function(std::string_view name);
std::vector<std::string> function_names();

/// Puts arguments in the order of the parameters. Errors name `what` ("filter 'join'").
Result<std::vector<const Datum*>> bind_arguments(std::string_view what, std::string_view parameters,
                                                 const CallArguments& arguments);

}  // namespace sentinel::template_engine
