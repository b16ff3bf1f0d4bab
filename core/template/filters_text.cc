// SPDX-License-Identifier: Apache-2.0
// Filters that give a text. As in Jinja most of them take any value and work on its str().
#include <fmt/format.h>

#include "core/base/digest.h"
#include "core/base/quote.h"
#include "core/template/convert.h"
#include "core/template/operators.h"
#include "core/template/percent_format.h"
#include "core/template/python_text.h"
#include "core/template/runtime.h"
#include "core/template/text_edit.h"
#include "core/template/unicode.h"

namespace sentinel::template_engine {
namespace {

Result<std::string> input_text(const Call& call) {
  return to_text(call.input, call.runtime.budget());
}

template <std::string (*Function)(std::string_view)>
Result<Datum> mapped(const Call& call) {
  SENTINEL_TRY(const std::string text, input_text(call));
  return Datum::text(Function(text));
}

Result<Datum> string_filter(const Call& call) {
  SENTINEL_TRY(std::string text, input_text(call));
  return Datum::text(std::move(text));
}

Result<Datum> trim_filter(const Call& call) {
  SENTINEL_TRY(const std::string text, input_text(call));
  const bool whitespace = call.argument(0) == nullptr || call.argument(0)->is_none();
  if (whitespace) return Datum::text(std::string(strip_space(text)));
  SENTINEL_TRY(const std::string set, call.text(0, {}));
  return Datum::text(std::string(strip_right(strip_left(text, set, false), set, false)));
}

Result<Datum> replace_filter(const Call& call) {
  Budget& budget = call.runtime.budget();
  SENTINEL_TRY(const std::string text, input_text(call));
  SENTINEL_TRY(const std::string old, to_text(*call.argument(0), budget));
  SENTINEL_TRY(const std::string fresh, to_text(*call.argument(1), budget));
  const bool all = call.argument(2) == nullptr || call.argument(2)->is_none();
  SENTINEL_TRY(const std::int64_t count, all ? Result<std::int64_t>(std::int64_t{-1}) : call.integer(2, -1));
  SENTINEL_TRY(std::string out, replaced(text, old, fresh, count, budget));
  return Datum::text(std::move(out));
}

Result<Datum> indent_filter(const Call& call) {
  Budget& budget = call.runtime.budget();
  if (call.input.as_text() == nullptr)
    return type_error(fmt::format("indent wants a text, not {}", type_name(call.input)));
  std::string indention(4, ' ');
  if (call.argument(0) != nullptr && call.argument(0)->as_text() != nullptr) {
    indention = *call.argument(0)->as_text();
  } else {
    SENTINEL_TRY(const std::int64_t width, call.integer(0, 4));
    SENTINEL_CHECK(budget.text(static_cast<std::size_t>(std::max<std::int64_t>(width, 0))));
    indention.assign(static_cast<std::size_t>(std::max<std::int64_t>(width, 0)), ' ');
  }
  SENTINEL_TRY(const bool first, call.flag(1, false));
  SENTINEL_TRY(const bool blank, call.flag(2, false));
  std::string out;
  bool first_line = true;
  for (const auto& line : split_lines(*call.input.as_text() + "\n")) {
    if (!first_line) out += "\n";
    if (first_line ? first : blank || !line.empty()) out += indention;
    out += line;
    first_line = false;
    SENTINEL_CHECK(budget.text(out.size()));
  }
  return Datum::text(std::move(out));
}

Result<Datum> center_filter(const Call& call) {
  SENTINEL_TRY(const std::string text, input_text(call));
  SENTINEL_TRY(const std::int64_t width, call.integer(0, 80));
  SENTINEL_TRY(std::string out, padded(text, width, " ", Alignment::kCenter, call.runtime.budget()));
  return Datum::text(std::move(out));
}

Result<Datum> wordcount_filter(const Call& call) {
  SENTINEL_TRY(const std::string text, input_text(call));
  std::int64_t words = 0;
  bool inside = false;
  for (std::size_t i = 0; i < text.size();) {
    const bool word = is_word(next_code_point(text, i));
    if (word && !inside) ++words;
    inside = word;
  }
  return Datum::integer(words);
}

Result<Datum> join_filter(const Call& call) {
  Budget& budget = call.runtime.budget();
  SENTINEL_TRY(const auto items, iterate(call.input, budget));
  const Datum separator = call.argument(0) != nullptr ? *call.argument(0) : Datum::text({});
  SENTINEL_TRY(const std::string between, to_text(separator, budget));
  const bool by_attribute = call.argument(1) != nullptr && !call.argument(1)->is_none();
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += between;
    Datum item = items[i];
    if (by_attribute) {
      SENTINEL_TRY(item, path_of(items[i], *call.argument(1), call.runtime.site(call.source, call.span)));
    }
    SENTINEL_TRY(const std::string text, to_text(item, budget));
    out += text;
    SENTINEL_CHECK(budget.text(out.size()));
  }
  return Datum::text(std::move(out));
}

Result<Datum> format_filter(const Call& call) {
  SENTINEL_TRY(const std::string pattern, input_text(call));
  const auto& given = call.arguments;
  if (!given.positional.empty() && !given.named.empty()) {
    return type_error("format takes values or named values, not both");
  }
  if (given.named.empty())
    return percent_format(pattern, Datum::items(given.positional, Items::Flavor::kTuple), call.runtime.budget());
  Dict names;
  for (const auto& [name, value] : given.named) names.set(Datum::text(name), value);
  return percent_format(pattern, Datum::dict(std::move(names)), call.runtime.budget());
}

Result<Datum> tojson_filter(const Call& call) {
  std::optional<std::int64_t> indent;
  if (call.argument(0) != nullptr && !call.argument(0)->is_none()) {
    SENTINEL_TRY(indent, call.integer(0, 0));
  }
  SENTINEL_TRY(std::string text, to_json_text(call.input, indent, call.runtime.budget()));
  return Datum::text(std::move(text));
}

Result<Datum> quoted(const Call& call, std::string_view filter) {
  SENTINEL_TRY(const std::string text, input_text(call));
  auto out = apply_quoting(filter, text);
  if (!out.ok()) return std::move(out).error().exits(ExitCode::kUsage);
  return Datum::text(std::move(*out));
}

Result<Datum> shell_filter(const Call& call) {
  return quoted(call, "shell");
}

Result<Datum> systemd_filter(const Call& call) {
  return quoted(call, "systemd");
}

Result<Datum> systemd_exec_filter(const Call& call) {
  return quoted(call, "systemd_exec");
}

Result<Datum> yaml_filter(const Call& call) {
  return quoted(call, "yaml");
}

Result<Datum> caddy_filter(const Call& call) {
  return quoted(call, "caddy");
}

Result<Datum> ini_filter(const Call& call) {
  return quoted(call, "ini");
}

Result<Datum> b64encode_filter(const Call& call) {
  return quoted(call, "b64encode");
}

Result<Datum> b64decode_filter(const Call& call) {
  SENTINEL_TRY(const std::string text, input_text(call));
  auto bytes = base64_decode(strip_space(text));
  if (!bytes) return type_error("the text is not base64");
  if (invalid_utf8(*bytes) != std::string::npos) return type_error("the decoded bytes are not UTF-8 text");
  return Datum::text(std::move(*bytes));
}

constexpr FilterSpec kTextFilters[] = {
    {"upper", "", mapped<to_upper>},
    {"lower", "", mapped<to_lower>},
    {"capitalize", "", mapped<capitalized>},
    {"title", "", mapped<titled_words>},
    {"string", "", string_filter},
    {"trim", "chars?", trim_filter},
    {"replace", "old new count?", replace_filter},
    {"indent", "width? first? blank?", indent_filter},
    {"center", "width?", center_filter},
    {"wordcount", "", wordcount_filter},
    {"join", "d? attribute?", join_filter},
    {"format", "*", format_filter},
    {"tojson", "indent?", tojson_filter},
};

constexpr FilterSpec kQuotingFilters[] = {
    {"quote", "", shell_filter},
    {"shell", "", shell_filter},
    {"systemd", "", systemd_filter},
    {"systemd_exec", "", systemd_exec_filter},
    {"yaml", "", yaml_filter},
    {"caddy", "", caddy_filter},
    {"ini", "", ini_filter},
    {"b64encode", "", b64encode_filter},
    {"b64decode", "", b64decode_filter},
};

}  // namespace

std::span<const FilterSpec> text_filters() {
  return kTextFilters;
}

std::span<const FilterSpec> quoting_filters() {
  return kQuotingFilters;
}

}  // namespace sentinel::template_engine
