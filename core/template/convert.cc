// SPDX-License-Identifier: Apache-2.0
// Variables are converted when a template first reads them, once per rendering.
#include "core/template/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/template/operators.h"
#include "core/template/python_text.h"
#include "core/template/unicode.h"
#include "core/template/value.h"

namespace sentinel::template_engine {
namespace {

Result<Datum> converted(const Value& value, int depth) {
  if (depth > kMaxValueDepth)
    return type_error(fmt::format("the variable is nested more than {} levels deep", kMaxValueDepth));
  switch (value.type()) {
    case Value::value_t::null: return Datum();
    case Value::value_t::boolean: return Datum::boolean(value.get<bool>());
    case Value::value_t::number_integer: return Datum::integer(value.get<std::int64_t>());
    case Value::value_t::number_float: return Datum::real(value.get<double>());
    case Value::value_t::string: return Datum::text(value.get_ref<const std::string&>());
    case Value::value_t::number_unsigned: {
      const auto number = value.get<std::uint64_t>();
      if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return type_error("the number doesn't fit into 64 bits");
      return Datum::integer(static_cast<std::int64_t>(number));
    }
    case Value::value_t::array: {
      std::vector<Datum> items;
      items.reserve(value.size());
      for (const auto& item : value) {
        SENTINEL_TRY(Datum each, converted(item, depth + 1));
        items.push_back(std::move(each));
      }
      return Datum::items(std::move(items));
    }
    case Value::value_t::object: {
      Dict dict;
      for (const auto& [key, item] : value.items()) {
        SENTINEL_TRY(Datum each, converted(item, depth + 1));
        dict.set(Datum::text(key), std::move(each));
      }
      return Datum::dict(std::move(dict));
    }
    default: return type_error("a binary value can't be used in a template");
  }
}

class JsonWriter {
 public:
  JsonWriter(std::optional<std::int64_t> indent, Budget& budget) : indent_(indent), budget_(budget) {}

  Result<void> write(const Datum& value) {
    SENTINEL_CHECK(require_plain(value));
    SENTINEL_CHECK(budget_.text(out_.size()));
    if (value.is_none()) {
      out_ += "null";
    } else if (const auto* flag = value.get<bool>()) {
      out_ += *flag ? "true" : "false";
    } else if (const auto* integer = value.get<std::int64_t>()) {
      out_ += std::to_string(*integer);
    } else if (const auto* real = value.get<double>()) {
      out_ += number(*real);
    } else if (const auto* text = value.as_text()) {
      write_text(*text);
    } else if (const auto* dict = value.as_dict()) {
      return write_dict(*dict);
    } else if (const auto* items = value.as_items(); items != nullptr && (items->is_list() || items->is_tuple())) {
      return write_items(*items);
    } else {
      const std::string hint = value.as_items() != nullptr ? "write | list in front" : "";
      return type_error(fmt::format("a {} can't be written as JSON", type_name(value)), hint);
    }
    return {};
  }

  std::string take() { return std::move(out_); }

 private:
  static std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    return float_text(value);
  }

  void write_text(std::string_view text) {
    out_ += '"';
    for (std::size_t i = 0; i < text.size();) {
      const char32_t code = next_code_point(text, i);
      switch (code) {
        case U'"': out_ += "\\\""; break;
        case U'\\': out_ += "\\\\"; break;
        case U'\n': out_ += "\\n"; break;
        case U'\r': out_ += "\\r"; break;
        case U'\t': out_ += "\\t"; break;
        case U'\b': out_ += "\\b"; break;
        case U'\f': out_ += "\\f"; break;
        default: write_character(code);
      }
    }
    out_ += '"';
  }

  void write_character(char32_t code) {
    const bool markup = code == U'<' || code == U'>' || code == U'&' || code == U'\'';
    if (code >= 0x20 && code <= 0x7E && !markup) {
      out_ += static_cast<char>(code);
    } else if (code < 0x10000) {
      out_ += fmt::format("\\u{:04x}", static_cast<unsigned>(code));
    } else {
      const auto rest = static_cast<unsigned>(code) - 0x10000U;
      out_ += fmt::format("\\u{:04x}\\u{:04x}", 0xD800U + (rest >> 10U), 0xDC00U + (rest & 0x3FFU));
    }
  }

  void new_line() {
    if (!indent_) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(level_ * std::max<std::int64_t>(*indent_, 0)), ' ');
  }

  void separator(bool first) {
    if (!first) out_ += indent_ ? "," : ", ";
    new_line();
  }

