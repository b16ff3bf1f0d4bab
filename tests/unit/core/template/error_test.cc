// SPDX-License-Identifier: Apache-2.0
// Every kind of error with its code, its exact place and its hint.
#include <catch2/catch.hpp>

#include "tests/unit/core/template/support.h"

using namespace sentinel;

namespace {

struct Case {
  const char* text;
  const char* code;
  int line;
  int column;
  int length;
  const char* hint;  ///< empty: none
};

const Case kCases[] = {
    // Reading.
    {"a\n  {{ name", "template.syntax", 2, 3, 2, "end it with }}"},
    {"{% if on", "template.syntax", 1, 1, 2, "end it with %}"},
    {"text {# open", "template.syntax", 1, 6, 2, "end it with #}"},
    {"{% raw %}x", "template.syntax", 1, 1, 9, "end it with {% endraw %}"},
    {"{{ 'open }}", "template.syntax", 1, 4, 1, ""},
    {"{{ (name }}", "template.syntax", 1, 10, 1, ""},
    {"{{ (name] }}", "template.syntax", 1, 9, 1, ""},
    {"{{ name) }}", "template.syntax", 1, 8, 1, ""},
    {"{{ name ! }}", "template.syntax", 1, 9, 1, ""},
    {"{{ '\\x1' }}", "template.syntax", 1, 4, 5, ""},
    {"{{ 99999999999999999999 }}", "template.overflow", 1, 4, 20, ""},
    // Grammar.
    {"{{ }}", "template.syntax", 1, 4, 2, ""},
    {"{{ 1 + }}", "template.syntax", 1, 8, 2, ""},
    {"{{ name name }}", "template.syntax", 1, 9, 4, ""},
    {"{{ name.+ }}", "template.syntax", 1, 9, 1, ""},
    {"{{ list[] }}", "template.syntax", 1, 9, 1, ""},
    {"{{ {1 2} }}", "template.syntax", 1, 7, 1, ""},
    {"{{ range(a=1, 2) }}", "template.syntax", 1, 15, 1, ""},
    {"{{ range(a=1, a=2) }}", "template.syntax", 1, 15, 1, ""},
    {"{{ range(*list) }}", "template.unsupported", 1, 10, 1, "write them one by one"},
    {"{{ 1 is odd is even }}", "template.syntax", 1, 13, 2, "write 'a is x and a is y'"},
    {"{% if on %}\nx", "template.syntax", 1, 4, 2, "end it with {% endif %}"},
    {"{% for x in list %}x", "template.syntax", 1, 4, 3, "end it with {% endfor %}"},
    {"x {% endif %}", "template.syntax", 1, 6, 5, "no block is open here"},
    {"{% if on %}{% endfor %}", "template.syntax", 1, 15, 6, "the open block ends with {% endif %}"},
    {"{% if on %}x{% endif on %}", "template.syntax", 1, 22, 2, ""},
    {"{% for x of list %}{% endfor %}", "template.syntax", 1, 10, 2, ""},
    {"{% set 1 = 2 %}", "template.syntax", 1, 8, 1, ""},
    {"{% set none = 2 %}", "template.syntax", 1, 8, 4, ""},
    {"{% set secrets = 2 %}", "template.reserved-name", 1, 8, 7, ""},
    {"{% for loop in list %}{% endfor %}", "template.reserved-name", 1, 8, 4, ""},
    {"{% iff on %}", "template.unknown-tag", 1, 4, 3, "did you mean 'if'?"},
    {"{% macro m() %}", "template.unsupported", 1, 4, 5, "use include, set, for and if"},
    {"{% for x in list recursive %}{% endfor %}", "template.unsupported", 1, 18, 9, ""},
    {"{{ name | uper }}", "template.unknown-filter", 1, 11, 4, "did you mean 'upper'?"},
    {"{{ name is strng }}", "template.unknown-test", 1, 12, 5, "did you mean 'string'?"},
    // Names.
    {"server_name {{ nmae }};", "template.unknown-variable", 1, 16, 4, "did you mean 'name'?"},
    {"\n\n  {{ zzz }}", "template.unknown-variable", 3, 6, 3, ""},
    {"{{ server.prot }}", "template.unknown-attribute", 1, 11, 4, "did you mean 'port'?"},
    {"{{ server['prot'] }}", "template.unknown-attribute", 1, 11, 6, "did you mean 'port'?"},
    {"{{ server.port.x }}", "template.unknown-attribute", 1, 16, 1, ""},
    {"{{ server.nope.deeper }}", "template.unknown-attribute", 1, 11, 4, ""},
    {"{{ list[3] }}", "template.unknown-attribute", 1, 9, 1, ""},
    {"{{ name.uper() }}", "template.unknown-attribute", 1, 9, 4, "did you mean 'upper'?"},
    {"{{ loop.index }}", "template.unknown-variable", 1, 4, 4, "'loop' exists only inside a for loop's body"},
    {"{% for x in lst %}{% endfor %}", "template.unknown-variable", 1, 13, 3, "did you mean 'list'?"},
    {"{% if conut > 2 %}{% endif %}", "template.unknown-variable", 1, 7, 5, "did you mean 'count'?"},
    {"{{ rang(3) }}", "template.unknown-variable", 1, 4, 4, "did you mean 'range'?"},
    {"{{ [name, nam] }}", "template.unknown-variable", 1, 11, 3, "did you mean 'name'?"},
    {"{{ server.items }}", "template.type", 1, 4, 12,
     "write items() to call it, or ['items'] for the key of that name"},
    {"{{ list.append(1) }}", "template.unsupported", 1, 9, 6,
     "lists can't be changed; make a new one, like {% set list = list + [item] %}"},
    {"{% set list.x = 1 %}", "template.type", 1, 8, 6, "write {% set list = namespace() %} first"},
    {"{{ list | first.x }}", "template.syntax", 1, 16, 1, ""},
    // Values.
    {"{{ name + 1 }}", "template.type", 1, 4, 8, "use ~ to join values as text"},
    {"{{ list - 1 }}", "template.type", 1, 4, 8, ""},
    {"{{ -name }}", "template.type", 1, 4, 5, ""},
    {"{{ name < 1 }}", "template.type", 1, 4, 8, ""},
    {"{{ 1 in name }}", "template.type", 1, 4, 9, ""},
    {"{{ count / 0 }}", "template.division-by-zero", 1, 4, 9, ""},
    {"{{ 9223372036854775807 + count }}", "template.overflow", 1, 4, 27, ""},
    {"{% for x in count %}{% endfor %}", "template.type", 1, 13, 5, ""},
    {"{% for a, b in list %}{% endfor %}", "template.type", 1, 8, 4, ""},
    {"{% for a, b in [[1]] %}{% endfor %}", "template.unpack", 1, 8, 4, ""},
    {"{{ count() }}", "template.type", 1, 4, 5, ""},
    {"{{ name | indent(nothing) }}", "template.type", 1, 11, 6, ""},
    {"{{ name | replace('a') }}", "template.arguments", 1, 11, 7, ""},
    {"{{ name | upper(1) }}", "template.arguments", 1, 11, 5, ""},
    {"{{ list | sort(revers=true) }}", "template.arguments", 1, 11, 4, "did you mean 'reverse'?"},
    {"{{ list | map('uper') | list }}", "template.unknown-filter", 1, 11, 3, "did you mean 'upper'?"},
    {"{{ list | select('od') | list }}", "template.unknown-test", 1, 11, 6, "did you mean 'odd'?"},
    {"{{ list | map('string') }}", "template.type", 1, 4, 20,
     "write | list (or | join) behind map, select, reject, unique and the like"},
    {"{{ [] | first }}", "template.undefined", 1, 9, 5, ""},
    {"{{ '%d' % name }}", "template.format", 1, 4, 11, ""},
    {"{{ {[1]: 2} }}", "template.type", 1, 5, 3, ""},
    {"{% filter length %}x{% endfilter %}", "template.type", 1, 11, 6, ""},
    {"{{ 'a\nb' | ini }}", "quote.not-expressible", 2, 6, 3, ""},
    {"{% include 'x' %}", "template.unknown-template", 1, 12, 3, ""},
    {"{% include count %}", "template.type", 1, 12, 5, ""},
    // Secrets.
    {"{{ secrets.API_KYE }}", "template.unknown-secret", 1, 12, 7, "did you mean 'API_KEY'?"},
    {"{{ secrets.ZZZ }}", "template.unknown-secret", 1, 12, 3, "secrets are declared under 'secrets:' of the project"},
};

}  // namespace

