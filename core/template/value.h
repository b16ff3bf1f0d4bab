// SPDX-License-Identifier: Apache-2.0
// The type of variables: JSON that keeps the order keys were written in, because Jinja iterates dictionaries in that
// order.
#pragma once

#include <nlohmann/json.hpp>

#include "core/template/value_declaration.h"
