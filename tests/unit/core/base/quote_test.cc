// SPDX-License-Identifier: Apache-2.0
// How quoted values look, and what each filter refuses. That their readers give the value back is shown by
// tests/table/quote and tests/e2e/quoting_test.py.
#include "core/base/quote.h"

#include <catch2/catch.hpp>

#include "core/base/utf8.h"

using namespace sentinel;

namespace {

/// The quoted value, or the code of the error.
std::string quoted(std::string_view filter, std::string_view text) {
  const auto out = apply_quoting(filter, text);
  if (out.ok()) return *out;
  CHECK((text.empty() || out.error().message.find(text) == std::string::npos || text.size() < 4));
  return out.error().code;
}

}  // namespace

TEST_CASE("shell words are left alone when they are safe, else put in single quotes") {
  CHECK(quoted("shell", "a-b_c.d/e:f,g+h@i%j=k") == "a-b_c.d/e:f,g+h@i%j=k");
  CHECK(quoted("shell", "") == "''");
  CHECK(quoted("shell", "two words") == "'two words'");
  CHECK(quoted("shell", "it's") == "'it'\\''s'");
  CHECK(quoted("shell", "\xff$`") == "'\xff$`'");
  CHECK(quoted("shell", std::string_view("a\0b", 3)) == "quote.not-text");
}

TEST_CASE("words of units escape specifiers always and variables only in commands") {
  CHECK(quoted("systemd", "a \"b\" \\ 50% $HOME\n\x01") == R"("a \"b\" \\ 50%% $HOME\n\x01")");
  CHECK(quoted("systemd_exec", "50% $HOME") == R"("50%% $$HOME")");
  CHECK(quoted("systemd", "\xff") == "quote.not-text");
  CHECK(quoted("systemd", "long value \uFFFE") == "quote.not-expressible");
  CHECK(quoted("systemd_exec", "long value \uFDD0") == "quote.not-expressible");
}

TEST_CASE("YAML scalars are in double quotes, with everything escaped that some reader takes for a line break") {
  CHECK(quoted("yaml", "a \"b\" \\ \n\t\x01") == R"("a \"b\" \\ \n\t\x01")");
  CHECK(quoted("yaml", "ü \u0085\u2028\uFEFF") == "\"ü \\x85\\u2028\\ufeff\"");
  CHECK(quoted("yaml", std::string_view("\0", 1)) == "\"\\x00\"");
  CHECK(quoted("yaml", "\xc3") == "quote.not-text");
}

TEST_CASE("Caddyfile tokens keep braces from being placeholders") {
  CHECK(quoted("caddy", "a \"b\"") == R"("a \"b\"")");
  CHECK(quoted("caddy", "{host} } \\d") == R"("\{host\} \} \d")");
  CHECK(quoted("caddy", "no brace }") == R"("no brace }")");
  CHECK(quoted("caddy", "ends in \\") == "`ends in \\`");
  CHECK(quoted("caddy", "even \\\\") == "\"even \\\\\"");
  CHECK(quoted("caddy", "both ` and \\") == "quote.not-expressible");
  CHECK(quoted("caddy", "from {$ENV}") == "quote.not-expressible");
  CHECK(quoted("caddy", "}") == "quote.not-expressible");
}

TEST_CASE("INI values double percent signs and refuse what would be cut") {
  CHECK(quoted("ini", "100% %(x)s; y") == "100%% %%(x)s; y");
  CHECK(quoted("ini", "") == "");
  for (const char* text :
       {"two\nlines", " leading", "trailing ", "\u00a0leading", "trailing\u2003", "; comment", "value ; comment"}) {
    CHECK(quoted("ini", text) == "quote.not-expressible");
  }
}

TEST_CASE("any bytes can be base64, and other filters are unknown") {
  CHECK(quoted("b64encode", "\xff\xfe") == "//4=");
  CHECK(quoted("quote", "abcd") == "quote.unknown-filter");
  for (const char* name : {"shell", "systemd", "systemd_exec", "yaml", "caddy", "ini", "b64encode"})
    CHECK(is_quoting_filter(name));
  CHECK_FALSE(is_quoting_filter("upper"));
}

TEST_CASE("UTF-8 is read strictly") {
  CHECK(invalid_utf8("aü漢😀") == std::string::npos);
  CHECK(invalid_utf8("ab\xc0\x80") == 2);         // overlong
  CHECK(invalid_utf8("\xed\xa0\x80") == 0);       // surrogate
  CHECK(invalid_utf8("a\xf4\x90\x80\x80") == 1);  // beyond U+10FFFF
  CHECK(invalid_utf8("a\xe6\xbc") == 1);          // cut off
  std::string text;
  for (const char32_t code : {U'a', U'ü', U'漢', U'😀'}) append_code_point(text, code);
  CHECK(text == "aü漢😀");
  std::size_t position = 1;
  CHECK(next_code_point(text, position) == U'ü');
  CHECK(position == 3);
}