TEST_CASE("each error names its code, its exact place and what to try") {
  for (const auto& each : kCases) {
    INFO(each.text);
    const auto out = render_content(each.text, test_variables(), test_options());
    REQUIRE_FALSE(out.ok());
    const Error& error = out.error();
    INFO(error.message);
    CHECK(error.code == each.code);
    CHECK(error.hint == each.hint);
    CHECK(error.exit == ExitCode::kUsage);
    CHECK_FALSE(error.message.empty());
    REQUIRE(error.position.has_value());
    CHECK(error.position->file == "site.conf");
    CHECK(error.position->line == each.line);
    CHECK(error.position->column == each.column);
    CHECK(error.position->length == each.length);
  }
}

TEST_CASE("nothing but printing and quoting can be done with a secret") {
  for (const char* text : {"{{ secrets.API_KEY ~ 'x' }}",
                           "{{ 'x' + secrets.API_KEY }}",
                           "{{ secrets.API_KEY == 'x' }}",
                           "{{ 'x' in secrets.API_KEY }}",
                           "{% if secrets.API_KEY %}{% endif %}",
                           "{{ not secrets.API_KEY }}",
                           "{{ secrets.API_KEY and 1 }}",
                           "{{ secrets.API_KEY | upper }}",
                           "{{ secrets.API_KEY | length }}",
                           "{{ secrets.API_KEY | tojson }}",
                           "{{ secrets.API_KEY | quote }}",
                           "{{ secrets.API_KEY | b64decode }}",
                           "{{ secrets.API_KEY | default('x', true) }}",
                           "{{ [secrets.API_KEY] }}",
                           "{{ {'a': secrets.API_KEY} }}",
                           "{{ {secrets.API_KEY: 1} }}",
                           "{{ secrets.API_KEY[0] }}",
                           "{{ secrets.API_KEY[1:] }}",
                           "{{ secrets.API_KEY.upper() }}",
                           "{{ secrets.API_KEY is string }}",
                           "{{ secrets.API_KEY is none }}",
                           "{{ 1 is in(secrets.API_KEY) }}",
                           "{{ 'a' | replace('a', secrets.API_KEY) }}",
                           "{{ dict(a=secrets.API_KEY) }}",
                           "{{ namespace(a=secrets.API_KEY).a }}",
                           "{% set n = namespace() %}{% set n.x = secrets.API_KEY %}",
                           "{% for c in secrets.API_KEY %}{% endfor %}",
                           "{% set a, b = secrets.API_KEY %}",
                           "{% set x %}{{ secrets.API_KEY }}{% endset %}",
                           "{% filter upper %}{{ secrets.API_KEY }}{% endfilter %}",
                           "{{ 'a' if secrets.API_KEY else 'b' }}",
                           "{{ -secrets.API_KEY }}",
                           "{{ secrets.API_KEY() }}",
                           "{{ secrets }}",
                           "{{ secrets | list }}",
                           "{% for s in secrets %}{% endfor %}",
                           "{{ secrets.keys() }}",
                           "{{ list[secrets.API_KEY] }}",
                           "{{ '%s' % secrets.API_KEY }}",
                           "{{ ['a'] | map('replace', 'a', secrets.API_KEY) | list }}",
                           "{% include secrets.API_KEY %}",
                           "{{ range(secrets.API_KEY) }}",
                           "{{ ''.join(secrets.API_KEY) }}"}) {
    INFO(text);
    const auto out = render_content(text, test_variables(), test_options());
    REQUIRE_FALSE(out.ok());
    INFO(out.error().message);
    const bool refused = out.error().code == "template.secret-misuse" || out.error().code == "template.unknown-secret";
    CHECK(refused);
    REQUIRE(out.error().position.has_value());
    CHECK(out.error().position->line == 1);
  }
}

