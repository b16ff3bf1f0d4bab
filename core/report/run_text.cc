// SPDX-License-Identifier: Apache-2.0
// Words for outcomes; why something failed is said by the diagnostics that follow.
#include "core/report/run_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/report/printable.h"

namespace sentinel {
namespace {

std::string coloured(const HostRun& run, const std::string& text, const Style& style) {
  return run.succeeded() ? style.green(text) : style.red(text);
}

std::string padded(const std::string& text, int width) {
  return text + std::string(static_cast<std::size_t>(std::max(0, width - display_width(text))), ' ');
}

template <typename Report>
int name_width(const std::vector<Report>& hosts) {
  int width = 0;
  for (const auto& host : hosts) width = std::max(width, display_width(printable_line(host.host)));
  return width;
}

std::string yes_or_no(const std::optional<bool>& value, const char* yes, const char* no) {
  if (!value) return "-";
  return *value ? yes : no;
}

std::string last_transaction_text(const nlohmann::json& last) {
  if (!last.is_object()) return "-";
  const auto field = [&](const char* name) {
    const auto found = last.find(name);
    return found != last.end() && found->is_string() ? printable_line(found->get<std::string>()) : std::string();
  };
  return fmt::format("{} {} {}", field("time"), field("purpose"), field("outcome"));
}

}  // namespace

std::string outcome_text(const HostRun& run) {
  std::string text = to_string(run.outcome);
  if (run.outcome == Outcome::kChanged) {
    text += fmt::format(" ({} step{})", run.changed.size(), run.changed.size() == 1 ? "" : "s");
  }
  text += fmt::format(" in {:.1f} s", static_cast<double>(run.duration_ms) / 1000.0);
  if (!run.release.empty()) {
    text += ", release " + printable_line(run.release);
  } else if (run.generation) {
    text += fmt::format(", generation {}", *run.generation);
  }
  if (run.outcome == Outcome::kStuck) text += ": needs a person";
  return text;
}

std::string run_text(const std::vector<HostRun>& hosts, const Style& style) {
  const int width = name_width(hosts);
  std::string out;
  for (const HostRun& run : hosts) {
    out += fmt::format("{}  {}\n", padded(printable_line(run.host), width), coloured(run, outcome_text(run), style));
    if (run.log.empty()) continue;
    out += "  the last lines of the release that failed:\n";
    for (const auto& line : run.log) out += "    " + printable_line(line) + "\n";
  }
  return out;
}

std::string status_text(const std::vector<HostStatus>& hosts, const Style& style) {
  const int width = std::max(name_width(hosts), 4);
  std::string out = fmt::format("{}  {:<11}  {:>10}  {:<24}  {:<9}  {:<8}  {}\n", padded("HOST", width), "REACHABLE", "GENERATION",
                                "RELEASE", "HEALTHY", "DRIFT", "LAST TRANSACTION");
  for (const HostStatus& host : hosts) {
    const std::string reachable = fmt::format("{:<11}", host.reachable ? "yes" : "no");
    out += fmt::format("{}  {}  {:>10}  {:<24}  {:<9}  {:<8}  {}\n", padded(printable_line(host.host), width),
                       host.reachable ? style.green(reachable) : style.red(reachable),
                       host.generation ? fmt::format("{}", *host.generation) : "-",
                       host.release.empty() ? "-" : printable_line(host.release), yes_or_no(host.healthy, "yes", "no"),
                       yes_or_no(host.drift, "drift", "none"), last_transaction_text(host.last_transaction));
  }
  return out;
}

}  // namespace sentinel
