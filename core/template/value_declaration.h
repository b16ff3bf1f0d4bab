// SPDX-License-Identifier: Apache-2.0
// The type of variables, declared only: value.h has the whole of it.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace sentinel::template_engine {

using Value = nlohmann::ordered_json;

}  // namespace sentinel::template_engine
