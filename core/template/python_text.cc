// SPDX-License-Identifier: Apache-2.0
// Float layout follows CPython's float_repr_style "short": an exponent below 1e-4 and from 1e16.
#include "core/template/python_text.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "core/template/unicode.h"

namespace sentinel::template_engine {
namespace {

Result<void> write(std::string& out, const Datum& value, Budget& budget);

Result<void> write_items(std::string& out, const Items& items, Budget& budget) {
  using Flavor = Items::Flavor;
  if (items.flavor == Flavor::kLazy) {
    return type_error("a lazy result can't be printed",
                      "write | list (or | join) behind map, select, reject, unique and the like");
  }
  static constexpr const char* kOpen[] = {"[", "(", "(", "", "dict_keys([", "dict_values([", "dict_items(["};
  static constexpr const char* kClose[] = {"]", ")", ")", "", "])", "])", "])"};
  const auto flavor = static_cast<int>(items.flavor);
  out += kOpen[flavor];
  for (std::size_t i = 0; i < items.items.size(); ++i) {
    if (i > 0) out += ", ";
    SENTINEL_CHECK(write(out, items.items[i], budget));
  }
  if (items.is_tuple() && items.items.size() == 1) out += ",";
  out += kClose[flavor];
  return budget.text(out.size());
}

Result<void> write_dict(std::string& out, const Dict& dict, Budget& budget) {
  out += "{";
  bool first = true;
  for (const auto& [key, item] : dict.entries) {
    if (!first) out += ", ";
    first = false;
    SENTINEL_CHECK(write(out, key, budget));
    out += ": ";
    SENTINEL_CHECK(write(out, item, budget));
  }
  out += "}";
  return budget.text(out.size());
}

Result<void> write(std::string& out, const Datum& value, Budget& budget) {
  SENTINEL_CHECK(require_plain(value));
  if (value.is_none()) {
    out += "None";
  } else if (const auto* flag = value.get<bool>()) {
    out += *flag ? "True" : "False";
  } else if (const auto* integer = value.get<std::int64_t>()) {
    out += std::to_string(*integer);
  } else if (const auto* real = value.get<double>()) {
    out += float_text(*real);
  } else if (const auto* text = value.as_text()) {
    out += quoted_repr(*text);
    return budget.text(out.size());
  } else if (const auto* items = value.as_items()) {
    return write_items(out, *items, budget);
  } else if (const auto* dict = value.as_dict()) {
    return write_dict(out, *dict, budget);
  } else if (const auto* range = value.get<Range>()) {
    out += range->step == 1 ? fmt::format("range({}, {})", range->start, range->stop)
                            : fmt::format("range({}, {}, {})", range->start, range->stop, range->step);
  } else {
    return type_error(fmt::format("a {} can't be printed", type_name(value)));
  }
  return {};
}

}  // namespace

std::string float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  const std::string_view all(buffer, static_cast<std::size_t>(end - buffer));
  const auto mark = all.find('e');
  int exponent = 0;
  std::from_chars(all.data() + mark + (all[mark + 1] == '+' ? 2 : 1), end, exponent);
  const std::string sign = all[0] == '-' ? "-" : "";
  std::string digits;
  for (const char c : all.substr(0, mark)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  if (exponent < -4 || exponent >= 16) {
    const std::string fraction = digits.size() > 1 ? "." + digits.substr(1) : "";
    return fmt::format("{}{}{}e{}{:02}", sign, digits[0], fraction, exponent < 0 ? '-' : '+', std::abs(exponent));
  }
  if (exponent < 0) return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return sign + digits + std::string(whole - digits.size(), '0') + ".0";
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

std::string quoted_repr(std::string_view text) {
  const bool double_quotes = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = double_quotes ? '"' : '\'';
  std::string out(1, quote);
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    const char32_t code = next_code_point(text, i);
    if (code == static_cast<char32_t>(quote) || code == U'\\') {
      out += '\\';
      out += static_cast<char>(code);
    } else if (code == U'\n') {
      out += "\\n";
    } else if (code == U'\r') {
      out += "\\r";
    } else if (code == U'\t') {
      out += "\\t";
    } else if (is_printable(code)) {
      out += text.substr(begin, i - begin);
    } else if (code < 0x100) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(code));
    } else if (code < 0x10000) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(code));
    } else {
      out += fmt::format("\\U{:08x}", static_cast<unsigned>(code));
    }
  }
  return out + quote;
}

Result<std::string> to_text(const Datum& value, Budget& budget) {
  if (const auto* text = value.as_text()) return *text;
  if (value.is_lax_undefined()) return std::string();
  return to_repr(value, budget);
}

Result<std::string> to_repr(const Datum& value, Budget& budget) {
  std::string out;
  SENTINEL_CHECK(write(out, value, budget));
  return out;
}

}  // namespace sentinel::template_engine
