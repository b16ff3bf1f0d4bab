// SPDX-License-Identifier: Apache-2.0
// The public functions: what comes back, and as what type. What expressions mean is held against Jinja2 itself by
// tests/table/template.
#include <catch2/catch.hpp>

#include "tests/unit/core/template/support.h"

using namespace sentinel;

namespace {

std::string text_of(std::string_view text) {
  const auto out = render_text(text, test_variables(), test_options());
  INFO((out.ok() ? std::string() : out.error().message));
  REQUIRE(out.ok());
  return *out;
}

Value value_of(std::string_view expression) {
  const auto out = evaluate(expression, test_variables(), test_options());
  INFO(expression << (out.ok() ? std::string() : ": " + out.error().message));
  REQUIRE(out.ok());
  return *out;
}

std::vector<std::string> references(std::string_view text) {
  const auto out = referenced_variables(text, test_options());
  REQUIRE(out.ok());
  return *out;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("text is rendered with variables, blocks and trimmed lines") {
  CHECK(text_of("plain\n") == "plain\n");
  CHECK(text_of("{{ name }}:{{ server.port }}") == "web-1:8080");
  CHECK(text_of("a\n  {% for n in list %}\n  {{ n }}\n  {% endfor %}\nb\n") == "a\n  1\n  2\n  3\nb\n");
}

TEST_CASE("the quoting filters write values for their target") {
  CHECK(text_of("{{ \"it's\" | shell }} {{ 'plain' | quote }}") == "'it'\\''s' plain");
  CHECK(text_of("{{ '50% of $HOME' | systemd }}") == "\"50%% of $HOME\"");
  CHECK(text_of("{{ '50% of $HOME' | systemd_exec }}") == "\"50%% of $$HOME\"");
  CHECK(text_of("{{ 'a\"b\\n' | yaml }}") == "\"a\\\"b\\n\"");
  CHECK(text_of("{{ 'a b' | caddy }}") == "\"a b\"");
  CHECK(text_of("{{ '5%' | ini }}") == "5%%");
  CHECK(text_of("{{ 'user:pass' | b64encode }}") == "dXNlcjpwYXNz");
  CHECK(text_of("{{ 'dXNlcjpwYXNz' | b64decode }}") == "user:pass");
  CHECK(text_of("{{ 8080 | yaml }}{{ on | shell }}") == "\"8080\"True");
}

TEST_CASE("a secret becomes a hole that keeps its quoting filters in order") {
  const auto content =
      render_content("key={{ secrets.API_KEY }}\nauth={{ secrets['REDIS_PASSWORD'] | b64encode | shell }}\n",
                     test_variables(), test_options());
  REQUIRE(content.ok());
  Content expected;
  expected.append("key=");
  expected.append(Hole{"API_KEY", {}});
  expected.append("\nauth=");
  expected.append(Hole{"REDIS_PASSWORD", {"b64encode", "shell"}});
  expected.append("\n");
  CHECK(*content == expected);
}

TEST_CASE("a secret passes through what only hands it on") {
  for (const char* text :
       {"{{ secrets[which] }}", "{% set s = secrets.API_KEY %}{{ s }}", "{{ secrets.API_KEY if on else 'x' }}",
        "{{ secrets.NOPE | default(secrets.API_KEY) }}", "{{ secrets.API_KEY | default('x') }}",
        "{% if secrets.API_KEY is defined %}{{ secrets.API_KEY }}{% endif %}",
        "{% with s = secrets.API_KEY %}{{ s }}{% endwith %}"}) {
    INFO(text);
    const auto content = render_content(text, test_variables(), test_options());
    REQUIRE(content.ok());
    REQUIRE(content->pieces().size() == 1);
    CHECK(std::get<Hole>(content->pieces()[0]) == Hole{"API_KEY", {}});
  }
  CHECK(text_of("{{ secrets.NOPE | default('none') }}{{ secrets.NOPE is defined }}") == "noneFalse");
}

TEST_CASE("secrets in an included template are holes of the whole") {
  const MapSources sources(MapSources::Texts{{"auth", "requirepass {{ secrets.REDIS_PASSWORD | yaml }}\n"}});
  const auto content = render_content("a\n{% include 'auth' %}b\n", test_variables(), test_options(&sources));
  REQUIRE(content.ok());
  CHECK(content->display() == "a\nrequirepass [secret REDIS_PASSWORD]\nb\n");
}

TEST_CASE("an expression keeps its native type") {
  CHECK(value_of("count + 1") == Value(4));
  CHECK(value_of("count + 1").is_number_integer());
  CHECK(value_of("ratio * 2") == Value(5.0));
  CHECK(value_of("ratio * 2").is_number_float());
  CHECK(value_of("on and name == 'web-1'") == Value(true));
  CHECK(value_of("nothing").is_null());
  CHECK(value_of("name") == Value("web-1"));
  CHECK(value_of("(1, 2)") == Value::array({1, 2}));
  CHECK(value_of("range(3)") == Value::array({0, 1, 2}));
  CHECK(value_of("words | map('upper')") == Value::array({"B", "A"}));
  CHECK(value_of("server.items()").size() == 3);
  CHECK(value_of("{'z': 1, 'a': [none]}").dump() == R"({"z":1,"a":[null]})");
}

TEST_CASE("a text that is one expression keeps its type, any other becomes text") {
  const auto rendered = [](std::string_view text) {
    const auto out = render_value(text, test_variables(), test_options());
    REQUIRE(out.ok());
    return *out;
  };
  CHECK(rendered("{{ list }}") == Value::array({1, 2, 3}));
  CHECK(rendered("{{ server }}") == test_variables()["server"]);
  CHECK(rendered("{{ on }}") == Value(true));
  CHECK(rendered("{{ on }} ") == Value("True "));
  CHECK(rendered("{{ count }}{{ count }}") == Value("33"));
  CHECK(rendered("plain") == Value("plain"));
  CHECK(rendered("") == Value(""));
  CHECK(rendered("{% if on %}{{ count }}{% endif %}") == Value("3"));
}

TEST_CASE("truth is Python's") {
  for (const char* text : {"null", "false", "0", "0.0", "\"\"", "[]", "{}"}) CHECK_FALSE(is_true(Value::parse(text)));
  for (const char* text : {"true", "1", "-0.5", "\"0\"", "[0]", "{\"a\":0}", "\"false\""})
    CHECK(is_true(Value::parse(text)));
}

TEST_CASE("template syntax is recognised") {
  CHECK(has_template_syntax("a {{ b }}"));
  CHECK(has_template_syntax("{% if x %}"));
  CHECK(has_template_syntax("{# note #}"));
  CHECK_FALSE(has_template_syntax("{ a } 100% #"));
}

TEST_CASE("the variables a text reads are those it doesn't set itself") {
  CHECK(references("{{ b.c[d] | default(e) }} {{ a }}") == Names{"a", "b", "d", "e"});
  CHECK(references("{{ secrets.X }}{{ range(3) }}{{ 'text' }}").empty());
  CHECK(references("{% set x = a %}{{ x }}") == Names{"a"});
  CHECK(references("{% for x in xs if x.on == flag %}{{ x }}{{ loop.index }}{{ y }}{% endfor %}{{ x }}") ==
        Names{"flag", "x", "xs", "y"});
  CHECK(references("{% if c %}{% set x = 1 %}{% endif %}{{ x }}") == Names{"c", "x"});
  CHECK(references("{% if c %}{% set x = 1 %}{% else %}{% set x = 2 %}{% endif %}{{ x }}") == Names{"c"});
  CHECK(references("{% with a = b %}{{ a }}{% endwith %}{{ a }}") == Names{"a", "b"});
  CHECK(references("{% set x %}{{ y }}{% endset %}{{ x }}") == Names{"y"});
  CHECK(references("{% include f ~ '.conf' %}") == Names{"f"});
  CHECK(references("plain").empty());
}

TEST_CASE("includes see the variables of where they are, and say where they came from when they fail") {
  const MapSources sources({{"inner", "{{ item }}-{{ name }}\n"},
                            {"outer", "{% for item in words %}\n{% include 'inner' %}\n{% endfor %}\n"},
                            {"broken", "line\n  {{ nmae }}\n"},
                            {"deep", "\n{% include 'broken' %}\n"},
                            {"loop-a", "{% include 'loop-b' %}"},
                            {"loop-b", "{% include 'loop-a' %}"}});
  const auto options = test_options(&sources);
  const auto text = render_text("{% include 'outer' %}", test_variables(), options);
  REQUIRE(text.ok());
  CHECK(*text == "b-web-1\na-web-1\n");

  const auto broken = render_text("x\ny {% include 'deep' %}", test_variables(), options);
  REQUIRE_FALSE(broken.ok());
  CHECK(broken.error().code == "template.unknown-variable");
  REQUIRE(broken.error().position.has_value());
  CHECK(broken.error().position->file == "templates/broken");
  CHECK(broken.error().position->line == 2);
  CHECK(broken.error().position->column == 6);
  CHECK(broken.error().position->source_line == "  {{ nmae }}");
  CHECK(broken.error().context == Names{"included from templates/deep:2", "included from site.conf:2"});
  CHECK(broken.error().hint == "did you mean 'name'?");

  const auto cycle = render_text("{% include 'loop-a' %}", test_variables(), options);
  REQUIRE_FALSE(cycle.ok());
  CHECK(cycle.error().code == "template.include-cycle");
  CHECK(cycle.error().position->file == "templates/loop-b");

  const auto missing = render_text("{% include 'inne' %}", test_variables(), options);
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == "template.unknown-template");
  CHECK(missing.error().hint == "did you mean 'inner'?");

  const auto unreadable = render_text("{% include 'unreadable' ignore missing %}", test_variables(), options);
  REQUIRE_FALSE(unreadable.ok());
  CHECK(unreadable.error().code == "system.EACCES");
  CHECK(unreadable.error().position->line == 1);
}

TEST_CASE("carriage returns are line ends, and other bytes must be UTF-8") {
  CHECK(text_of("a\r\nb\rc") == "a\nb\nc");
  const auto broken = render_text("ok\nx\xff", test_variables(), test_options());
  REQUIRE_FALSE(broken.ok());
  CHECK(broken.error().code == "template.encoding");
  CHECK(broken.error().position->line == 2);
  CHECK(broken.error().position->column == 2);
}
