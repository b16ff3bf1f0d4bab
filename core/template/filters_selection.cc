// SPDX-License-Identifier: Apache-2.0
// map, select, reject, selectattr, rejectattr: filters that take the name of another filter or test.
#include <fmt/format.h>

#include "core/base/suggest.h"
#include "core/template/operators.h"
#include "core/template/runtime.h"

namespace sentinel::template_engine {
namespace {

Error argument_error(std::string message, std::string hint = {}) {
  return Error("template.arguments", std::move(message), std::move(hint), ExitCode::kUsage);
}

/// Jinja looks at `if value` first, so nothing, 0 and false are empty here.
Result<std::vector<Datum>> items_of(const Call& call) {
  const auto* items = call.input.as_items();
  if (items == nullptr || items->flavor != Items::Flavor::kLazy) {
    SENTINEL_TRY(const bool any, truth(call.input));
    if (!any) return std::vector<Datum>();
  }
  return iterate(call.input, call.runtime.budget());
}

/// The arguments behind the name of a filter or test.
CallArguments rest_of(const CallArguments& all, std::size_t used) {
  CallArguments out;
  out.positional.assign(all.positional.begin() + static_cast<std::ptrdiff_t>(used), all.positional.end());
  out.named = all.named;
  return out;
}

Result<Datum> map_attribute(const Call& call) {
  const Datum* attribute = nullptr;
  const Datum* fallback = nullptr;
  for (const auto& [name, value] : call.arguments.named) {
    if (name == "attribute") {
      attribute = &value;
    } else if (name == "default") {
      fallback = &value;
    } else {
      return argument_error(fmt::format("filter 'map' has no argument '{}'", name),
                            did_you_mean(name, {"attribute", "default"}));
    }
  }
  if (attribute == nullptr) return argument_error("filter 'map' needs the name of a filter, or attribute=");
  SENTINEL_TRY(const auto items, items_of(call));
  std::vector<Datum> out;
  for (const auto& item : items) {
    SENTINEL_TRY(Datum value, path_of(item, *attribute, call.runtime.site(call.source, call.span), fallback));
    SENTINEL_CHECK(require_containable(value));
    out.push_back(std::move(value));
  }
  return Datum::items(std::move(out), Items::Flavor::kLazy);
}

Result<Datum> map_filter(const Call& call) {
  if (call.arguments.positional.empty()) return map_attribute(call);
  const auto* name = call.arguments.positional[0].as_text();
  if (name == nullptr) return argument_error("filter 'map' wants the name of a filter");
  const auto* filter = find_filter(*name);
  if (filter == nullptr) {
    return Error("template.unknown-filter", fmt::format("there is no filter '{}'", *name),
                 did_you_mean(*name, filter_names()), ExitCode::kUsage);
  }
  const CallArguments rest = rest_of(call.arguments, 1);
  SENTINEL_TRY(const auto items, items_of(call));
  std::vector<Datum> out;
  for (const auto& item : items) {
    SENTINEL_TRY(Datum value, call.runtime.apply_filter(*filter, item, rest, call.source, call.span));
    SENTINEL_CHECK(require_containable(value));
    out.push_back(std::move(value));
  }
  return Datum::items(std::move(out), Items::Flavor::kLazy);
}

Result<Datum> selected(const Call& call, bool by_attribute, bool wanted) {
  const auto& given = call.arguments.positional;
  if (by_attribute && given.empty()) return argument_error("the filter needs the name of an attribute");
  const std::size_t used = by_attribute ? 1 : 0;
  const TestSpec* test = nullptr;
  if (given.size() > used) {
    const auto* name = given[used].as_text();
    if (name == nullptr) return argument_error("the filter wants the name of a test");
    test = find_test(*name);
    if (test == nullptr) {
      return Error("template.unknown-test", fmt::format("there is no test '{}'", *name),
                   did_you_mean(*name, test_names()), ExitCode::kUsage);
    }
  }
  const CallArguments rest = test != nullptr ? rest_of(call.arguments, used + 1) : CallArguments();
  SENTINEL_TRY(const auto items, items_of(call));
  std::vector<Datum> out;
  for (const auto& item : items) {
    Datum value = item;
    if (by_attribute) {
      SENTINEL_TRY(value, path_of(item, given[0], call.runtime.site(call.source, call.span)));
    }
    SENTINEL_TRY(const bool holds,
                 test != nullptr ? call.runtime.apply_test(*test, value, rest, call.source, call.span) : truth(value));
    if (holds == wanted) out.push_back(item);
  }
  return Datum::items(std::move(out), Items::Flavor::kLazy);
}

Result<Datum> select_filter(const Call& call) {
  return selected(call, false, true);
}

Result<Datum> reject_filter(const Call& call) {
  return selected(call, false, false);
}

Result<Datum> selectattr_filter(const Call& call) {
  return selected(call, true, true);
}

Result<Datum> rejectattr_filter(const Call& call) {
  return selected(call, true, false);
}

constexpr FilterSpec kSelectionFilters[] = {
    {"map", "*", map_filter},
    {"select", "*", select_filter},
    {"reject", "*", reject_filter},
    {"selectattr", "*", selectattr_filter},
    {"rejectattr", "*", rejectattr_filter},
};

}  // namespace

std::span<const FilterSpec> selection_filters() {
  return kSelectionFilters;
}

}  // namespace sentinel::template_engine
