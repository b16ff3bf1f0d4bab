// SPDX-License-Identifier: Apache-2.0
// The mark of a step is read from its changes: nothing (or "absent") before is an addition, after a removal.
#include "core/report/plan_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/report/printable.h"
#include "core/report/unified_diff.h"

namespace sentinel {
namespace {

constexpr std::size_t kShownLines = 40;
constexpr std::string_view kIndent = "      ";

bool is_nothing(const std::string& value) { return value.empty() || value == "absent"; }

char mark_of(const Step& step) {
  const auto none_before = [](const Change& change) { return is_nothing(change.before); };
  const auto none_after = [](const Change& change) { return is_nothing(change.after); };
  if (std::all_of(step.changes.begin(), step.changes.end(), none_before)) return '+';
  if (std::all_of(step.changes.begin(), step.changes.end(), none_after)) return '-';
  return '~';
}

std::string coloured_mark(char mark, const Style& style) {
  const std::string text(1, mark);
  return mark == '+' ? style.green(text) : mark == '-' ? style.red(text) : style.yellow(text);
}

std::string risk_note(Risk risk, const Style& style) {
  switch (risk) {
    case Risk::kNone: return {};
    case Risk::kService: return "  " + style.dim("[service]");
    case Risk::kLockout: return "  " + style.yellow("[lockout]");
    case Risk::kIrreversible: return "  " + style.red("[irreversible]");
  }
  return {};
}

std::string coloured_diff_line(std::string_view line, const Style& style) {
  switch (line.empty() ? ' ' : line.front()) {
    case '+': return style.green(line);
    case '-': return style.red(line);
    case '@': return style.cyan(line);
    default: return std::string(line);
  }
}

std::string count_of(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

void append_diff(std::string& out, const Change& change, const PlanTextOptions& options) {
  std::string diff = printable_text(unified_diff(change.before, change.after));
  std::size_t shown = 0;
  std::size_t hidden = 0;
  for (std::string_view rest = diff; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (options.verbose || shown < kShownLines) {
      out += fmt::format("{}  {}\n", kIndent, coloured_diff_line(rest.substr(0, end), options.style));
      ++shown;
    } else {
      ++hidden;
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (hidden > 0) {
    out += fmt::format("{}  {}\n", kIndent, options.style.dim(fmt::format("… {} (-v shows all)", count_of(hidden, "more line"))));
  }
}

bool has_lines(const Change& change) {
  return change.before.find('\n') != std::string::npos || change.after.find('\n') != std::string::npos;
}

void append_change(std::string& out, const Change& change, const PlanTextOptions& options) {
  const std::string attribute = printable_line(change.attribute);
  if (has_lines(change) && !change.sensitive) {
    out += fmt::format("{}{}:\n", kIndent, attribute);
    append_diff(out, change, options);
    return;
  }
  const std::string before = printable_line(change.before);
  const std::string after = printable_line(change.after);
  if (before.empty()) {
    out += fmt::format("{}{}: {}\n", kIndent, attribute, options.style.green(after.empty() ? "(empty)" : after));
  } else {
    out += fmt::format("{}{}: {} -> {}\n", kIndent, attribute, options.style.red(before),
                       options.style.green(after.empty() ? "(none)" : after));
  }
}

void append_step(std::string& out, const Step& step, const PlanTextOptions& options) {
  const std::string title = printable_line(step.title);
  const std::string id = printable_line(step.id);
  out += fmt::format("  {} {}{}{}\n", coloured_mark(mark_of(step), options.style), options.style.bold(id),
                     title.empty() || title == id ? "" : "  " + title, risk_note(step.risk, options.style));
  for (const Change& change : step.changes) append_change(out, change, options);
  for (const Effect& effect : step.effects) {
    out += fmt::format("{}{}\n", kIndent, options.style.dim("then " + printable_line(to_string(effect))));
  }
}

}  // namespace

std::string plan_text(const std::vector<HostPlan>& hosts, const PlanTextOptions& options) {
  std::string out;
  for (const HostPlan& host : hosts) {
    const std::string name = options.style.bold(printable_line(host.host));
    if (host.failed()) {
      out += fmt::format("{}: {}\n", name, options.style.red("no plan"));
    } else if (!host.has_changes()) {
      out += fmt::format("{}: {} ({} already so)\n", name, options.style.green("nothing to change"), host.plan->unchanged);
    } else {
      out += fmt::format("{}: {} to take ({} already so)\n", name, count_of(host.plan->steps.size(), "step"),
                         host.plan->unchanged);
      for (const Step& step : host.plan->steps) append_step(out, step, options);
    }
  }
  return out;
}

std::string irreversible_text(const std::vector<HostPlan>& hosts, const Style& style) {
  std::string out;
  for (const HostPlan& host : hosts) {
    if (!host.plan) continue;
    for (const Step& step : host.plan->steps) {
      const auto* why = std::get_if<Irreversible>(&step.undo);
      if (why == nullptr) continue;
      out += fmt::format("  {} {}: {}\n", printable_line(host.host), style.red(printable_line(step.id)),
                         printable_line(why->why));
    }
  }
  return out.empty() ? out : "These steps can't be undone:\n" + out;
}

std::string plan_summary(const std::vector<HostPlan>& hosts) {
  std::size_t steps = 0;
  std::size_t changing = 0;
  std::size_t failed = 0;
  std::size_t lockout = 0;
  for (const HostPlan& host : hosts) {
    if (host.failed()) ++failed;
    if (!host.has_changes()) continue;
    ++changing;
    steps += host.plan->steps.size();
    lockout += static_cast<std::size_t>(std::count_if(host.plan->steps.begin(), host.plan->steps.end(),
                                                      [](const Step& step) { return step.risk == Risk::kLockout; }));
  }
  std::string text = changing == 0 ? "Nothing to change" : fmt::format("{} on {}", count_of(steps, "step"), count_of(changing, "host"));
  const std::size_t in_sync = hosts.size() - changing - failed;
  if (in_sync > 0) text += fmt::format(", {} in sync", count_of(in_sync, "host"));
  if (failed > 0) text += fmt::format(", {} without a plan", count_of(failed, "host"));
  if (lockout > 0) {
    text += fmt::format("; {} could lock you out and {} reverted unless confirmed over a new connection",
                        count_of(lockout, "step"), lockout == 1 ? "is" : "are");
  }
  return text + ".\n";
}

}  // namespace sentinel
