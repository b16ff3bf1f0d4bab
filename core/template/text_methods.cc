// SPDX-License-Identifier: Apache-2.0
// Python's str methods. Positions count code points.
#include <fmt/format.h>

#include <algorithm>

#include "core/template/methods.h"
#include "core/template/operators.h"
#include "core/template/runtime.h"
#include "core/template/text_edit.h"
#include "core/template/unicode.h"

namespace sentinel::template_engine {
namespace {

const std::string& self(const Call& call) {
  return *call.input.as_text();
}

Budget& budget(const Call& call) {
  return call.runtime.budget();
}

bool given(const Call& call, std::size_t index) {
  return call.argument(index) != nullptr && !call.argument(index)->is_none();
}

Datum list_of(std::vector<std::string> texts) {
  std::vector<Datum> out;
  out.reserve(texts.size());
  for (auto& text : texts) out.push_back(Datum::text(std::move(text)));
  return Datum::items(std::move(out));
}

template <std::string (*Function)(std::string_view)>
Result<Datum> mapped(const Call& call) {
  return Datum::text(Function(self(call)));
}

/// str.title: a letter behind a letter is lower case, any other upper case.
std::string title_case(std::string_view text) {
  std::string out;
  bool behind_letter = false;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    const char32_t code = next_code_point(text, i);
    const auto letter = text.substr(begin, i - begin);
    out += behind_letter ? to_lower(letter) : to_upper(letter);
    behind_letter = is_upper(code) || is_lower(code);
  }
  return out;
}

Result<Datum> stripped(const Call& call, bool left, bool right) {
  const bool whitespace = !given(call, 0);
  SENTINEL_TRY(const std::string set, whitespace ? Result<std::string>(std::string()) : call.text(0, {}));
  std::string_view text = self(call);
  if (left) text = strip_left(text, set, whitespace);
  if (right) text = strip_right(text, set, whitespace);
  return Datum::text(std::string(text));
}

Result<Datum> strip(const Call& call) {
  return stripped(call, true, true);
}

Result<Datum> lstrip(const Call& call) {
  return stripped(call, true, false);
}

Result<Datum> rstrip(const Call& call) {
  return stripped(call, false, true);
}

Result<Datum> split(const Call& call) {
  SENTINEL_TRY(const std::int64_t limit, call.integer(1, -1));
  if (!given(call, 0)) return list_of(split_words(self(call), limit));
  SENTINEL_TRY(const std::string separator, call.text(0, {}));
  if (separator.empty()) return type_error("the separator is empty");
  std::vector<std::string> out;
  std::string_view text = self(call);
  while (limit < 0 || static_cast<std::int64_t>(out.size()) < limit) {
    const auto found = text.find(separator);
    if (found == std::string_view::npos) break;
    out.emplace_back(text.substr(0, found));
    text.remove_prefix(found + separator.size());
  }
  out.emplace_back(text);
  return list_of(std::move(out));
}

std::vector<std::string> words_from_right(std::string_view text, std::int64_t limit) {
  std::vector<std::string> out;
  text = strip_right(text, {}, true);
  while (!text.empty()) {
    if (limit >= 0 && static_cast<std::int64_t>(out.size()) == limit) {
      out.emplace_back(text);
      break;
    }
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size();) {
      if (is_space(next_code_point(text, i))) begin = i;
    }
    out.emplace_back(text.substr(begin));
    text = strip_right(text.substr(0, begin), {}, true);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

Result<Datum> rsplit(const Call& call) {
  SENTINEL_TRY(const std::int64_t limit, call.integer(1, -1));
  if (!given(call, 0)) {
    return list_of(limit < 0 ? split_words(self(call))
                             : words_from_right(self(call), std::min<std::int64_t>(limit, 10'000)));
  }
  SENTINEL_TRY(const std::string separator, call.text(0, {}));
  if (separator.empty()) return type_error("the separator is empty");
  std::vector<std::string> out;
  std::string_view text = self(call);
  while (limit < 0 || static_cast<std::int64_t>(out.size()) < limit) {
    const auto found = text.rfind(separator);
    if (found == std::string_view::npos) break;
    out.emplace_back(text.substr(found + separator.size()));
    text = text.substr(0, found);
  }
  out.emplace_back(text);
  std::reverse(out.begin(), out.end());
  return list_of(std::move(out));
}

Result<Datum> splitlines(const Call& call) {
  SENTINEL_TRY(const bool keep, call.flag(0, false));
  return list_of(split_lines(self(call), keep));
}

Result<Datum> join(const Call& call) {
  SENTINEL_TRY(const auto items, iterate(*call.argument(0), budget(call)));
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += self(call);
    if (items[i].as_text() == nullptr) {
      SENTINEL_CHECK(require_plain(items[i]));
      return type_error(fmt::format("join wants texts, item {} is a {}", i, type_name(items[i])),
                        "use the filter join, which takes any values");
    }
    out += *items[i].as_text();
    SENTINEL_CHECK(budget(call).text(out.size()));
  }
  return Datum::text(std::move(out));
}

/// One text, or a tuple of them.
Result<Datum> affix(const Call& call, bool (*matches)(std::string_view, std::string_view)) {
  std::vector<Datum> candidates{*call.argument(0)};
  if (const auto* items = call.argument(0)->as_items(); items != nullptr && items->is_tuple())
    candidates = items->items;
  for (const auto& candidate : candidates) {
    if (candidate.as_text() == nullptr)
      return type_error(fmt::format("a text is wanted, not {}", type_name(candidate)));
    if (matches(self(call), *candidate.as_text())) return Datum::boolean(true);
  }
  return Datum::boolean(false);
}

Result<Datum> startswith(const Call& call) {
  return affix(call, [](std::string_view text, std::string_view part) { return text.starts_with(part); });
}

Result<Datum> endswith(const Call& call) {
  return affix(call, [](std::string_view text, std::string_view part) { return text.ends_with(part); });
}

Result<Datum> removeprefix(const Call& call) {
  SENTINEL_TRY(const std::string part, call.text(0, {}));
  return Datum::text(self(call).starts_with(part) ? self(call).substr(part.size()) : self(call));
}

Result<Datum> removesuffix(const Call& call) {
  SENTINEL_TRY(const std::string part, call.text(0, {}));
  const bool there = self(call).ends_with(part);
  return Datum::text(there ? self(call).substr(0, self(call).size() - part.size()) : self(call));
}

Result<Datum> replace(const Call& call) {
  SENTINEL_TRY(const std::string old, call.text(0, {}));
  SENTINEL_TRY(const std::string fresh, call.text(1, {}));
  SENTINEL_TRY(const std::int64_t count, call.integer(2, -1));
  SENTINEL_TRY(std::string out, replaced(self(call), old, fresh, count, budget(call)));
  return Datum::text(std::move(out));
}

Result<Datum> found_at(const Call& call, bool from_right, bool must_exist) {
  SENTINEL_TRY(const std::string part, call.text(0, {}));
  const auto at = from_right ? self(call).rfind(part) : self(call).find(part);
  if (at != std::string::npos)
    return Datum::integer(static_cast<std::int64_t>(length_of(std::string_view(self(call)).substr(0, at))));
  if (must_exist) return type_error("the text is not found");
  return Datum::integer(-1);
}

Result<Datum> find(const Call& call) {
  return found_at(call, false, false);
}

Result<Datum> rfind(const Call& call) {
  return found_at(call, true, false);
}

Result<Datum> index(const Call& call) {
  return found_at(call, false, true);
}

Result<Datum> rindex(const Call& call) {
  return found_at(call, true, true);
}

Result<Datum> count(const Call& call) {
  SENTINEL_TRY(const std::string part, call.text(0, {}));
  if (part.empty()) return Datum::integer(static_cast<std::int64_t>(length_of(self(call))) + 1);
  std::int64_t out = 0;
  for (auto at = self(call).find(part); at != std::string::npos; at = self(call).find(part, at + part.size())) ++out;
  return Datum::integer(out);
}

Result<Datum> aligned(const Call& call, Alignment alignment) {
  SENTINEL_TRY(const std::int64_t width, call.integer(0, 0));
  SENTINEL_TRY(const std::string fill, call.text(1, " "));
  if (length_of(fill) != 1) return type_error("the fill must be one character");
  SENTINEL_TRY(std::string out, padded(self(call), width, fill, alignment, budget(call)));
  return Datum::text(std::move(out));
}

Result<Datum> ljust(const Call& call) {
  return aligned(call, Alignment::kLeft);
}

Result<Datum> rjust(const Call& call) {
  return aligned(call, Alignment::kRight);
}

Result<Datum> center(const Call& call) {
  return aligned(call, Alignment::kCenter);
}

Result<Datum> zfill(const Call& call) {
  SENTINEL_TRY(const std::int64_t width, call.integer(0, 0));
  std::string_view text = self(call);
  std::string sign;
  if (text.starts_with('+') || text.starts_with('-')) {
    sign = text.substr(0, 1);
    text.remove_prefix(1);
  }
  SENTINEL_TRY(const std::string digits,
               padded(text, width - static_cast<std::int64_t>(sign.size()), "0", Alignment::kRight, budget(call)));
  return Datum::text(sign + digits);
}

Result<Datum> parted(const Call& call, bool from_right) {
  SENTINEL_TRY(const std::string separator, call.text(0, {}));
  if (separator.empty()) return type_error("the separator is empty");
  const auto& text = self(call);
  const auto at = from_right ? text.rfind(separator) : text.find(separator);
  std::vector<Datum> out;
  if (at != std::string::npos) {
    out = {Datum::text(text.substr(0, at)), Datum::text(separator), Datum::text(text.substr(at + separator.size()))};
  } else if (from_right) {
    out = {Datum::text({}), Datum::text({}), Datum::text(text)};
  } else {
    out = {Datum::text(text), Datum::text({}), Datum::text({})};
  }
  return Datum::items(std::move(out), Items::Flavor::kTuple);
}

Result<Datum> partition(const Call& call) {
  return parted(call, false);
}

Result<Datum> rpartition(const Call& call) {
  return parted(call, true);
}

bool is_letter_or_digit(char32_t code) {
  return is_letter(code) || is_digit(code);
}

/// All characters are of the class, and there is at least one.
template <bool (*Class)(char32_t)>
Result<Datum> all_are(const Call& call) {
  const std::string_view text = self(call);
  for (std::size_t i = 0; i < text.size();) {
    if (!Class(next_code_point(text, i))) return Datum::boolean(false);
  }
  return Datum::boolean(!text.empty());
}

template <bool (*Wanted)(char32_t), bool (*Other)(char32_t)>
Result<Datum> case_is(const Call& call) {
  const std::string_view text = self(call);
  bool any = false;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t code = next_code_point(text, i);
    if (Other(code)) return Datum::boolean(false);
    any = any || Wanted(code);
  }
  return Datum::boolean(any);
}

constexpr MethodSpec kTextMethods[] = {
    {"upper", "", mapped<to_upper>},
    {"lower", "", mapped<to_lower>},
    {"casefold", "", mapped<to_lower>},
    {"title", "", mapped<title_case>},
    {"capitalize", "", mapped<capitalized>},
    {"swapcase", "", mapped<swap_case>},
    {"strip", "chars?", strip},
    {"lstrip", "chars?", lstrip},
    {"rstrip", "chars?", rstrip},
    {"split", "sep? maxsplit?", split},
    {"rsplit", "sep? maxsplit?", rsplit},
    {"splitlines", "keepends?", splitlines},
    {"join", "iterable", join},
    {"startswith", "prefix", startswith},
    {"endswith", "suffix", endswith},
    {"removeprefix", "prefix", removeprefix},
    {"removesuffix", "suffix", removesuffix},
    {"replace", "old new count?", replace},
    {"find", "sub", find},
    {"rfind", "sub", rfind},
    {"index", "sub", index},
    {"rindex", "sub", rindex},
    {"count", "sub", count},
    {"ljust", "width fillchar?", ljust},
    {"rjust", "width fillchar?", rjust},
    {"center", "width fillchar?", center},
    {"zfill", "width", zfill},
    {"partition", "sep", partition},
    {"rpartition", "sep", rpartition},
    {"isdigit", "", all_are<is_digit>},
    {"isnumeric", "", all_are<is_digit>},
    {"isdecimal", "", all_are<is_digit>},
    {"isalpha", "", all_are<is_letter>},
    {"isalnum", "", all_are<is_letter_or_digit>},
    {"isspace", "", all_are<is_space>},
    {"islower", "", case_is<is_lower, is_upper>},
    {"isupper", "", case_is<is_upper, is_lower>},
    {"format", "*", nullptr, "use the filter format or the operator %"},
    {"encode", "*", nullptr, "texts are UTF-8; use b64encode to encode"},
};

}  // namespace

std::span<const MethodSpec> text_methods() {
  return kTextMethods;
}

}  // namespace sentinel::template_engine
