// SPDX-License-Identifier: Apache-2.0
// The global functions: range, dict, namespace.
#include <fmt/format.h>

#include <algorithm>

#include "core/template/operators.h"
#include "core/template/runtime.h"

namespace sentinel::template_engine {
namespace {

Error argument_error(std::string message) {
  return Error("template.arguments", std::move(message), {}, ExitCode::kUsage);
}

Result<Datum> range_function(const Call& call) {
  const auto& given = call.arguments.positional;
  if (given.empty() || given.size() > 3 || !call.arguments.named.empty())
    return argument_error("range takes one to three numbers");
  for (const auto& value : given) {
    if (!value.as_integer()) return type_error(fmt::format("range wants integers, not {}", type_name(value)));
  }
  Range out;
  if (given.size() == 1) {
    out.stop = *given[0].as_integer();
  } else {
    out.start = *given[0].as_integer();
    out.stop = *given[1].as_integer();
    if (given.size() == 3) out.step = *given[2].as_integer();
  }
  if (out.step == 0) return argument_error("the step of range can't be zero");
  return Datum::of(out);
}

Result<Dict> dict_from(const Call& call) {
  Dict out;
  const auto& given = call.arguments;
  if (given.positional.size() > 1)
    return argument_error("dict takes one dictionary or list of pairs, and named values");
  if (!given.positional.empty()) {
    if (const auto* dict = given.positional[0].as_dict()) {
      out = *dict;
    } else {
      SENTINEL_TRY(const auto pairs, iterate(given.positional[0], call.runtime.budget()));
      for (const auto& each : pairs) {
        SENTINEL_TRY(const auto pair, iterate(each, call.runtime.budget()));
        if (pair.size() != 2) return type_error("dict wants pairs of key and value");
        SENTINEL_CHECK(require_plain(pair[0]));
        if (!hash_key(pair[0])) return type_error(fmt::format("a {} can't be a key", type_name(pair[0])));
        out.set(pair[0], pair[1]);
      }
    }
  }
  for (const auto& [name, value] : given.named) {
    SENTINEL_CHECK(require_containable(value));
    out.set(Datum::text(name), value);
  }
  return out;
}

Result<Datum> dict_function(const Call& call) {
  SENTINEL_TRY(Dict out, dict_from(call));
  return Datum::dict(std::move(out));
}

Result<Datum> namespace_function(const Call& call) {
  SENTINEL_TRY(const Dict values, dict_from(call));
  auto out = std::make_shared<Namespace>();
  for (const auto& [name, value] : values.entries) {
    if (name.as_text() == nullptr) return type_error("the names of a namespace are texts");
    out->attributes.emplace_back(*name.as_text(), value);
  }
  return Datum::of(std::move(out));
}

constexpr FunctionSpec kFunctions[] = {
    {"range", "*", range_function},
    {"dict", "*", dict_function},
    {"namespace", "*", namespace_function},
};

}  // namespace

const FunctionSpec* find_function(std::string_view name) {
  const auto* found = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                   [&](const FunctionSpec& each) { return each.name == name; });
  return found == std::end(kFunctions) ? nullptr : found;
}

std::vector<std::string> function_names() {
  std::vector<std::string> out;
  for (const auto& each : kFunctions) out.emplace_back(each.name);
  return out;
}

}  // namespace sentinel::template_engine
