// SPDX-License-Identifier: Apache-2.0
// Resources go along with the probes, so that a finding can say what bootstrap would change. No secret's value does.
#include "cli/audit_hosts.h"

#include <fmt/format.h>

#include "cli/outside/observe.h"
#include "cli/survey_hosts.h"
#include "core/audit/audit.h"
#include "core/config/expand.h"

namespace sentinel {
namespace {

Result<void> ask_host(const Workspace& workspace, const Host& host, const std::vector<ChecklistItem>& items,
                      HostConnection& connection, Access& access, HostCase& out) {
  Diagnostics diagnostics;
  auto expansion =
      expand(workspace.project, workspace.playbook, host, connection.hello().facts, workspace.assets, {}, diagnostics);
  std::optional<std::vector<Control>> controls;
  if (expansion) controls = expand_checklists(items, expansion->variables, host.name, workspace.assets, diagnostics);
  if (!controls) {
    out.errors.insert(out.errors.end(), diagnostics.errors.begin() + 1, diagnostics.errors.end());
    return diagnostics.errors.front();
  }
  out.controls = std::move(*controls);
  AuditRequest request;
  request.host = host.name;
  for (auto& order : orders_for(out.controls)) {
    if (!is_outside_probe(order.probe)) request.probes.push_back(std::move(order));
  }
  request.resources = std::move(expansion->request.resources);
  request.secrets = std::move(expansion->request.secrets);
  request.keep_open = {fmt::format("{}", next_door(access, host).port)};
  SENTINEL_TRY(out.record, connection.agent().audit(request));
  return {};
}

}  // namespace

Result<std::vector<HostCase>> ask_for_records(const Context& context, const Workspace& workspace,
                                              const std::vector<ChecklistItem>& items) {
  std::vector<HostCase> cases(workspace.hosts.size());
  for (std::size_t i = 0; i < cases.size(); ++i) cases[i].record.host = workspace.hosts[i]->name;
  HostQuestion question;
  question.failed = [&](std::size_t i, Error error) {
    cases[i].errors.insert(cases[i].errors.begin(), std::move(error));
  };
  question.ask = [&](std::size_t i, HostConnection& connection, Access& access) {
    return ask_host(workspace, *workspace.hosts[i], items, connection, access, cases[i]);
  };
  SENTINEL_CHECK(ask_hosts(context, workspace, question));
  return cases;
}

AuditReport judge_cases(const std::vector<HostCase>& cases, const std::string& profile, const std::string& project,
                        const std::string& taken_at) {
  AuditReport report;
  report.profile = profile;
  report.project = project;
  report.taken_at = taken_at;
  for (const auto& host : cases) {
    if (host.errors.empty()) {
      report.hosts.push_back(judge_all(host.controls, host.record));
    } else {
      HostAudit missed;
      missed.host = host.record.host;
      missed.errors = host.errors;
      report.hosts.push_back(std::move(missed));
    }
  }
  return report;
}

}  // namespace sentinel