TEST_CASE("where a secret can't go it is refused") {
  const auto text = render_text("a\nb {{ secrets.API_KEY }}", test_variables(), test_options());
  REQUIRE_FALSE(text.ok());
  CHECK(text.error().code == "template.secret-not-allowed");
  CHECK(text.error().position->line == 2);
  CHECK(text.error().position->column == 6);
  for (const auto& result : {evaluate("secrets.API_KEY", test_variables(), test_options()),
                             render_value("{{ secrets.API_KEY }}", test_variables(), test_options()),
                             render_value("x{{ secrets.API_KEY }}", test_variables(), test_options())}) {
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == "template.secret-not-allowed");
  }
}

TEST_CASE("an expression's errors have places too") {
  const auto unknown = evaluate("on and cuont > 2", test_variables(), test_options());
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().position->column == 8);
  CHECK(unknown.error().position->length == 5);
  CHECK(unknown.error().hint == "did you mean 'count'?");
  const auto rest = evaluate("on }} x", test_variables(), test_options());
  REQUIRE_FALSE(rest.ok());
  CHECK(rest.error().code == "template.syntax");
  CHECK(rest.error().position->column == 4);
  const auto open = evaluate("list[0", test_variables(), test_options());
  REQUIRE_FALSE(open.ok());
  CHECK(open.error().position->column == 5);
  const auto nothing = evaluate("", test_variables(), test_options());
  REQUIRE_FALSE(nothing.ok());
  CHECK(nothing.error().code == "template.syntax");
  const auto undefined = evaluate("server.prot", test_variables(), test_options());
  REQUIRE_FALSE(undefined.ok());
  CHECK(undefined.error().code == "template.unknown-attribute");
  const auto key = evaluate("{1: 2}", test_variables(), test_options());
  REQUIRE_FALSE(key.ok());
  CHECK(key.error().code == "template.type");
}

TEST_CASE("positions are those of the file the text stands in") {
  const std::string yaml =
      "tasks:\n  - file:\n      content: |\n        first\n        {{ nmae }}\n      title: \"at {{ nmae }}\"\n";
  auto options = test_options();
  options.origin = {"playbooks/web.yaml", 4, 9, 8, yaml};
  const auto block = render_text("first\n{{ nmae }}\n", test_variables(), options);
  REQUIRE_FALSE(block.ok());
  CHECK(*block.error().position == Position{"playbooks/web.yaml", 5, 12, 4, "        {{ nmae }}"});
  options.origin = {"playbooks/web.yaml", 6, 15, 0, yaml};
  const auto scalar = render_text("at {{ nmae }}", test_variables(), options);
  REQUIRE_FALSE(scalar.ok());
  CHECK(*scalar.error().position == Position{"playbooks/web.yaml", 6, 21, 4, "      title: \"at {{ nmae }}\""});
}

TEST_CASE("an error over several lines underlines its first line only") {
  const auto out = render_text("{{ name\n  - count }}", test_variables(), test_options());
  REQUIRE_FALSE(out.ok());
  CHECK(*out.error().position == Position{"site.conf", 1, 4, 4, "{{ name"});
}
