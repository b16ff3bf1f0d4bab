// SPDX-License-Identifier: Apache-2.0
// Enumerators to and from their names in JSON; an unknown name throws a JSON exception, which decode() turns into an Error.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

namespace sentinel {

template <typename E, std::size_t N>
using EnumNames = std::array<std::pair<E, std::string_view>, N>;

template <typename E, std::size_t N>
std::string name_of(const EnumNames<E, N>& names, E value) {
  for (const auto& [enumerator, name] : names) {
    if (enumerator == value) return std::string(name);
  }
  return "?";
}

template <typename E, std::size_t N>
E value_of(const EnumNames<E, N>& names, const nlohmann::json& json) {
  const auto text = json.get<std::string>();
  for (const auto& [enumerator, name] : names) {
    if (name == text) return enumerator;
  }
  throw nlohmann::json::other_error::create(590, "unknown name '" + text + "'", &json);
}

}  // namespace sentinel
