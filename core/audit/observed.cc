// SPDX-License-Identifier: Apache-2.0
// Controls that a probe's values decide by themselves: each named value has to be what the checklist says.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/audit/families.h"
#include "core/audit/ruling.h"
#include "core/audit/times.h"

namespace sentinel {
namespace {

using nlohmann::json;

std::string shown(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Whether a time (RFC 3339, UTC) is at most so many seconds before the audit; nothing when it is no time.
std::optional<bool> is_recent(const json& seen, const json& seconds, const std::string& taken_at) {
  const auto then = seen.is_string() ? nanoseconds_of(seen.get<std::string>()) : std::nullopt;
  const auto now = nanoseconds_of(taken_at);
  if (!then || !now) return std::nullopt;
  return *now - *then <= seconds.get<std::int64_t>() * 1'000'000'000;
}

/// A value or a list of those that are good; {min}, {max}, {not} and {contains} compare, {max_age_s} a time.
Result<bool> is_as_expected(const json& seen, const json& wanted, const std::string& taken_at) {
  if (wanted.is_array()) return std::find(wanted.begin(), wanted.end(), seen) != wanted.end();
  if (!wanted.is_object()) return seen == wanted;
  for (const auto& [how, bound] : wanted.items()) {
    if (how == "max_age_s") {
      const auto recent = is_recent(seen, bound, taken_at);
      if (!recent) return Error("audit.unseen", fmt::format("'{}' is no time", shown(seen)));
      if (!*recent) return false;
      continue;
    }
    const bool holds = how == "min"        ? seen.is_number() && seen >= bound
                       : how == "max"      ? seen.is_number() && seen <= bound
                       : how == "not"      ? seen != bound
                       : how == "contains" ? seen.is_array() && std::find(seen.begin(), seen.end(), bound) != seen.end()
                                           : false;
    if (how != "min" && how != "max" && how != "not" && how != "contains")
      return Error("audit.unseen", fmt::format("the control compares by '{}', which nobody knows", how));
    if (!holds) return false;
  }
  return true;
}

/// with: {probe, order: what the probe has to know, expect: {"/pointer": value}}
Result<Judged> judge_values(const Case& subject) {
  const auto probe = subject.with().at("probe").get<std::string>();
  const auto& expect = subject.with().at("expect");
  if (expect.empty()) return Error("audit.unseen", "the control expects nothing");
  SENTINEL_TRY(const auto* value, subject.seen(probe));
  std::string expected;
  for (const auto& [pointer, wanted] : expect.items())
    expected += fmt::format("{}{} {}", expected.empty() ? "" : ", ", pointer.substr(1), shown(wanted));
  Ruling ruling(expected);
  for (const auto& [pointer, wanted] : expect.items()) {
    const json::json_pointer place(pointer);
    const auto name = pointer.substr(1);
    if (!value->contains(place) || value->at(place).is_null()) {
      ruling.cannot_tell(fmt::format("{} says nothing of {}", probe, name));
      continue;
    }
    const auto& seen = value->at(place);
    ruling.saw(probe, fmt::format("{} {}", name, shown(seen)), subject.origin(probe));
    const auto good = is_as_expected(seen, wanted, subject.record().taken_at);
    if (!good.ok()) {
      ruling.cannot_tell(good.error().message);
    } else if (!*good) {
      ruling.fault(fmt::format("{} is {}", name, shown(seen)), Persistence::kNone);
    }
  }
  return std::move(ruling).close("as expected");
}

std::vector<ProbeOrder> ask(const json& with) {
  if (!with.contains("probe")) return {};
  return {{with.at("probe").get<std::string>(), with.value("order", json::object())}};
}

}  // namespace

std::vector<Judgement> observed_judgements() {
  return {{"observed-values", ask, judge_values}};
}

}  // namespace sentinel
