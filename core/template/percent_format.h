// SPDX-License-Identifier: Apache-2.0
// Python's "%s %05d" % values.
#pragma once

#include <string_view>

#include "core/base/result.h"
#include "core/template/budget.h"
#include "core/template/datum.h"

namespace sentinel::template_engine {

/// `values`: a tuple, a dictionary for %(name)s, or one value.
Result<Datum> percent_format(std::string_view pattern, const Datum& values, Budget& budget);

}  // namespace sentinel::template_engine
