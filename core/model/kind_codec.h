// SPDX-License-Identifier: Apache-2.0
// A variant as JSON: {"<kind>": {fields}}, the kind being kind_name<Alternative>. An unknown kind throws a JSON exception,
// which decode() turns into an Error.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include <nlohmann/json.hpp>

namespace sentinel {

/// Specialized where the alternatives are declared or encoded.
template <typename T>
inline constexpr std::string_view kind_name = "";

template <typename Variant, std::size_t I = 0>
Variant decode_variant(const std::string& kind, const nlohmann::json& fields) {
  if constexpr (I < std::variant_size_v<Variant>) {
    using Alternative = std::variant_alternative_t<I, Variant>;
    if (kind == kind_name<Alternative>) return fields.get<Alternative>();
    return decode_variant<Variant, I + 1>(kind, fields);
  } else {
    throw nlohmann::json::other_error::create(591, "unknown kind '" + kind + "'", &fields);
  }
}

template <typename Variant>
void encode_kind(nlohmann::json& json, const Variant& value) {
  std::visit([&](const auto& v) { json = {{std::string(kind_name<std::decay_t<decltype(v)>>), v}}; }, value);
}

template <typename Variant>
Variant decode_kind(const nlohmann::json& json) {
  if (!json.is_object() || json.size() != 1) {
    throw nlohmann::json::other_error::create(592, "expected an object with one key, the kind", &json);
  }
  return decode_variant<Variant>(json.begin().key(), json.begin().value());
}

}  // namespace sentinel
