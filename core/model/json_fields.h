// SPDX-License-Identifier: Apache-2.0
// SENTINEL_JSON_FIELDS(Type, field...): out-of-line to_json and from_json that name every field. nlohmann's own macro makes
// the same pair inline, which every including file would compile again.
#pragma once

#include <nlohmann/json.hpp>

#define SENTINEL_JSON_FIELDS(Type, ...)                                                  \
  void to_json(nlohmann::json& nlohmann_json_j, const Type& nlohmann_json_t) {            \
    NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(NLOHMANN_JSON_TO, __VA_ARGS__))              \
  }                                                                                       \
  void from_json(const nlohmann::json& nlohmann_json_j, Type& nlohmann_json_t) {          \
    NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(NLOHMANN_JSON_FROM, __VA_ARGS__))            \
  }
