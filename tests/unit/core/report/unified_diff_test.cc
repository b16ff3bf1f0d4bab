// SPDX-License-Identifier: Apache-2.0
// Known texts, and the two properties that make a diff right: applying it gives the other text, and it is minimal.
#include "core/report/unified_diff.h"

#include <random>
#include <sstream>
#include <vector>

#include <catch2/catch.hpp>

namespace sentinel {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line + "\n");
  if (!text.empty() && text.back() != '\n') lines.back().pop_back();
  return lines;
}

// Applies hunks to `before`, failing the test where context or removed lines don't match.
std::string patched(const std::string& before, const std::string& diff) {
  const auto source = lines_of(before);
  std::string out;
  std::size_t at = 0;
  auto hunks = lines_of(diff);
  for (std::size_t i = 0; i < hunks.size(); ++i) {
    std::string line = hunks[i];
    if (i + 1 < hunks.size() && hunks[i + 1][0] == '\\') line.pop_back();
    if (line[0] == '\\') continue;
    if (line[0] == '@') {
      std::size_t first = std::stoul(line.substr(4));
      const bool empty_range = line.substr(0, line.find('+')).find(",0 ") != std::string::npos;
      if (!empty_range) --first;
      for (; at < first; ++at) out += source.at(at);
      continue;
    }
    if (line[0] != '+') REQUIRE(source.at(at++) == line.substr(1));
    if (line[0] != '-') out += line.substr(1);
  }
  for (; at < source.size(); ++at) out += source[at];
  return out;
}

std::size_t edits_in(const std::string& diff) {
  std::size_t edits = 0;
  for (const auto& line : lines_of(diff)) edits += line[0] == '+' || line[0] == '-' ? 1 : 0;
  return edits;
}

std::size_t fewest_edits(const std::string& before, const std::string& after) {
  const auto a = lines_of(before);
  const auto b = lines_of(after);
  std::vector<std::vector<std::size_t>> common(a.size() + 1, std::vector<std::size_t>(b.size() + 1, 0));
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      common[i][j] = a[i - 1] == b[j - 1] ? common[i - 1][j - 1] + 1 : std::max(common[i - 1][j], common[i][j - 1]);
    }
  }
  return a.size() + b.size() - 2 * common[a.size()][b.size()];
}

std::string random_text(std::mt19937& random) {
  std::string text;
  const int lines = std::uniform_int_distribution<int>(0, 14)(random);
  for (int i = 0; i < lines; ++i) text += std::string(1, static_cast<char>('a' + random() % 4)) + "\n";
  if (!text.empty() && random() % 4 == 0) text.pop_back();
  return text;
}

TEST_CASE("A changed line is shown between three lines of context") {
  CHECK(unified_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n") ==
        "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST_CASE("Equal texts have no diff") {
  CHECK(unified_diff("", "").empty());
  CHECK(unified_diff("a\nb", "a\nb").empty());
}

TEST_CASE("A new file is all additions and a removed one all removals") {
  CHECK(unified_diff("", "a\nb\n") == "@@ -0,0 +1,2 @@\n+a\n+b\n");
  CHECK(unified_diff("a\n", "") == "@@ -1 +0,0 @@\n-a\n");
}

TEST_CASE("A missing newline at the end is said and counts as a difference") {
  CHECK(unified_diff("a", "a\n") == "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
}

TEST_CASE("Changes far apart make hunks of their own, near ones share one") {
  std::string before;
  for (int i = 0; i < 40; ++i) before += std::to_string(i) + "\n";
  std::string far = before;
  far.replace(far.find("5\n"), 2, "x\n");
  far.replace(far.find("\n30\n"), 4, "\ny\n");
  const std::string diff = unified_diff(before, far);
  CHECK(diff.find("@@ -3,7 +3,7 @@") != std::string::npos);
  CHECK(diff.find("@@ -28,7 +28,7 @@") != std::string::npos);
}

TEST_CASE("Any diff applies, and none is longer than needed") {
  std::mt19937 random(20260101);
  for (int round = 0; round < 3000; ++round) {
    const std::string before = random_text(random);
    const std::string after = random_text(random);
    const std::string diff = unified_diff(before, after, static_cast<int>(random() % 4));
    INFO("before:\n" << before << "\nafter:\n" << after << "\ndiff:\n" << diff);
    REQUIRE(patched(before, diff) == after);
    REQUIRE(edits_in(diff) == fewest_edits(before, after));
  }
}

TEST_CASE("Two large texts without a common line are still shown at once") {
  std::string before;
  std::string after;
  for (int i = 0; i < 20000; ++i) {
    before += "b" + std::to_string(i) + "\n";
    after += "a" + std::to_string(i) + "\n";
  }
  const std::string diff = unified_diff(before, after);
  CHECK(edits_in(diff) == 40000);
  CHECK(patched(before, diff) == after);
}

}  // namespace
}  // namespace sentinel
