// SPDX-License-Identifier: Apache-2.0
// The methods of texts, a table of its own.
#pragma once

#include <span>

#include "core/template/callables.h"

namespace sentinel::template_engine {

std::span<const MethodSpec> text_methods();

}  // namespace sentinel::template_engine
