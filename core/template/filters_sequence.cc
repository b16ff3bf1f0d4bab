// SPDX-License-Identifier: Apache-2.0
// Filters on sequences and dictionaries. Where Jinja gives a generator the result is lazy in name only: it is computed
// at once, but has to be turned into a list, joined or looped over.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <unordered_set>

#include "core/template/operators.h"
#include "core/template/runtime.h"
#include "core/template/unicode.h"

namespace sentinel::template_engine {
namespace {

bool given(const Call& call, std::size_t index) {
  return call.argument(index) != nullptr && !call.argument(index)->is_none();
}

Datum folded(const Datum& value, bool case_sensitive) {
  const auto* text = value.as_text();
  return text == nullptr || case_sensitive ? value : Datum::text(to_lower(*text));
}

/// item, or item.attribute, without case when asked.
Result<Datum> key_of(const Call& call, const Datum& item, const Datum* attribute, bool case_sensitive) {
  if (attribute == nullptr) return folded(item, case_sensitive);
  SENTINEL_TRY(const Datum value, path_of(item, *attribute, call.runtime.site(call.source, call.span)));
  return folded(value, case_sensitive);
}

struct Keyed {
  Datum key;
  Datum item;
};

/// Stable, as Python's sorted().
Result<void> sort_keyed(std::vector<Keyed>& items, bool reverse, Budget& budget) {
  for (const auto& item : items) SENTINEL_CHECK(budget.work(256 * item.key.weight()));
  if (items.size() == 1) return {};
  Result<void> failure;
  std::stable_sort(items.begin(), items.end(), [&](const Keyed& a, const Keyed& b) {
    const auto order = reverse ? less(b.key, a.key) : less(a.key, b.key);
    if (!order.ok() && failure.ok()) failure = order.error();
    return order.ok() && *order;
  });
  return failure;
}

Datum unkeyed(const std::vector<Keyed>& items) {
  std::vector<Datum> out;
  for (const auto& item : items) out.push_back(item.item);
  return Datum::items(std::move(out));
}

Result<Datum> sort_filter(const Call& call) {
  SENTINEL_TRY(const bool reverse, call.flag(0, false));
  SENTINEL_TRY(const bool case_sensitive, call.flag(1, false));
  SENTINEL_TRY(const auto items, iterate(call.input, call.runtime.budget()));
  std::vector<Datum> attributes;
  if (given(call, 2)) {
    if (const auto* text = call.argument(2)->as_text()) {
      for (std::size_t begin = 0; begin <= text->size();) {
        const auto end = std::min(text->find(',', begin), text->size());
        attributes.push_back(Datum::text(text->substr(begin, end - begin)));
        begin = end + 1;
      }
    } else {
      attributes.push_back(*call.argument(2));
    }
  }
  std::vector<Keyed> keyed;
  for (const auto& item : items) {
    std::vector<Datum> keys;
    for (const auto& attribute : attributes) {
      SENTINEL_TRY(Datum key, key_of(call, item, &attribute, case_sensitive));
      keys.push_back(std::move(key));
    }
    if (attributes.empty()) keys.push_back(folded(item, case_sensitive));
    keyed.push_back({Datum::items(std::move(keys)), item});
  }
  SENTINEL_CHECK(sort_keyed(keyed, reverse, call.runtime.budget()));
  return unkeyed(keyed);
}

Result<Datum> dictsort_filter(const Call& call) {
  SENTINEL_TRY(const bool case_sensitive, call.flag(0, false));
  SENTINEL_TRY(const std::string by, call.text(1, "key"));
  SENTINEL_TRY(const bool reverse, call.flag(2, false));
  if (by != "key" && by != "value") return type_error("dictsort sorts by 'key' or 'value'");
  const auto* dict = call.input.as_dict();
  if (dict == nullptr) return type_error(fmt::format("dictsort wants a dictionary, not {}", type_name(call.input)));
  std::vector<Keyed> keyed;
  for (const auto& [key, value] : dict->entries) {
    keyed.push_back(
        {folded(by == "key" ? key : value, case_sensitive), Datum::items({key, value}, Items::Flavor::kTuple)});
  }
  SENTINEL_CHECK(sort_keyed(keyed, reverse, call.runtime.budget()));
  return unkeyed(keyed);
}

Result<Datum> unique_filter(const Call& call) {
  SENTINEL_TRY(const bool case_sensitive, call.flag(0, false));
  SENTINEL_TRY(const auto items, iterate(call.input, call.runtime.budget()));
  std::unordered_set<std::string> seen;
  std::vector<Datum> out;
  for (const auto& item : items) {
    SENTINEL_TRY(const Datum key, key_of(call, item, given(call, 1) ? call.argument(1) : nullptr, case_sensitive));
    SENTINEL_CHECK(require_plain(key));
    const auto hashed = hash_key(key);
    if (!hashed) return type_error(fmt::format("unique can't compare a {}", type_name(key)));
    if (seen.insert(*hashed).second) out.push_back(item);
  }
  return Datum::items(std::move(out), Items::Flavor::kLazy);
}

Result<Datum> extreme(const Call& call, bool largest) {
  SENTINEL_TRY(const bool case_sensitive, call.flag(0, false));
  SENTINEL_TRY(const auto items, iterate(call.input, call.runtime.budget()));
  if (items.empty()) return call.undefined("there is no smallest or largest item of an empty sequence");
  std::optional<Keyed> best;
  for (const auto& item : items) {
    SENTINEL_TRY(Datum key, key_of(call, item, given(call, 1) ? call.argument(1) : nullptr, case_sensitive));
    if (best) {
      SENTINEL_TRY(const bool better, largest ? less(best->key, key) : less(key, best->key));
      if (!better) continue;
    }
    best = Keyed{std::move(key), item};
  }
  return best->item;
}

Result<Datum> min_filter(const Call& call) {
  return extreme(call, false);
}

Result<Datum> max_filter(const Call& call) {
  return extreme(call, true);
}

Result<Datum> sum_filter(const Call& call) {
  Budget& budget = call.runtime.budget();
  SENTINEL_TRY(const auto items, iterate(call.input, budget));
  Datum total = call.argument(1) != nullptr ? *call.argument(1) : Datum::integer(0);
  if (total.as_text() != nullptr) return type_error("sum doesn't join texts", "use join");
  for (const auto& item : items) {
    Datum value = item;
    if (given(call, 0)) {
      SENTINEL_TRY(value, path_of(item, *call.argument(0), call.runtime.site(call.source, call.span)));
    }
    SENTINEL_TRY(total, arithmetic("+", total, value, budget));
    SENTINEL_CHECK(budget.admit(total));
  }
  return total;
}

Result<Datum> first_filter(const Call& call) {
  SENTINEL_TRY(const auto items, iterate(call.input, call.runtime.budget()));
  if (items.empty()) return call.undefined("there is no first item of an empty sequence");
  return items.front();
}

Result<Datum> last_filter(const Call& call) {
  if (const auto* items = call.input.as_items(); items != nullptr && items->flavor == Items::Flavor::kLazy) {
    return type_error("a lazy result has no last item", "write | list in front");
  }
  SENTINEL_TRY(const auto items, iterate(call.input, call.runtime.budget()));
  if (items.empty()) return call.undefined("there is no last item of an empty sequence");
  return items.back();
}

Result<Datum> list_filter(const Call& call) {
  SENTINEL_TRY(auto items, iterate(call.input, call.runtime.budget()));
  return Datum::items(std::move(items));
}

Result<Datum> reverse_filter(const Call& call) {
  SENTINEL_TRY(auto items, iterate(call.input, call.runtime.budget()));
  std::reverse(items.begin(), items.end());
  if (call.input.as_text() == nullptr) return Datum::items(std::move(items), Items::Flavor::kLazy);
  std::string out;
  for (const auto& item : items) out += *item.as_text();
  return Datum::text(std::move(out));
}

Result<Datum> items_filter(const Call& call) {
  if (call.input.is_undefined()) return Datum::items({}, Items::Flavor::kLazy);
  SENTINEL_CHECK(require_plain(call.input));
  const auto* dict = call.input.as_dict();
  if (dict == nullptr) return type_error(fmt::format("items wants a dictionary, not {}", type_name(call.input)));
  std::vector<Datum> out;
  for (const auto& [key, value] : dict->entries) out.push_back(Datum::items({key, value}, Items::Flavor::kTuple));
  return Datum::items(std::move(out), Items::Flavor::kLazy);
}

Result<Datum> batch_filter(const Call& call) {
  SENTINEL_TRY(const std::int64_t size, call.integer(0, 1));
  SENTINEL_TRY(const auto items, iterate(call.input, call.runtime.budget()));
  std::vector<Datum> out;
  std::vector<Datum> part;
  for (const auto& item : items) {
    if (static_cast<std::int64_t>(part.size()) == size) out.push_back(Datum::items(std::exchange(part, {})));
    part.push_back(item);
  }
  if (!part.empty()) {
    const auto missing = size - static_cast<std::int64_t>(part.size());
    if (given(call, 1) && missing > 0) {
      SENTINEL_CHECK(call.runtime.budget().iterations(static_cast<std::size_t>(missing)));
      part.insert(part.end(), static_cast<std::size_t>(missing), *call.argument(1));
    }
    out.push_back(Datum::items(std::move(part)));
  }
  return Datum::items(std::move(out), Items::Flavor::kLazy);
}

Result<Datum> slice_filter(const Call& call) {
  SENTINEL_TRY(const std::int64_t slices, call.integer(0, 1));
  SENTINEL_TRY(const auto items, iterate(call.input, call.runtime.budget()));
  if (slices == 0) return type_error("slice wants at least one slice");
  SENTINEL_CHECK(call.runtime.budget().iterations(static_cast<std::size_t>(std::max<std::int64_t>(slices, 0))));
  const auto size = static_cast<std::int64_t>(items.size());
  std::vector<Datum> out;
  std::int64_t begin = 0;
  for (std::int64_t i = 0; i < slices; ++i) {
    const bool extra = i < size % slices;
    const std::int64_t end = begin + size / slices + (extra ? 1 : 0);
    std::vector<Datum> part(items.begin() + begin, items.begin() + end);
    if (given(call, 1) && !extra) part.push_back(*call.argument(1));
    out.push_back(Datum::items(std::move(part)));
    begin = end;
  }
  return Datum::items(std::move(out), Items::Flavor::kLazy);
}

Result<Datum> groupby_filter(const Call& call) {
  SENTINEL_TRY(const bool case_sensitive, call.flag(2, false));
  SENTINEL_TRY(const auto items, iterate(call.input, call.runtime.budget()));
  const auto site = call.runtime.site(call.source, call.span);
  const auto group_of = [&](const Datum& item) { return path_of(item, *call.argument(0), site, call.argument(1)); };
  std::vector<Keyed> keyed;
  for (const auto& item : items) {
    SENTINEL_TRY(const Datum group, group_of(item));
    keyed.push_back({folded(group, case_sensitive), item});
  }
  SENTINEL_CHECK(sort_keyed(keyed, false, call.runtime.budget()));
  std::vector<Datum> out;
  for (std::size_t i = 0; i < keyed.size();) {
    std::vector<Datum> members;
    const std::size_t begin = i;
    for (; i < keyed.size(); ++i) {
      SENTINEL_TRY(const bool same, equal(keyed[begin].key, keyed[i].key));
      if (!same) break;
      members.push_back(keyed[i].item);
    }
    SENTINEL_TRY(Datum name, group_of(members.front()));
    out.push_back(Datum::items({std::move(name), Datum::items(std::move(members))}, Items::Flavor::kGroup));
  }
  return Datum::items(std::move(out));
}

constexpr FilterSpec kSequenceFilters[] = {
    {"sort", "reverse? case_sensitive? attribute?", sort_filter},
    {"dictsort", "case_sensitive? by? reverse?", dictsort_filter},
    {"unique", "case_sensitive? attribute?", unique_filter},
    {"min", "case_sensitive? attribute?", min_filter},
    {"max", "case_sensitive? attribute?", max_filter},
    {"sum", "attribute? start?", sum_filter},
    {"first", "", first_filter},
    {"last", "", last_filter},
    {"list", "", list_filter},
    {"reverse", "", reverse_filter},
    {"items", "", items_filter, true},
    {"batch", "linecount fill_with?", batch_filter},
    {"slice", "slices fill_with?", slice_filter},
    {"groupby", "attribute default? case_sensitive?", groupby_filter},
};

}  // namespace

std::span<const FilterSpec> sequence_filters() {
  return kSequenceFilters;
}

}  // namespace sentinel::template_engine
