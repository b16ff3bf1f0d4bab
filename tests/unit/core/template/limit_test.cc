// SPDX-License-Identifier: Apache-2.0
// Hostile templates end with an error, soon and without much memory.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/unit/core/template/support.h"

using namespace sentinel;

namespace {

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

std::string code_of(const std::string& text, const Value& variables = test_variables()) {
  RenderOptions options = test_options();
  options.limits.output_bytes = 1U << 20;
  options.limits.iterations = 100'000;
  options.limits.work = 32U << 20;
  const auto out = render_text(text, variables, options);
  return out.ok() ? "rendered" : out.error().code;
}

}  // namespace

TEST_CASE("work, output, list sizes and nesting are bounded") {
  const std::string cases[] = {
      "{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}",
      "{% for a in range(999999999999) %}{% endfor %}",
      "{{ range(999999999999) | list | length }}",
      "{{ 'x' * 999999999 }}",
      "{{ [1] * 999999999 }}",
      "{{ 'x' | center(999999999) }}",
      "{{ 'x'.ljust(999999999) }}",
      "{{ '%999999999d' % 1 }}",
      "{{ '%.999999999d' % 1 }}",
      "{{ 'a\nb' | indent(999999999) }}",
      "{{ [1] | tojson(999999999) }}",
      "{{ [1] | batch(999999999, 1) | list | length }}",
      "{{ [1] | slice(999999999) | list | length }}",
      "{% set s = 'x' * 1000000 %}{{ s.replace('', s) }}",
      "{% set s = 'x' * 1000000 %}{{ s | replace('x', s) }}",
      "{% set s = 'x' * 1000000 %}{{ s | join(s) }}",
      "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
      "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
      "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
      "{% set ns = namespace(s=[1]) %}{% for i in range(9999) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s }}",
      "{% set ns = namespace(d={}) %}{% for i in range(9999) %}{% set ns.d = dict(ns.d, a=ns.d) %}{% endfor %}",
      "{% set s = 'x' * 1000 %}{% for i in range(9999) %}{{ s }}{% endfor %}",
      "{% set l = range(50000) | list %}{% for i in l %}{{ 'x' if -1 in l else '' }}{% endfor %}",
      "{% set l = range(90000) | list %}{% for i in range(9999) %}{{ 'x' if l == l + [1] else '' }}{% endfor %}",
      "{% set s = 'ab' * 400000 %}{% for i in range(9999) %}{{ '' if 'zz' in s else '' }}{% endfor %}",
      "{% set s = 'ab' * 400000 %}{% for i in range(9999) %}{{ s[0] if i < 0 else s.find('zz') }}{% endfor %}",
      repeated("{% if on %}", 5000) + repeated("{% endif %}", 5000),
      "{{ " + repeated("(", 5000) + "1" + repeated(")", 5000) + " }}",
      "{{ " + repeated("[", 5000) + repeated("]", 5000) + " }}",
      "{{ 1" + repeated(" + 1", 5000) + " }}",
      "{{ 1" + repeated(" | abs", 5000) + " }}",
      "{{ " + repeated("not ", 5000) + "1 }}",
      "{{ " + repeated("-", 5000) + "1 }}",
      "{{ list" + repeated("[0]", 5000) + " }}",
      "{{ 1" + repeated(" if 1 else 1", 5000) + " }}",
      "{% set " + repeated("(", 5000) + "x" + repeated(")", 5000) + " = 1 %}",
  };
  for (const auto& text : cases) {
    INFO(text.substr(0, 100));
    const std::string code = code_of(text);
    const bool bounded = code == "template.limit" || code == "template.too-deep";
    INFO(code);
    CHECK(bounded);
  }
}

TEST_CASE("a variable nested too deeply is refused, not followed") {
  Value deep = 1;
  for (int i = 0; i < 5000; ++i) deep = Value::array({std::move(deep)});
  Value variables = Value::object();
  variables["deep"] = std::move(deep);
  CHECK(code_of("{{ deep }}", variables) == "template.type");
}

TEST_CASE("includes are bounded in depth") {
  std::map<std::string, std::string> texts;
  for (int i = 0; i < 50; ++i) texts[fmt::format("t{}", i)] = fmt::format("{{% include 't{}' %}}", i + 1);
  texts["t50"] = "end";
  const MapSources sources(texts);
  const auto deep = render_text("{% include 't0' %}", test_variables(), test_options(&sources));
  REQUIRE_FALSE(deep.ok());
  CHECK(deep.error().code == "template.limit");
  const auto shallow = render_text("{% include 't40' %}", test_variables(), test_options(&sources));
  REQUIRE(shallow.ok());
  CHECK(*shallow == "end");
}

TEST_CASE("what is large but real is rendered") {
  Value variables = Value::object();
  for (int i = 0; i < 2000; ++i) variables["hosts"].push_back({{"name", fmt::format("web-{}", i)}, {"port", i}});
  const auto out =
      render_text("{% for h in hosts | sort(attribute='name') %}\n{{ h.name }}:{{ h.port + 1 }}\n{% endfor %}\n",
                  variables, test_options());
  REQUIRE(out.ok());
  CHECK(out->size() > 20'000);
}
