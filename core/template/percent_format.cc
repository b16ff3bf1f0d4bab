// SPDX-License-Identifier: Apache-2.0
// Conversions s r d i u o x X e E f F g G c and %, with flags, width and precision (also as *).
#include "core/template/percent_format.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include "core/template/python_text.h"
#include "core/template/unicode.h"

namespace sentinel::template_engine {
namespace {

Error format_error(std::string message) {
  return Error("template.format", std::move(message), {}, ExitCode::kUsage);
}

struct Conversion {
  bool minus = false;
  bool plus = false;
  bool space = false;
  bool zero = false;
  bool alternate = false;
  std::int64_t width = 0;
  std::int64_t precision = -1;
  char type = 's';
};

class Formatter {
 public:
  Formatter(std::string_view pattern, const Datum& values, Budget& budget)
      : pattern_(pattern), values_(values), budget_(budget) {
    const auto* items = values.as_items();
    if (items != nullptr && items->is_tuple()) tuple_ = items;
  }

  Result<Datum> run() {
    while (position_ < pattern_.size()) {
      const auto percent = std::min(pattern_.find('%', position_), pattern_.size());
      out_ += pattern_.substr(position_, percent - position_);
      position_ = percent;
      if (percent < pattern_.size()) {
        ++position_;
        SENTINEL_CHECK(conversion());
      }
      SENTINEL_CHECK(budget_.text(out_.size()));
    }
    const bool unused = tuple_ != nullptr ? used_ < tuple_->items.size() : used_ == 0 && values_.as_dict() == nullptr;
    if (unused && !(values_.as_items() != nullptr && tuple_ == nullptr))
      return format_error("not all values are used by the format");
    return Datum::text(std::move(out_));
  }

 private:
  Result<Datum> next_value() {
    if (tuple_ != nullptr) {
      if (used_ >= tuple_->items.size()) return format_error("the format wants more values than there are");
      return tuple_->items[used_++];
    }
    if (used_++ > 0) return format_error("the format wants more values than there are");
    return values_;
  }

