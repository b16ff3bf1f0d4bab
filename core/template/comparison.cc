// SPDX-License-Identifier: Apache-2.0
// Equality never fails between plain values of different types; ordering does. Texts compare by code point, which for
// UTF-8 is the order of their bytes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/template/operators.h"
#include "core/template/unicode.h"

namespace sentinel::template_engine {
namespace {

bool comparable_sequences(const Items& left, const Items& right) {
  return (left.is_list() && right.is_list()) || (left.is_tuple() && right.is_tuple());
}

Result<bool> equal_dicts(const Dict& left, const Dict& right) {
  if (left.entries.size() != right.entries.size()) return false;
  for (const auto& [key, value] : left.entries) {
    const Datum* other = right.find(key);
    if (other == nullptr) return false;
    SENTINEL_TRY(const bool same, equal(value, *other));
    if (!same) return false;
  }
  return true;
}

bool equal_ranges(const Range& left, const Range& right) {
  if (left.size() != right.size()) return false;
  if (left.size() == 0) return true;
  return left.start == right.start && (left.size() == 1 || left.step == right.step);
}

Result<bool> equal_items(const Items& left, const Items& right) {
  if (!comparable_sequences(left, right) || left.items.size() != right.items.size()) return false;
  for (std::size_t i = 0; i < left.items.size(); ++i) {
    SENTINEL_TRY(const bool same, equal(left.items[i], right.items[i]));
    if (!same) return false;
  }
  return true;
}

}  // namespace

Result<bool> truth(const Datum& value) {
  if (value.is_lax_undefined()) return false;
  SENTINEL_CHECK(require_plain(value));
  if (value.is_none()) return false;
  if (const auto* flag = value.get<bool>()) return *flag;
  if (const auto* integer = value.get<std::int64_t>()) return *integer != 0;
  if (const auto* real = value.get<double>()) return *real != 0;
  if (const auto* text = value.as_text()) return !text->empty();
  if (const auto* items = value.as_items()) {
    if (items->flavor == Items::Flavor::kLazy) {
      return type_error("a lazy result is always true in Jinja",
                        "write | list behind map, select, reject, unique and the like");
    }
    return !items->items.empty();
  }
  if (const auto* dict = value.as_dict()) return !dict->entries.empty();
  if (const auto* range = value.get<Range>()) return range->size() > 0;
  return true;
}

Result<bool> equal(const Datum& left, const Datum& right) {
  if (left.is_lax_undefined() || right.is_lax_undefined()) return left.is_lax_undefined() && right.is_lax_undefined();
  SENTINEL_CHECK(require_plain(left));
  SENTINEL_CHECK(require_plain(right));
  const auto left_integer = left.as_integer();
  const auto right_integer = right.as_integer();
  if (left_integer && right_integer) return *left_integer == *right_integer;
  if (left.as_number() && right.as_number()) {
    // 80-bit floats hold every 64-bit integer exactly, as Python's comparison does.
    const long double a =
        left_integer ? static_cast<long double>(*left_integer) : static_cast<long double>(*left.as_number());
    const long double b =
        right_integer ? static_cast<long double>(*right_integer) : static_cast<long double>(*right.as_number());
    return a == b;
  }
  if (left.as_text() != nullptr && right.as_text() != nullptr) return *left.as_text() == *right.as_text();
  if (left.as_items() != nullptr && right.as_items() != nullptr) {
    if (left.as_items() == right.as_items()) return true;
    return equal_items(*left.as_items(), *right.as_items());
  }
  if (left.as_dict() != nullptr && right.as_dict() != nullptr) {
    if (left.as_dict() == right.as_dict()) return true;
    return equal_dicts(*left.as_dict(), *right.as_dict());
  }
  if (left.get<Range>() != nullptr && right.get<Range>() != nullptr)
    return equal_ranges(*left.get<Range>(), *right.get<Range>());
  const auto* a = left.get<std::shared_ptr<Namespace>>();
  const auto* b = right.get<std::shared_ptr<Namespace>>();
  if (a != nullptr && b != nullptr) return *a == *b;
  return left.is_none() && right.is_none();
}

Result<bool> less(const Datum& left, const Datum& right) {
  SENTINEL_CHECK(require_plain(left));
  SENTINEL_CHECK(require_plain(right));
  const auto left_integer = left.as_integer();
  const auto right_integer = right.as_integer();
  if (left_integer && right_integer) return *left_integer < *right_integer;
  if (left.as_number() && right.as_number()) {
    const long double a =
        left_integer ? static_cast<long double>(*left_integer) : static_cast<long double>(*left.as_number());
    const long double b =
        right_integer ? static_cast<long double>(*right_integer) : static_cast<long double>(*right.as_number());
    return a < b;
  }
  if (left.as_text() != nullptr && right.as_text() != nullptr) return *left.as_text() < *right.as_text();
  const auto* a = left.as_items();
  const auto* b = right.as_items();
  if (a != nullptr && b != nullptr && comparable_sequences(*a, *b)) {
    for (std::size_t i = 0; i < a->items.size() && i < b->items.size(); ++i) {
      SENTINEL_TRY(const bool same, equal(a->items[i], b->items[i]));
      if (!same) return less(a->items[i], b->items[i]);
    }
    return a->items.size() < b->items.size();
  }
  return type_error(fmt::format("{} and {} have no order", type_name(left), type_name(right)));
}

Result<bool> compare(std::string_view symbol, const Datum& left, const Datum& right, Budget& budget) {
  if (symbol == "in" || symbol == "not in") {
    SENTINEL_TRY(const bool found, contains(right, left, budget));
    return found == (symbol == "in");
  }
  SENTINEL_CHECK(budget.work(16 * std::min(left.weight(), right.weight())));
  if (symbol == "==" || symbol == "!=") {
    SENTINEL_TRY(const bool same, equal(left, right));
    return same == (symbol == "==");
  }
  if (symbol == "<") return less(left, right);
  if (symbol == ">") return less(right, left);
  SENTINEL_TRY(const bool ordered, symbol == "<=" ? less(left, right) : less(right, left));
  if (ordered) return true;
  return equal(left, right);
}

Result<bool> contains(const Datum& container, const Datum& value, Budget& budget) {
  SENTINEL_CHECK(require_plain(container));
  SENTINEL_CHECK(require_plain(value));
  if (const auto* text = container.as_text()) {
    SENTINEL_CHECK(budget.work(text->size()));
    if (value.as_text() == nullptr)
      return type_error(fmt::format("'in' wants a text on the left of a text, not {}", type_name(value)));
    return text->find(*value.as_text()) != std::string::npos;
  }
  if (const auto* dict = container.as_dict()) {
    if (!hash_key(value)) return type_error(fmt::format("a {} can't be a key", type_name(value)));
    return dict->find(value) != nullptr;
  }
  if (const auto* items = container.as_items()) {
    for (const auto& item : items->items) {
      SENTINEL_CHECK(budget.work(16 * std::min(item.weight(), value.weight())));
      SENTINEL_TRY(const bool same, equal(item, value));
      if (same) return true;
    }
    return false;
  }
  if (const auto* range = container.get<Range>()) {
    const auto number = value.as_number();
    if (!number || !(std::fabs(*number) < 9.2e18) || *number != std::floor(*number)) return false;
    const auto wanted = value.as_integer() ? *value.as_integer() : static_cast<std::int64_t>(*number);
    if (range->step > 0 ? (wanted < range->start || wanted >= range->stop)
                        : (wanted > range->start || wanted <= range->stop))
      return false;
    return (static_cast<__int128>(wanted) - range->start) % range->step == 0;
  }
  return type_error(fmt::format("a {} contains nothing", type_name(container)));
}

Result<std::vector<Datum>> iterate(const Datum& value, Budget& budget) {
  if (value.is_lax_undefined()) return std::vector<Datum>();
  SENTINEL_CHECK(require_plain(value));
  if (const auto* items = value.as_items()) {
    SENTINEL_CHECK(budget.iterations(items->items.size()));
    return items->items;
  }
  std::vector<Datum> out;
  if (const auto* text = value.as_text()) {
    SENTINEL_CHECK(budget.iterations(length_of(*text)));
    for (auto& character : characters(*text)) out.push_back(Datum::text(std::move(character)));
    return out;
  }
  if (const auto* dict = value.as_dict()) {
    SENTINEL_CHECK(budget.iterations(dict->entries.size()));
    for (const auto& [key, item] : dict->entries) out.push_back(key);
    return out;
  }
  if (const auto* range = value.get<Range>()) {
    SENTINEL_CHECK(budget.iterations(range->size()));
    for (std::size_t i = 0; i < range->size(); ++i) out.push_back(Datum::integer(range->at(i)));
    return out;
  }
  return type_error(fmt::format("a {} can't be looped over", type_name(value)));
}

Result<std::size_t> size_of(const Datum& value) {
  if (value.is_lax_undefined()) return std::size_t{0};
  SENTINEL_CHECK(require_plain(value));
  if (const auto* text = value.as_text()) return length_of(*text);
  if (const auto* items = value.as_items(); items != nullptr && items->flavor != Items::Flavor::kLazy)
    return items->items.size();
  if (const auto* dict = value.as_dict()) return dict->entries.size();
  if (const auto* range = value.get<Range>()) return range->size();
  if (const auto* loop = value.get<std::shared_ptr<Loop>>()) return (*loop)->items.size();
  const std::string hint = value.as_items() != nullptr ? "write | list in front" : "";
  return type_error(fmt::format("a {} has no length", type_name(value)), hint);
}

}  // namespace sentinel::template_engine
