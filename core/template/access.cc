// SPDX-License-Identifier: Apache-2.0
// `secrets.NAME` becomes a hole here, and nowhere else.
#include "core/template/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "core/template/callables.h"
#include "core/template/literals.h"
#include "core/template/unicode.h"

namespace sentinel::template_engine {
namespace {

Datum missing_attribute(const Datum& value, std::string_view name, const AccessSite& site) {
  Undefined out;
  out.code = "template.unknown-attribute";
  out.message = fmt::format("the {} has no attribute '{}'", type_name(value), name);
  out.subject = name;
  out.source = site.source;
  out.span = site.span;
  if (value.as_dict() != nullptr) {
    out.message = fmt::format("the dictionary has no key '{}'", name);
    out.container = std::make_shared<const Datum>(value);
  } else {
    out.candidates = method_names(value);
    if (const auto* space = value.get<std::shared_ptr<Namespace>>()) {
      for (const auto& [key, item] : (*space)->attributes) out.candidates.push_back(key);
    }
  }
  return Datum::undefined(std::move(out));
}

Datum missing_item(const Datum& value, const Datum& key, const AccessSite& site) {
  Undefined out;
  out.code = "template.unknown-attribute";
  out.source = site.source;
  out.span = site.span;
  if (const auto index = key.as_integer()) {
    out.message = fmt::format("the {} has no item {}", type_name(value), *index);
  } else {
    out.message = fmt::format("the {} has no item of type {}", type_name(value), type_name(key));
  }
  return Datum::undefined(std::move(out));
}

Result<Datum> secret_named(std::string_view name, const AccessSite& site) {
  if (std::find(site.secrets->begin(), site.secrets->end(), name) != site.secrets->end()) {
    return Datum::of(std::make_shared<const Hole>(Hole{std::string(name), {}}));
  }
  Undefined out;
  out.code = "template.unknown-secret";
  out.message = fmt::format("there is no secret '{}'", name);
  out.subject = name;
  out.source = site.source;
  out.span = site.span;
  out.candidates = *site.secrets;
  out.hint = "secrets are declared under 'secrets:' of the project";
  return Datum::undefined(std::move(out));
}

Datum method_of(const Datum& value, const MethodSpec* spec) {
  return Datum::of(Method{std::make_shared<const Datum>(value), spec});
}

/// loop.* that is a value, not a call.
Result<std::optional<Datum>> loop_attribute(const Loop& loop, std::string_view name, const AccessSite& site) {
  const auto size = static_cast<std::int64_t>(loop.items.size());
  const auto index = static_cast<std::int64_t>(loop.index);
  const auto nothing = [&](const char* message) {
    Undefined out;
    out.code = "template.undefined";
    out.message = message;
    out.source = site.source;
    out.span = site.span;
    return std::optional<Datum>(Datum::undefined(std::move(out)));
  };
  if (name == "index") return {Datum::integer(index + 1)};
  if (name == "index0") return {Datum::integer(index)};
  if (name == "revindex") return {Datum::integer(size - index)};
  if (name == "revindex0") return {Datum::integer(size - index - 1)};
  if (name == "first") return {Datum::boolean(index == 0)};
  if (name == "last") return {Datum::boolean(index + 1 == size)};
  if (name == "length") return {Datum::integer(size)};
  if (name == "depth") return {Datum::integer(1)};
  if (name == "depth0") return {Datum::integer(0)};
  if (name == "previtem") {
    if (index == 0) return nothing("there is no previous item in the first pass of the loop");
    return {loop.items[loop.index - 1]};
  }
  if (name == "nextitem") {
    if (index + 1 == size) return nothing("there is no next item in the last pass of the loop");
    return {loop.items[loop.index + 1]};
  }
  return {std::nullopt};
}

struct Bounds {
  std::int64_t start = 0;
  std::int64_t step = 1;
  std::int64_t count = 0;
};

/// Python's PySlice_AdjustIndices.
Result<Bounds> bounds_of(std::int64_t size, const Datum& start, const Datum& stop, const Datum& step) {
  for (const auto* bound : {&start, &stop, &step}) {
    SENTINEL_CHECK(require_plain(*bound));
    if (!bound->is_none() && !bound->as_integer())
      return type_error(fmt::format("a slice can't be bounded by a {}", type_name(*bound)));
  }
  Bounds out;
  out.step = step.is_none() ? 1 : *step.as_integer();
  if (out.step == 0) return type_error("the step of a slice can't be zero");
  out.step = std::max(out.step, -std::numeric_limits<std::int64_t>::max());
  const bool down = out.step < 0;
  const auto clamp = [&](const Datum& bound, std::int64_t fallback) {
    if (bound.is_none()) return fallback;
    std::int64_t value = *bound.as_integer();
    if (value < 0) {
      value += size;
      if (value < 0) value = down ? -1 : 0;
    } else if (value >= size) {
      value = down ? size - 1 : size;
    }
    return value;
  };
  out.start = clamp(start, down ? size - 1 : 0);
  const std::int64_t end = clamp(stop, down ? -1 : size);
  if (down && end < out.start) out.count = (out.start - end - 1) / -out.step + 1;
  if (!down && out.start < end) out.count = (end - out.start - 1) / out.step + 1;
  return out;
}

template <typename T>
std::vector<T> picked(const std::vector<T>& from, const Bounds& bounds) {
  std::vector<T> out;
  for (std::int64_t i = 0; i < bounds.count; ++i)
    out.push_back(from[static_cast<std::size_t>(bounds.start + i * bounds.step)]);
  return out;
}

/// The item at an index, counted from the end when negative.
template <typename Size>
std::optional<std::size_t> position_in(Size size, std::int64_t index) {
  const auto count = static_cast<std::int64_t>(size);
  if (index < 0) index += count;
  if (index < 0 || index >= count) return std::nullopt;
  return static_cast<std::size_t>(index);
}

std::optional<Datum> indexed(const Datum& value, std::int64_t index) {
  if (const auto* text = value.as_text()) {
    const auto letters = characters(*text);
    if (const auto at = position_in(letters.size(), index)) return Datum::text(letters[*at]);
  } else if (const auto* items = value.as_items(); items != nullptr && (items->is_list() || items->is_tuple())) {
    if (const auto at = position_in(items->items.size(), index)) return items->items[*at];
  } else if (const auto* range = value.get<Range>()) {
    if (const auto at = position_in(range->size(), index)) return Datum::integer(range->at(*at));
  }
  return std::nullopt;
}

}  // namespace

Result<Datum> attribute_of(const Datum& value, std::string_view name, const AccessSite& site) {
  if (value.get<Secrets>() != nullptr) return secret_named(name, site);
  SENTINEL_CHECK(require_plain(value));
  if (const auto* space = value.get<std::shared_ptr<Namespace>>()) {
    for (const auto& [key, item] : (*space)->attributes) {
      if (key == name) return item;
    }
    return missing_attribute(value, name, site);
  }
  if (const auto* loop = value.get<std::shared_ptr<Loop>>()) {
    SENTINEL_TRY(auto found, loop_attribute(**loop, name, site));
    if (found) return *found;
  }
  if (const auto* items = value.as_items(); items != nullptr && items->flavor == Items::Flavor::kGroup) {
    if (name == "grouper") return items->items[0];
    if (name == "list") return items->items[1];
  }
  if (const auto* spec = find_method(value, name)) return method_of(value, spec);
  if (const auto* dict = value.as_dict()) {
    if (const auto* item = dict->find(name)) return *item;
  }
  return missing_attribute(value, name, site);
}

Result<Datum> item_of(const Datum& value, const Datum& key, const AccessSite& site) {
  if (value.get<Secrets>() != nullptr) {
    SENTINEL_CHECK(require_plain(key));
    if (key.as_text() == nullptr) return type_error("the name of a secret is a text");
    return secret_named(*key.as_text(), site);
  }
  SENTINEL_CHECK(require_plain(value));
  SENTINEL_CHECK(require_plain(key));
  if (const auto* dict = value.as_dict()) {
    if (const auto* item = dict->find(key)) return *item;
  } else if (const auto index = key.as_integer()) {
    if (auto item = indexed(value, *index)) return *item;
  }
  if (const auto* name = key.as_text()) return attribute_of(value, *name, site);
  return missing_item(value, key, site);
}

Result<Datum> slice_of(const Datum& value, const Datum& start, const Datum& stop, const Datum& step, Budget& budget) {
  SENTINEL_CHECK(require_plain(value));
  SENTINEL_CHECK(budget.walk(value));
  if (const auto* text = value.as_text()) {
    const auto letters = characters(*text);
    SENTINEL_TRY(const Bounds bounds, bounds_of(static_cast<std::int64_t>(letters.size()), start, stop, step));
    std::string out;
    for (const auto& letter : picked(letters, bounds)) out += letter;
    return Datum::text(std::move(out));
  }
  if (const auto* items = value.as_items(); items != nullptr && (items->is_list() || items->is_tuple())) {
    SENTINEL_TRY(const Bounds bounds, bounds_of(static_cast<std::int64_t>(items->items.size()), start, stop, step));
    return Datum::items(picked(items->items, bounds), items->is_tuple() ? Items::Flavor::kTuple : Items::Flavor::kList);
  }
  if (const auto* range = value.get<Range>()) {
    const auto size = static_cast<std::int64_t>(range->size());
    SENTINEL_TRY(const Bounds bounds, bounds_of(size, start, stop, step));
    const std::int64_t first = range->start + bounds.start * range->step;
    const std::int64_t stride = range->step * bounds.step;
    // Python shows where the slice would end, not where its last item is.
    const bool down = bounds.step < 0;
    std::int64_t end = stop.is_none() ? (down ? -1 : size) : *stop.as_integer();
    if (!stop.is_none() && end < 0) end = std::max<std::int64_t>(end + size, down ? -1 : 0);
    end = std::min(end, down ? size - 1 : size);
    return Datum::of(Range{first, range->start + end * range->step, stride});
  }
  return type_error(fmt::format("a {} can't be sliced", type_name(value)));
}

Result<Datum> path_of(const Datum& value, const Datum& path, const AccessSite& site, const Datum* fallback) {
  SENTINEL_CHECK(require_plain(path));
  const auto* text = path.as_text();
  const auto part_of = [&](const Datum& object, const Datum& key) -> Result<Datum> {
    SENTINEL_TRY(Datum found, item_of(object, key, site));
    if (found.is_undefined() && fallback != nullptr && !fallback->is_none()) return *fallback;
    return found;
  };
  if (text == nullptr) return part_of(value, path);
  Datum current = value;
  for (std::size_t begin = 0; begin <= text->size();) {
    const std::size_t end = std::min(text->find('.', begin), text->size());
    const std::string part = text->substr(begin, end - begin);
    const bool digits = !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
    Datum key = Datum::text(part);
    if (digits) {
      SENTINEL_TRY(const auto number, parse_integer(part, 10));
      if (number) key = Datum::integer(*number);
    }
    SENTINEL_TRY(current, part_of(current, key));
    begin = end + 1;
  }
  return current;
}

}  // namespace sentinel::template_engine
