// SPDX-License-Identifier: Apache-2.0
// Methods of dictionaries, lists and the loop, and the lookup for all types. Methods that change a value are known by
// name, so that the error can say what to write instead.
#include "core/template/methods.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/template/operators.h"
#include "core/template/runtime.h"

namespace sentinel::template_engine {
namespace {

Result<Datum> dict_view(const Call& call, Items::Flavor flavor) {
  std::vector<Datum> out;
  for (const auto& [key, value] : call.input.as_dict()->entries) {
    if (flavor == Items::Flavor::kPairs) {
      out.push_back(Datum::items({key, value}, Items::Flavor::kTuple));
    } else {
      out.push_back(flavor == Items::Flavor::kKeys ? key : value);
    }
  }
  return Datum::items(std::move(out), flavor);
}

Result<Datum> dict_items(const Call& call) {
  return dict_view(call, Items::Flavor::kPairs);
}

Result<Datum> dict_keys(const Call& call) {
  return dict_view(call, Items::Flavor::kKeys);
}

Result<Datum> dict_values(const Call& call) {
  return dict_view(call, Items::Flavor::kValues);
}

Result<Datum> dict_get(const Call& call) {
  if (!hash_key(*call.argument(0))) return type_error(fmt::format("a {} can't be a key", type_name(*call.argument(0))));
  if (const auto* found = call.input.as_dict()->find(*call.argument(0))) return *found;
  return call.argument(1) != nullptr ? *call.argument(1) : Datum();
}

Result<Datum> copy(const Call& call) {
  return call.input;
}

Result<Datum> list_index(const Call& call) {
  const auto& items = call.input.as_items()->items;
  for (std::size_t i = 0; i < items.size(); ++i) {
    SENTINEL_TRY(const bool same, equal(items[i], *call.argument(0)));
    if (same) return Datum::integer(static_cast<std::int64_t>(i));
  }
  return type_error("the value is not in the list");
}

Result<Datum> list_count(const Call& call) {
  std::int64_t count = 0;
  for (const auto& item : call.input.as_items()->items) {
    SENTINEL_TRY(const bool same, equal(item, *call.argument(0)));
    if (same) ++count;
  }
  return Datum::integer(count);
}

Result<Datum> loop_cycle(const Call& call) {
  const auto& values = call.arguments.positional;
  if (values.empty()) return type_error("cycle wants at least one value");
  return values[(*call.input.get<std::shared_ptr<Loop>>())->index % values.size()];
}

Result<Datum> loop_changed(const Call& call) {
  Loop& loop = **call.input.get<std::shared_ptr<Loop>>();
  const auto& values = call.arguments.positional;
  bool same = loop.changed_called && loop.changed.size() == values.size();
  for (std::size_t i = 0; same && i < values.size(); ++i) {
    SENTINEL_TRY(same, equal(loop.changed[i], values[i]));
  }
  loop.changed_called = true;
  loop.changed = values;
  return Datum::boolean(!same);
}

constexpr std::string_view kNoDictChange = "dictionaries can't be changed; make a new one with dict(old, key=value)";
constexpr std::string_view kNoListChange =
    "lists can't be changed; make a new one, like {% set list = list + [item] %}";

constexpr MethodSpec kDictMethods[] = {
    {"items", "", dict_items},
    {"keys", "", dict_keys},
    {"values", "", dict_values},
    {"get", "key default?", dict_get},
    {"copy", "", copy},
    {"pop", "*", nullptr, kNoDictChange},
    {"popitem", "*", nullptr, kNoDictChange},
    {"update", "*", nullptr, kNoDictChange},
    {"setdefault", "*", nullptr, kNoDictChange},
    {"clear", "*", nullptr, kNoDictChange},
    {"fromkeys", "*", nullptr, kNoDictChange},
};

constexpr MethodSpec kListMethods[] = {
    {"index", "value", list_index},
    {"count", "value", list_count},
    {"copy", "", copy},
    {"append", "*", nullptr, kNoListChange},
    {"extend", "*", nullptr, kNoListChange},
    {"insert", "*", nullptr, kNoListChange},
    {"remove", "*", nullptr, kNoListChange},
    {"pop", "*", nullptr, kNoListChange},
    {"clear", "*", nullptr, kNoListChange},
    {"sort", "*", nullptr, "use the filter sort"},
    {"reverse", "*", nullptr, "use the filter reverse"},
};

constexpr MethodSpec kTupleMethods[] = {
    {"index", "value", list_index},
    {"count", "value", list_count},
};

constexpr MethodSpec kLoopMethods[] = {
    {"cycle", "*", loop_cycle},
    {"changed", "*", loop_changed},
};

std::span<const MethodSpec> methods_of(const Datum& self) {
  if (self.as_text() != nullptr) return text_methods();
  if (self.as_dict() != nullptr) return kDictMethods;
  if (const auto* items = self.as_items()) {
    if (items->is_list()) return kListMethods;
    if (items->is_tuple()) return kTupleMethods;
  }
  if (self.get<std::shared_ptr<Loop>>() != nullptr) return kLoopMethods;
  return {};
}

}  // namespace

const MethodSpec* find_method(const Datum& self, std::string_view name) {
  for (const auto& method : methods_of(self)) {
    if (method.name == name) return &method;
  }
  return nullptr;
}

std::vector<std::string> method_names(const Datum& self) {
  std::vector<std::string> out;
  for (const auto& method : methods_of(self)) out.emplace_back(method.name);
  return out;
}

}  // namespace sentinel::template_engine
