// SPDX-License-Identifier: Apache-2.0
// What a session hands to the transaction's process besides request, secrets and contents (which travel as their own frames):
// the last frame, after which the transaction begins.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/wire/messages.h"

namespace sentinel::agent {

struct Handover {
  Begin begin;
  std::string operator_address;
  std::vector<std::string> ports_in_use;

  bool operator==(const Handover&) const = default;
};

void to_json(nlohmann::json& json, const Handover& value);
void from_json(const nlohmann::json& json, Handover& value);

}  // namespace sentinel::agent
