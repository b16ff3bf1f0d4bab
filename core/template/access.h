// SPDX-License-Identifier: Apache-2.0
// Attributes, items and slices. What isn't there is an undefined value, not an error: `is defined` and `default` may
// follow.
#pragma once

#include <string_view>

#include "core/base/result.h"
#include "core/template/budget.h"
#include "core/template/datum.h"

namespace sentinel::template_engine {

/// Where an access stands and who knows the secrets: what an undefined result needs to describe itself.
struct AccessSite {
  const SourceText* source = nullptr;
  Span span;
  const std::vector<std::string>* secrets = nullptr;
};

/// value.name: methods of Python's type first, then the key, as Jinja does.
Result<Datum> attribute_of(const Datum& value, std::string_view name, const AccessSite& site);
/// value[key]: the key or index first, then a method of that name.
Result<Datum> item_of(const Datum& value, const Datum& key, const AccessSite& site);
/// value[start:stop:step]; null bounds are Python's None.
Result<Datum> slice_of(const Datum& value, const Datum& start, const Datum& stop, const Datum& step, Budget& budget);
/// "a.b.0" as filters take it: each part by item_of. Where a part is missing `fallback`, if given and not none, takes
/// its place, and the remaining parts apply to that (as in Jinja).
Result<Datum> path_of(const Datum& value, const Datum& path, const AccessSite& site, const Datum* fallback = nullptr);

}  // namespace sentinel::template_engine
