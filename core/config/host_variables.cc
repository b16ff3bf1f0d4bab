// SPDX-License-Identifier: Apache-2.0
// Layers from low to high; cli.md's order of precedence is this file's order of calls.
#include "core/config/host_variables.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/suggest.h"
#include "core/config/expand.h"
#include "core/config/fields.h"
#include "core/config/reference.h"
#include "core/config/variables.h"
#include "core/model/json.h"

namespace sentinel {
namespace {

Node setting_defaults() {
  Node out = mapping_node();
  const Schema& project = find_reference("project")->schema;
  for (const char* name : {"app", "health"}) {
    out.entries.push_back({text_node(name), with_defaults(mapping_node(), *project.key(name))});
  }
  return out;
}

Node without_facts(Node vars) {
  std::erase_if(vars.entries, [](const Node::Entry& entry) { return entry.key.text == "facts"; });
  return vars;
}

Value facts_value(const Facts& facts) {
  return nlohmann::json(facts);
}

Value host_value(const Host& host) {
  return {{"name", host.name},
          {"address", host.address},
          {"port", host.port.value_or(kSshPort)},
          {"user", host.user.value_or(kFirstUser)},
          {"tags", host.tags}};
}

}  // namespace

Node merged_variables(const Project& project, const Playbook& playbook, const Host& host) {
  Node out = setting_defaults();
  for (const auto& [name, role] : playbook.all_roles) out = merge_nodes(out, role.vars);
  out = merge_nodes(out, playbook.vars);
  for (const auto& use : playbook.roles) out = merge_nodes(out, use.vars);
  out = merge_nodes(out, without_facts(project.vars));
  out = merge_nodes(out, without_facts(host.vars));
  return merge_nodes(out, project.settings);
}

std::optional<Value> host_scope(const Project& project, const Playbook& playbook, const Host& host, const Facts& facts,
                                Diagnostics& diagnostics) {
  const Value reserved{{"facts", facts_value(facts)}, {"host", host_value(host)}, {"project", project.name}};
  std::vector<std::string> secrets;
  for (const auto& secret : project.secrets) secrets.push_back(secret.name);
  return resolve_variables(merged_variables(project, playbook, host), reserved, secrets, diagnostics);
}

Facts default_facts() {
  Facts out;
  out.os_id = "debian";
  out.os_version = "12";
  out.os_codename = "bookworm";
  out.os_name = "Debian GNU/Linux 12 (bookworm)";
  out.architecture = "x86_64";
  out.kernel = "6.1.0";
  out.hostname = "host";
  out.virtualization = "kvm";
  out.systemd_version = 252;
  out.cpus = 2;
  out.memory_mb = 2048;
  out.ssh_unit = "ssh.service";
  out.ssh_port = 22;
  out.packages_available = {"caddy", "docker-compose", "docker.io", "fail2ban", "prometheus", "redis-server", "ufw"};
  return out;
}

std::optional<Facts> assumed_facts(const Project& project, const Host& host, Diagnostics& diagnostics) {
  const auto reported_before = diagnostics.reported;
  nlohmann::json json(default_facts());
  json["hostname"] = host.name;
  json["addresses"] = {host.address};
  std::vector<std::string> known;
  for (const auto& [name, unused] : json.items()) known.push_back(name);
  const Node given = merge_nodes(mapping_field(project.vars, "facts"), mapping_field(host.vars, "facts"));
  for (const auto& [key, value] : given.entries) {
    const auto fact = json.find(key.text);
    if (fact == json.end()) {
      diagnostics.add(
          Error("facts.unknown", fmt::format("there is no fact '{}'", key.text), did_you_mean(key.text, known))
              .at(key.position()));
      continue;
    }
    // `os_version: 12` means the text "12".
    const bool text = fact->is_string() && value.is_scalar();
    const nlohmann::json wanted = text ? nlohmann::json(value.text) : nlohmann::json(to_value(value));
    const bool number = fact->is_number() && wanted.is_number_integer() && wanted.get<std::int64_t>() >= 0;
    if (wanted.type() != fact->type() && !number) {
      diagnostics.add(Error("facts.type", fmt::format("the fact '{}' can't be {}", key.text, describe(value)))
                          .at(value.position()));
      continue;
    }
    *fact = wanted;
  }
  auto facts = decode<Facts>(json);
  if (!facts.ok())
    diagnostics.add(std::move(facts).error().during(fmt::format("reading the facts assumed for host {}", host.name)));
  if (diagnostics.reported > reported_before) return {};
  return std::move(facts).value();
}

}  // namespace sentinel