  Result<void> write_items(const Items& items) {
    if (items.items.empty()) {
      out_ += "[]";
      return {};
    }
    out_ += '[';
    ++level_;
    bool first = true;
    for (const auto& item : items.items) {
      separator(first);
      first = false;
      SENTINEL_CHECK(write(item));
    }
    --level_;
    new_line();
    out_ += ']';
    return {};
  }

  Result<std::vector<std::pair<Datum, const Datum*>>> sorted_entries(const Dict& dict) {
    std::vector<std::pair<Datum, const Datum*>> out;
    for (const auto& [key, value] : dict.entries) out.emplace_back(key, &value);
    Result<void> failure;
    std::stable_sort(out.begin(), out.end(), [&](const auto& a, const auto& b) {
      const auto order = less(a.first, b.first);
      if (!order.ok() && failure.ok()) failure = order.error();
      return order.ok() && *order;
    });
    if (!failure.ok()) return std::move(failure).error();
    return out;
  }

  Result<std::string> key_text(const Datum& key) {
    if (const auto* text = key.as_text()) return *text;
    if (const auto* flag = key.get<bool>()) return std::string(*flag ? "true" : "false");
    if (key.is_none()) return std::string("null");
    if (const auto* real = key.get<double>()) return number(*real);
    if (const auto integer = key.as_integer()) return std::to_string(*integer);
    return type_error(fmt::format("a {} can't be a key in JSON", type_name(key)));
  }

  Result<void> write_dict(const Dict& dict) {
    if (dict.entries.empty()) {
      out_ += "{}";
      return {};
    }
    SENTINEL_TRY(const auto entries, sorted_entries(dict));
    out_ += '{';
    ++level_;
    bool first = true;
    for (const auto& [key, value] : entries) {
      separator(first);
      first = false;
      SENTINEL_TRY(const std::string name, key_text(key));
      write_text(name);
      out_ += ": ";
      SENTINEL_CHECK(write(*value));
    }
    --level_;
    new_line();
    out_ += '}';
    return {};
  }

  std::string out_;
  std::optional<std::int64_t> indent_;
  std::int64_t level_ = 0;
  Budget& budget_;
};

}  // namespace

Result<std::optional<Datum>> variable_named(const Value& variables, const std::string& name) {
  if (!variables.is_object()) return std::optional<Datum>();
  const auto found = variables.find(name);
  if (found == variables.end()) return std::optional<Datum>();
  SENTINEL_TRY(Datum value, converted(*found, 0));
  return {std::move(value)};
}

std::vector<std::string> variable_names(const Value& variables) {
  std::vector<std::string> out;
  if (!variables.is_object()) return out;
  for (const auto& [key, value] : variables.items()) out.push_back(key);
  return out;
}

Result<Value> to_value(const Datum& value, Budget& budget) {
  SENTINEL_CHECK(require_plain(value));
  if (value.is_none()) return Value();
  if (const auto* flag = value.get<bool>()) return Value(*flag);
  if (const auto* integer = value.get<std::int64_t>()) return Value(*integer);
  if (const auto* real = value.get<double>()) return Value(*real);
  if (const auto* text = value.as_text()) return Value(*text);
  if (const auto* dict = value.as_dict()) {
    Value out = Value::object();
    auto& object = out.get_ref<Value::object_t&>();
    for (const auto& [key, item] : dict->entries) {
      if (key.as_text() == nullptr)
        return type_error(fmt::format("a dictionary with a {} as key can't be a result", type_name(key)));
      SENTINEL_TRY(Value each, to_value(item, budget));
      // The keys are known to differ; ordered_json's own lookup would be quadratic.
      object.Container::emplace_back(*key.as_text(), std::move(each));
    }
    return out;
  }
  if (value.as_items() != nullptr || value.get<Range>() != nullptr) {
    SENTINEL_TRY(const auto items, iterate(value, budget));
    Value out = Value::array();
    for (const auto& item : items) {
      SENTINEL_TRY(Value each, to_value(item, budget));
      out.push_back(std::move(each));
    }
    return out;
  }
  return type_error(fmt::format("a {} can't be a result", type_name(value)));
}

Result<std::string> to_json_text(const Datum& value, std::optional<std::int64_t> indent, Budget& budget) {
  if (indent) SENTINEL_CHECK(budget.text(static_cast<std::size_t>(std::clamp<std::int64_t>(*indent, 0, 1LL << 40))));
  JsonWriter writer(indent, budget);
  SENTINEL_CHECK(writer.write(value));
  return writer.take();
}

}  // namespace sentinel::template_engine