  Result<std::int64_t> number_or_star() {
    if (position_ < pattern_.size() && pattern_[position_] == '*') {
      ++position_;
      SENTINEL_TRY(const Datum value, next_value());
      if (!value.as_integer()) return format_error("* wants an integer");
      return *value.as_integer();
    }
    std::int64_t out = 0;
    while (position_ < pattern_.size() && pattern_[position_] >= '0' && pattern_[position_] <= '9') {
      if (out > 1'000'000'000) return format_error("the width or precision is too large");
      out = out * 10 + (pattern_[position_++] - '0');
    }
    return out;
  }

  Result<void> conversion() {
    Conversion how;
    std::optional<Datum> named;
    if (position_ < pattern_.size() && pattern_[position_] == '(') {
      const auto close = pattern_.find(')', position_);
      if (close == std::string_view::npos) return format_error("a name in the format is not closed");
      const auto* dict = values_.as_dict();
      if (dict == nullptr) return format_error("a format with names wants a dictionary");
      const auto name = pattern_.substr(position_ + 1, close - position_ - 1);
      const auto* found = dict->find(name);
      if (found == nullptr) return format_error(fmt::format("the format wants '{}', which is not there", name));
      named = *found;
      position_ = close + 1;
    }
    for (; position_ < pattern_.size(); ++position_) {
      const char flag = pattern_[position_];
      if (flag == '-')
        how.minus = true;
      else if (flag == '+')
        how.plus = true;
      else if (flag == ' ')
        how.space = true;
      else if (flag == '0')
        how.zero = true;
      else if (flag == '#')
        how.alternate = true;
      else
        break;
    }
    SENTINEL_TRY(how.width, number_or_star());
    if (how.width < 0) {
      how.minus = true;
      how.width = -how.width;
    }
    if (position_ < pattern_.size() && pattern_[position_] == '.') {
      ++position_;
      SENTINEL_TRY(how.precision, number_or_star());
      how.precision = std::max<std::int64_t>(how.precision, 0);
    }
    while (position_ < pattern_.size() && std::string_view("hlL").find(pattern_[position_]) != std::string_view::npos)
      ++position_;
    if (position_ >= pattern_.size()) return format_error("the format ends in the middle of a conversion");
    how.type = pattern_[position_++];
    SENTINEL_CHECK(budget_.text(static_cast<std::size_t>(how.width)));
    if (how.type == '%') {
      out_ += '%';
      return {};
    }
    if (named) return write(how, *named);
    SENTINEL_TRY(const Datum value, next_value());
    return write(how, value);
  }

  Result<void> write(const Conversion& how, const Datum& value) {
    SENTINEL_CHECK(require_plain(value));
    switch (how.type) {
      case 's':
      case 'r': {
        SENTINEL_TRY(std::string text, how.type == 's' ? to_text(value, budget_) : to_repr(value, budget_));
        if (how.precision >= 0) {
          const auto letters = characters(text);
          text.clear();
          for (std::size_t i = 0; i < letters.size() && i < static_cast<std::size_t>(how.precision); ++i)
            text += letters[i];
        }
        pad(how, "", text);
        return {};
      }
      case 'c': return write_character(how, value);
      case 'd':
      case 'i':
      case 'u':
      case 'o':
      case 'x':
      case 'X': return write_integer(how, value);
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G': return write_real(how, value);
      default: return format_error(fmt::format("the format has an unknown conversion '%{}'", how.type));
    }
  }

  Result<void> write_character(const Conversion& how, const Datum& value) {
    if (const auto* text = value.as_text(); text != nullptr && length_of(*text) == 1) {
      pad(how, "", *text);
      return {};
    }
    const auto code = value.as_integer();
    if (!code || *code < 0 || *code > 0x10FFFF || (*code >= 0xD800 && *code <= 0xDFFF))
      return format_error("%c wants one character");
    std::string text;
    append_code_point(text, static_cast<char32_t>(*code));
    pad(how, "", text);
    return {};
  }

  static std::string sign_of(const Conversion& how, bool negative) {
    return negative ? "-" : how.plus ? "+" : how.space ? " " : "";
  }

  Result<void> write_integer(const Conversion& how, const Datum& value) {
    std::optional<std::int64_t> number = value.as_integer();
    const bool decimal = how.type == 'd' || how.type == 'i' || how.type == 'u';
    if (const auto* real = value.get<double>(); real != nullptr && decimal && std::fabs(*real) < 9.2e18) {
      number = static_cast<std::int64_t>(*real);
    }
    if (!number) return format_error(fmt::format("%{} wants a number, not {}", how.type, type_name(value)));
    const bool negative = *number < 0;
    const std::uint64_t size =
        negative ? ~static_cast<std::uint64_t>(*number) + 1 : static_cast<std::uint64_t>(*number);
    std::string digits = how.type == 'o'   ? fmt::format("{:o}", size)
                         : how.type == 'x' ? fmt::format("{:x}", size)
                         : how.type == 'X' ? fmt::format("{:X}", size)
                                           : fmt::format("{}", size);
    SENTINEL_CHECK(budget_.text(static_cast<std::size_t>(std::max<std::int64_t>(how.precision, 0))));
    if (how.precision > static_cast<std::int64_t>(digits.size()))
      digits.insert(0, static_cast<std::size_t>(how.precision) - digits.size(), '0');
    std::string prefix = sign_of(how, negative);
    if (how.alternate && !decimal) prefix += how.type == 'o' ? "0o" : how.type == 'x' ? "0x" : "0X";
    pad(how, prefix, digits);
    return {};
  }

  Result<void> write_real(const Conversion& how, const Datum& value) {
    const auto number = value.as_number();
    if (!number) return format_error(fmt::format("%{} wants a number, not {}", how.type, type_name(value)));
    if (how.precision > 1000) return format_error("the precision is too large");
    const int precision = how.precision < 0 ? 6 : static_cast<int>(how.precision);
    const bool negative = std::signbit(*number) && !std::isnan(*number);
    char pattern[8];
    std::snprintf(pattern, sizeof pattern, "%%%s.*%c", how.alternate ? "#" : "", how.type);
    const int size = std::snprintf(nullptr, 0, pattern, precision, std::fabs(*number));
    std::string digits(static_cast<std::size_t>(size) + 1, '\0');
    std::snprintf(digits.data(), digits.size(), pattern, precision, std::fabs(*number));
    digits.pop_back();
    pad(how, sign_of(how, negative), digits);
    return {};
  }

  void pad(const Conversion& how, const std::string& prefix, const std::string& body) {
    const std::size_t size = length_of(prefix) + length_of(body);
    const auto width = static_cast<std::size_t>(how.width);
    const std::size_t fill = size < width ? width - size : 0;
    const bool text = how.type == 's' || how.type == 'r' || how.type == 'c';
    if (how.minus) {
      out_ += prefix + body + std::string(fill, ' ');
    } else if (how.zero && !text) {
      out_ += prefix + std::string(fill, '0') + body;
    } else {
      out_ += std::string(fill, ' ') + prefix + body;
    }
  }

  std::string_view pattern_;
  const Datum& values_;
  Budget& budget_;
  const Items* tuple_ = nullptr;
  std::size_t used_ = 0;
  std::size_t position_ = 0;
  std::string out_;
};

}  // namespace

Result<Datum> percent_format(std::string_view pattern, const Datum& values, Budget& budget) {
  SENTINEL_CHECK(require_plain(values));
  return Formatter(pattern, values, budget).run();
}

}  // namespace sentinel::template_engine
