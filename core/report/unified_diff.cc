// SPDX-License-Identifier: Apache-2.0
// Equal lines at both ends are set aside first: most changes of configuration files touch one place.
#include "core/report/unified_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace sentinel {
namespace {

// Beyond this many differing lines the search would take memory with its square.
constexpr int kMaxDistance = 1500;

using Lines = std::vector<std::string_view>;

// Each line with its newline; only the last one can lack it.
Lines split(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t length = end == std::string_view::npos ? text.size() : end + 1;
    lines.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return lines;
}

// Which lines stay: kept[i] is true for a line that is in both.
struct Kept {
  std::vector<bool> before;
  std::vector<bool> after;
};

// The middle part that remains when equal ends are set aside: [first, end) of each side.
struct Middle {
  int first = 0;
  int before_end = 0;
  int after_end = 0;
};

Middle middle_of(const Lines& before, const Lines& after) {
  Middle m{0, static_cast<int>(before.size()), static_cast<int>(after.size())};
  while (m.first < m.before_end && m.first < m.after_end && before[m.first] == after[m.first]) ++m.first;
  while (m.before_end > m.first && m.after_end > m.first && before[m.before_end - 1] == after[m.after_end - 1]) {
    --m.before_end;
    --m.after_end;
  }
  return m;
}

// Furthest x reached on each diagonal k in [-d, d], for one number of edits d.
class Frontier {
 public:
  explicit Frontier(int d) : d_(d), furthest_(static_cast<std::size_t>(2 * d + 3), -1) {}
  int& at(int diagonal) { return furthest_[static_cast<std::size_t>(diagonal + d_ + 1)]; }
  int at(int diagonal) const { return furthest_[static_cast<std::size_t>(diagonal + d_ + 1)]; }

 private:
  int d_;
  std::vector<int> furthest_;
};

// True when the best path to diagonal k with d edits comes from k+1, by taking a line of `after`.
bool comes_by_insertion(const Frontier& previous, int k, int d) {
  return k == -d || (k != d && previous.at(k - 1) < previous.at(k + 1));
}

// The frontiers for 0, 1, 2 … edits until both ends are reached; empty when that takes more than kMaxDistance.
std::vector<Frontier> search(const Lines& before, const Lines& after, const Middle& m) {
  const int n = m.before_end - m.first;
  const int length = m.after_end - m.first;
  std::vector<Frontier> frontiers;
  for (int d = 0; d <= std::min(n + length, kMaxDistance); ++d) {
    Frontier current(d);
    for (int k = -d; k <= d; k += 2) {
      int x = 0;
      if (d > 0) {
        const Frontier& previous = frontiers.back();
        x = comes_by_insertion(previous, k, d) ? previous.at(k + 1) : previous.at(k - 1) + 1;
      }
      int y = x - k;
      while (x < n && y < length && before[m.first + x] == after[m.first + y]) {
        ++x;
        ++y;
      }
      current.at(k) = x;
      if (x >= n && y >= length) {
        frontiers.push_back(std::move(current));
        return frontiers;
      }
    }
    frontiers.push_back(std::move(current));
  }
  return {};
}

Kept compare(const Lines& before, const Lines& after) {
  Kept kept{std::vector<bool>(before.size(), true), std::vector<bool>(after.size(), true)};
  const Middle m = middle_of(before, after);
  std::fill(kept.before.begin() + m.first, kept.before.begin() + m.before_end, false);
  std::fill(kept.after.begin() + m.first, kept.after.begin() + m.after_end, false);
  const std::vector<Frontier> frontiers = search(before, after, m);
  int x = m.before_end - m.first;
  int y = m.after_end - m.first;
  for (int d = static_cast<int>(frontiers.size()) - 1; d >= 0; --d) {
    int start_x = 0;
    int start_y = 0;
    if (d > 0) {
      const int k = x - y;
      const Frontier& previous = frontiers[static_cast<std::size_t>(d - 1)];
      const int from = comes_by_insertion(previous, k, d) ? k + 1 : k - 1;
      start_x = previous.at(from);
      start_y = start_x - from;
    }
    while (x > start_x && y > start_y) {
      --x;
      --y;
      kept.before[static_cast<std::size_t>(m.first + x)] = true;
      kept.after[static_cast<std::size_t>(m.first + y)] = true;
    }
    x = start_x;
    y = start_y;
  }
  return kept;
}

void append_line(std::string& out, char mark, std::string_view line) {
  out += mark;
  out += line;
  if (line.empty() || line.back() != '\n') out += "\n\\ No newline at end of file\n";
}

// "start,count" as diff prints it: the count is left out when it is one, and an empty range names the line before it.
std::string range(int first, int count) {
  if (count == 1) return fmt::format("{}", first + 1);
  return fmt::format("{},{}", count == 0 ? first : first + 1, count);
}

// One run of changed lines: [before_first, before_end) replaced by [after_first, after_end).
struct Run {
  int before_first = 0;
  int before_end = 0;
  int after_first = 0;
  int after_end = 0;
};

std::vector<Run> changed_runs(const Kept& kept) {
  std::vector<Run> runs;
  const int n = static_cast<int>(kept.before.size());
  const int length = static_cast<int>(kept.after.size());
  int x = 0;
  int y = 0;
  while (x < n || y < length) {
    if (x < n && y < length && kept.before[x] && kept.after[y]) {
      ++x;
      ++y;
      continue;
    }
    Run run{x, x, y, y};
    while (run.before_end < n && !kept.before[run.before_end]) ++run.before_end;
    while (run.after_end < length && !kept.after[run.after_end]) ++run.after_end;
    x = run.before_end;
    y = run.after_end;
    runs.push_back(run);
  }
  return runs;
}

std::string hunk(const std::vector<Run>& runs, const Lines& before, const Lines& after, int context) {
  const int lead = std::min(context, runs.front().before_first);
  const int tail = std::min(context, static_cast<int>(before.size()) - runs.back().before_end);
  const int before_first = runs.front().before_first - lead;
  const int after_first = runs.front().after_first - lead;
  std::string out = fmt::format("@@ -{} +{} @@\n", range(before_first, runs.back().before_end + tail - before_first),
                                range(after_first, runs.back().after_end + tail - after_first));
  int x = before_first;
  for (const Run& run : runs) {
    for (; x < run.before_first; ++x) append_line(out, ' ', before[x]);
    for (; x < run.before_end; ++x) append_line(out, '-', before[x]);
    for (int y = run.after_first; y < run.after_end; ++y) append_line(out, '+', after[y]);
  }
  for (; x < runs.back().before_end + tail; ++x) append_line(out, ' ', before[x]);
  return out;
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after, int context) {
  const Lines before_lines = split(before);
  const Lines after_lines = split(after);
  std::string out;
  std::vector<Run> together;
  for (const Run& run : changed_runs(compare(before_lines, after_lines))) {
    if (!together.empty() && run.before_first - together.back().before_end > 2 * context) {
      out += hunk(together, before_lines, after_lines, context);
      together.clear();
    }
    together.push_back(run);
  }
  if (!together.empty()) out += hunk(together, before_lines, after_lines, context);
  return out;
}

}  // namespace sentinel
