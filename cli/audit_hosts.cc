// SPDX-License-Identifier: Apache-2.0
// Resources go along with the probes, so that a finding can say what bootstrap would change. No secret's value does.
#include "cli/audit_hosts.h"

#include <fmt/format.h>

#include "cli/check_history.h"
#include "cli/outside/observe.h"
#include "cli/secret_vault.h"
#include "cli/survey_hosts.h"
#include "core/audit/audit.h"
#include "core/audit/judgement.h"
#include "core/base/clock.h"
#include "core/base/environment.h"
#include "core/config/expand.h"
#include "core/config/waiver_check.h"

namespace sentinel {
namespace {

/// What the outside probes have to know of a host. Secrets are read when a probe needs one.
OutsideView view_of(const Workspace& workspace, const Host& host, Access& access, SecretVault& vault) {
  OutsideView view;
  view.address = host.address;
  view.ssh_port = next_door(access, host).port;
  view.ca_file = environment_variable("SSL_CERT_FILE").value_or("");
  view.variable = environment_variable;
  view.secret = [&workspace, &vault](const std::string& name) -> Result<Secret> {
    const auto* source = workspace.project.find_secret(name);
    if (source == nullptr) return Error("outside.no-key", "the project has no secret '" + name + "'");
    Diagnostics diagnostics;
    auto values = vault.values_for({source->spec()}, diagnostics);
    if (!diagnostics.errors.empty()) return diagnostics.errors.front();
    const auto found = values.find(name);
    if (found == values.end())
      return Error("outside.no-key", "the secret '" + name + "' is made on the host: nobody here has it");
    return std::move(found->second);
  };
  return view;
}

Result<void> ask_host(const Workspace& workspace, const Host& host, const std::vector<ChecklistItem>& items,
                      HostConnection& connection, Access& access, SecretVault& vault, HostEvidence& out) {
  Diagnostics diagnostics;
  auto expansion =
      expand(workspace.project, workspace.playbook, host, connection.hello().facts, workspace.assets, {}, diagnostics);
  std::optional<std::vector<Control>> controls;
  if (expansion) controls = expand_checklists(items, expansion->variables, host.name, workspace.assets, diagnostics);
  if (!controls) {
    out.errors.insert(out.errors.end(), diagnostics.errors.begin() + 1, diagnostics.errors.end());
    return diagnostics.errors.front();
  }
  drop_absent_steps(*controls, expansion->request.resources);
  out.controls = std::move(*controls);
  AuditRequest request;
  request.host = host.name;
  const auto orders = orders_for(out.controls);
  for (const auto& order : orders) {
    if (!is_outside_probe(order.probe)) request.probes.push_back(order);
  }
  request.resources = std::move(expansion->request.resources);
  request.secrets = std::move(expansion->request.secrets);
  request.keep_open = {fmt::format("{}", next_door(access, host).port)};
  SENTINEL_TRY(out.record, connection.agent().audit(request));
  out.record.observations.merge(observe_outside(orders, out.record, view_of(workspace, host, access, vault)));
  return {};
}

std::vector<std::string> judgement_names() {
  std::vector<std::string> out;
  for (const auto& judgement : judgements()) out.emplace_back(judgement.name);
  return out;
}

}  // namespace

std::optional<std::vector<ChecklistItem>> load_profile(const Workspace& workspace, const std::string& profile,
                                                       const std::string& taken_at, Diagnostics& diagnostics) {
  auto items = load_checklists(workspace.assets, profile, judgement_names(), diagnostics);
  if (!items || workspace.project.waivers.empty()) return items;
  const auto all = load_checklists(workspace.assets, kDefaultProfile, judgement_names(), diagnostics);
  if (!all) return std::nullopt;
  std::vector<std::string> controls;
  for (const ChecklistItem& item : *all) controls.push_back(item.control.id);
  const std::size_t reported = diagnostics.reported;
  check_waivers(workspace.project, controls, taken_at.substr(0, 10), diagnostics);
  if (diagnostics.reported > reported) return std::nullopt;
  return items;
}

Result<std::vector<HostEvidence>> ask_for_evidence(const Context& context, const Workspace& workspace,
                                                   const std::string& profile,
                                                   const std::vector<ChecklistItem>& items) {
  std::vector<HostEvidence> hosts(workspace.hosts.size());
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const std::string& name = workspace.hosts[i]->name;
    hosts[i].host = name;
    hosts[i].record.host = name;
    hosts[i].waivers = waivers_of(workspace.project, name);
    hosts[i].history = load_history(workspace.project.directory, name, profile);
  }
  SecretVault vault(workspace.project);
  HostQuestion question;
  question.failed = [&](std::size_t i, Error error) {
    hosts[i].errors.insert(hosts[i].errors.begin(), std::move(error));
  };
  question.ask = [&](std::size_t i, HostConnection& connection, Access& access) {
    hosts[i].asked_at = to_rfc3339(SystemClock().now());
    return ask_host(workspace, *workspace.hosts[i], items, connection, access, vault, hosts[i]);
  };
  question.ended = [&](std::size_t i, std::chrono::milliseconds took) {
    hosts[i].duration_ms = static_cast<std::uint64_t>(took.count());
  };
  SENTINEL_CHECK(ask_hosts(context, workspace, question));
  return hosts;
}

}  // namespace sentinel
