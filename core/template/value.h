// SPDX-License-Identifier: Apache-2.0
// The type of variables: JSON that keeps the order keys were written in, because Jinja iterates dictionaries in that order.
#pragma once

#include <nlohmann/json.hpp>

namespace sentinel::template_engine {

using Value = nlohmann::ordered_json;

}  // namespace sentinel::template_engine
