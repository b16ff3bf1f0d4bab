// SPDX-License-Identifier: Apache-2.0
// Nothing a host says may drive the operator's terminal.
#include "core/report/printable.h"

#include <catch2/catch.hpp>

namespace sentinel {
namespace {

TEST_CASE("Control characters, hidden marks and broken bytes become escapes") {
  struct Row {
    std::string in;
    std::string line;
    std::string text;
  };
  const std::vector<Row> rows = {
      {"plain ä 漢", "plain ä 漢", "plain ä 漢"},
      {"a\nb\tc", "a\\nb\\tc", "a\nb\tc"},
      {"\x1b[2Jgone", "\\e[2Jgone", "\\e[2Jgone"},
      {"a\rb", "a\\rb", "a\\rb"},
      {std::string("nul\0", 4), "nul\\x00", "nul\\x00"},
      {"\x7f", "\\x7f", "\\x7f"},
      {"\xc2\x9b", "\\u009b", "\\u009b"},
      {"\xe2\x80\xae", "\\u202e", "\\u202e"},
      {"\xff\xfe", "\\xff\\xfe", "\\xff\\xfe"},
      {"\xc0\xaf", "\\xc0\\xaf", "\\xc0\\xaf"},
      {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80"},
      {"cut \xe2\x82", "cut \\xe2\\x82", "cut \\xe2\\x82"},
  };
  for (const Row& row : rows) {
    CHECK(printable_line(row.in) == row.line);
    CHECK(printable_text(row.in) == row.text);
  }
}

TEST_CASE("Texts are cut by columns, not by bytes") {
  CHECK(display_width("漢字") == 4);
  CHECK(display_width("e\xcc\x81") == 1);
  CHECK(shortened("abcdef", 6) == "abcdef");
  CHECK(shortened("abcdefg", 6) == "abcde…");
  CHECK(shortened("漢字漢字", 6) == "漢字…");
  CHECK(shortened("abc", 0).empty());
}

}  // namespace
}  // namespace sentinel
