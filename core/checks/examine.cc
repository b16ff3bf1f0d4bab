// SPDX-License-Identifier: Apache-2.0
// Probes and resources share one Look: what several of them need is read once.
#include "core/checks/examine.h"

#include <fmt/format.h>

#include "core/checks/probe.h"

namespace sentinel {
namespace {

constexpr std::size_t kShownBytes = 200;

std::string in_one_line(const Change& change) {
  if (change.sensitive) return change.attribute;
  const bool long_text = change.before.find('\n') != std::string::npos ||
                         change.after.find('\n') != std::string::npos ||
                         change.before.size() + change.after.size() > kShownBytes;
  if (long_text) return change.attribute;
  return fmt::format("{}: {} -> {}", change.attribute, change.before.empty() ? "nothing" : change.before,
                     change.after.empty() ? "nothing" : change.after);
}

void look_at(const Resource& resource, Survey& survey, HostRecord& record) {
  const auto state = survey.observe(resource.body);
  if (!state.ok()) {
    record.unplanned[resource.id] = state.error().message;
    return;
  }
  const auto step = survey.plan(resource, *state);
  if (!step.ok()) {
    record.unplanned[resource.id] = step.error().message;
  } else if (step->changes.empty()) {
    record.in_place.push_back(resource.id);
  } else {
    auto& changes = record.pending[resource.id];
    for (const auto& change : step->changes) changes.push_back(in_one_line(change));
  }
}

}  // namespace

HostRecord examine(const AuditRequest& request, Surroundings surroundings, const Facts& facts) {
  HostRecord record;
  record.host = request.host;
  record.facts = facts;
  Survey survey(std::move(surroundings));
  survey.prefetch(request.resources);
  Look& look = survey.look();
  for (const auto& order : request.probes) {
    for (const auto& unit : Inquiry{look, facts, order.with}.list("units")) look.expect_unit(unit);
  }
  for (const auto& resource : request.resources) look_at(resource, survey, record);
  for (const auto& order : request.probes) record.observations[order.probe] = ask(order, look, facts);
  return record;
}

}  // namespace sentinel
