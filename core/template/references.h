// SPDX-License-Identifier: Apache-2.0
// Which variables a template reads.
#pragma once

#include <string>
#include <vector>

#include "core/template/syntax.h"

namespace sentinel::template_engine {

/// Names read but not set by the template before, sorted, without `secrets` and the built-in functions.
std::vector<std::string> free_names(const Template& parsed);

}  // namespace sentinel::template_engine
