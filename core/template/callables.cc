// SPDX-License-Identifier: Apache-2.0
// Lookup in the tables, and binding of arguments to parameters.
#include "core/template/callables.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "core/base/suggest.h"
#include "core/template/operators.h"

namespace sentinel::template_engine {
namespace {

const std::unordered_map<std::string_view, const FilterSpec*>& filters() {
  static const auto kFilters = [] {
    std::unordered_map<std::string_view, const FilterSpec*> out;
    for (const auto table :
         {text_filters(), value_filters(), sequence_filters(), selection_filters(), quoting_filters()}) {
      for (const auto& filter : table) out.emplace(filter.name, &filter);
    }
    return out;
  }();
  return kFilters;
}

Error argument_error(std::string message, std::string hint = {}) {
  return Error("template.arguments", std::move(message), std::move(hint), ExitCode::kUsage);
}

struct Parameter {
  std::string_view name;
  bool optional = false;
};

std::vector<Parameter> parameters_of(std::string_view declaration) {
  std::vector<Parameter> out;
  while (!declaration.empty()) {
    const auto end = std::min(declaration.find(' '), declaration.size());
    Parameter parameter{declaration.substr(0, end), false};
    if (parameter.name.ends_with('?')) {
      parameter.optional = true;
      parameter.name.remove_suffix(1);
    }
    out.push_back(parameter);
    declaration.remove_prefix(std::min(end + 1, declaration.size()));
  }
  return out;
}

}  // namespace

const FilterSpec* find_filter(std::string_view name) {
  const auto found = filters().find(name);
  return found == filters().end() ? nullptr : found->second;
}

std::vector<std::string> filter_names() {
  std::vector<std::string> out;
  for (const auto& [name, filter] : filters()) out.emplace_back(name);
  std::sort(out.begin(), out.end());
  return out;
}

Result<std::vector<const Datum*>> bind_arguments(std::string_view what, std::string_view declaration,
                                                 const CallArguments& arguments) {
  std::vector<const Datum*> out;
  if (declaration == "*") return out;
  const auto parameters = parameters_of(declaration);
  out.resize(parameters.size(), nullptr);
  if (arguments.positional.size() > parameters.size()) {
    return argument_error(
        fmt::format("{} takes at most {} arguments, not {}", what, parameters.size(), arguments.positional.size()));
  }
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) out[i] = &arguments.positional[i];
  for (const auto& [name, value] : arguments.named) {
    const auto found = std::find_if(parameters.begin(), parameters.end(),
                                    [&, &key = name](const Parameter& each) { return each.name == key; });
    if (found == parameters.end()) {
      std::vector<std::string> names;
      for (const auto& parameter : parameters) names.emplace_back(parameter.name);
      return argument_error(fmt::format("{} has no argument '{}'", what, name), did_you_mean(name, names));
    }
    auto& slot = out[static_cast<std::size_t>(found - parameters.begin())];
    if (slot != nullptr) return argument_error(fmt::format("{} gets its argument '{}' twice", what, name));
    slot = &value;
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (out[i] == nullptr && !parameters[i].optional) {
      return argument_error(fmt::format("{} needs the argument '{}'", what, parameters[i].name));
    }
  }
  return out;
}

Result<std::int64_t> Call::integer(std::size_t index, std::int64_t fallback) const {
  if (bound[index] == nullptr) return fallback;
  if (const auto value = bound[index]->as_integer()) return *value;
  return type_error(fmt::format("the argument must be an integer, not {}", type_name(*bound[index])));
}

Result<std::string> Call::text(std::size_t index, std::string fallback) const {
  if (bound[index] == nullptr) return fallback;
  if (const auto* value = bound[index]->as_text()) return *value;
  return type_error(fmt::format("the argument must be a text, not {}", type_name(*bound[index])));
}

Result<bool> Call::flag(std::size_t index, bool fallback) const {
  if (bound[index] == nullptr) return fallback;
  return truth(*bound[index]);
}

Datum Call::undefined(std::string message, std::string hint) const {
  Undefined out;
  out.code = "template.undefined";
  out.message = std::move(message);
  out.source = &source;
  out.span = span;
  out.hint = std::move(hint);
  return Datum::undefined(std::move(out));
}

}  // namespace sentinel::template_engine
