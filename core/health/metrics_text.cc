// SPDX-License-Identifier: Apache-2.0
// Prometheus' text exposition, read strictly: a line that is neither comment nor sample is an error, since a page that
// isn't metrics must not count as zero errors.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "core/health/bake.h"

namespace sentinel {
namespace {

constexpr std::string_view kBlank = " \t";

bool is_name_character(char c, bool first) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
  return letter || (!first && c >= '0' && c <= '9');
}

/// Reads one line from the left.
class Line {
 public:
  explicit Line(std::string_view text) : rest_(text) {}

  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlank), rest_.size())); }

  bool at_end() const { return rest_.empty(); }

  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string name() {
    std::size_t length = 0;
    while (length < rest_.size() && is_name_character(rest_[length], length == 0)) ++length;
    return take_text(length);
  }

  std::string word() { return take_text(std::min(rest_.find_first_of(kBlank), rest_.size())); }

  /// A label's value after its opening quote.
  bool quoted(std::string& out) {
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c != '\\') {
        out.push_back(c);
        continue;
      }
      if (rest_.empty()) return false;
      out.push_back(rest_.front() == 'n' ? '\n' : rest_.front());
      rest_.remove_prefix(1);
    }
    return false;
  }

 private:
  std::string take_text(std::size_t length) {
    std::string out(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return out;
  }

  std::string_view rest_;
};

bool read_labels(Line& line, MetricSample& sample) {
  line.skip_blanks();
  while (!line.take('}')) {
    std::string label = line.name();
    line.skip_blanks();
    if (label.empty() || !line.take('=')) return false;
    line.skip_blanks();
    std::string value;
    if (!line.take('"') || !line.quoted(value)) return false;
    sample.labels.emplace_back(std::move(label), std::move(value));
    line.skip_blanks();
    if (line.take(',')) line.skip_blanks();
  }
  return true;
}

bool read_value(const std::string& word, double& value) {
  char* end = nullptr;
  value = std::strtod(word.c_str(), &end);
  return !word.empty() && end == word.c_str() + word.size();
}

bool read_sample(std::string_view text, MetricSample& sample) {
  Line line(text);
  sample.name = line.name();
  if (sample.name.empty()) return false;
  line.skip_blanks();
  if (line.take('{') && !read_labels(line, sample)) return false;
  line.skip_blanks();
  if (!read_value(line.word(), sample.value)) return false;
  line.skip_blanks();
  double timestamp = 0;
  return line.at_end() || read_value(line.word(), timestamp);
}

std::string_view label_of(const MetricSample& sample, std::string_view name) {
  for (const auto& [label, value] : sample.labels) {
    if (label == name) return value;
  }
  return {};
}

/// What the proxy answers about itself says nothing of how it serves.
bool is_about_itself(std::string_view endpoint) {
  constexpr std::array<std::string_view, 4> kItself{"health", "metrics", "debug", "admin"};
  return std::find(kItself.begin(), kItself.end(), endpoint) != kItself.end();
}

std::uint64_t whole(double value) {
  return value > 0 && std::isfinite(value) ? static_cast<std::uint64_t>(value) : 0;
}

}  // namespace

Result<Exposition> parse_metrics(const std::string& text) {
  Exposition out;
  std::string_view rest = text;
  for (int number = 1; !rest.empty(); ++number) {
    const auto length = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, length);
    rest.remove_prefix(std::min(length + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
    constexpr std::string_view kType = "# TYPE ";
    if (line.starts_with(kType)) out.families.push_back(Line(line.substr(kType.size())).name());
    if (line.empty() || line.front() == '#') continue;
    MetricSample sample;
    if (!read_sample(line, sample)) {
      return Error("metrics.syntax", fmt::format("line {} is no metric", number), "is this the address of /metrics?");
    }
    out.samples.push_back(std::move(sample));
  }
  return out;
}

Result<RequestCounts> proxy_counts(const std::string& text) {
  SENTINEL_TRY(const auto exposition, parse_metrics(text));
  const std::string answers = "sentinel_responses_total";
  if (std::find(exposition.families.begin(), exposition.families.end(), answers) == exposition.families.end()) {
    return Error("metrics.missing", "there is no " + answers, "is this the metrics port of sentinel-proxy?");
  }
  RequestCounts out;
  std::uint64_t broken_calls = 0;
  for (const auto& sample : exposition.samples) {
    if (sample.name == answers && !is_about_itself(label_of(sample, "endpoint"))) {
      out.requests += whole(sample.value);
      const std::string_view code = label_of(sample, "code");
      if (code.size() == 3 && code.front() == '5') out.errors += whole(sample.value);
    } else if (sample.name == "sentinel_requests_total" && label_of(sample, "status") == "error") {
      broken_calls += whole(sample.value);
    }
  }
  out.errors = std::min(std::max(out.errors, broken_calls), out.requests);
  return out;
}

}  // namespace sentinel
