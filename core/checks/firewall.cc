// SPDX-License-Identifier: Apache-2.0
// ufw:       FirewallState of core/resources: files, policies, rules, and how the kernel differs from them
// netfilter: {backends: [{backend: nf_tables|legacy, family: v4|v6, tables: {filter: {INPUT: {policy, rules:
// [text]}}}}]} Legacy tables are asked for only where the kernel has some: asking would load their modules.
#include "core/resources/firewall.h"

#include <fmt/format.h>

#include "core/checks/exposure.h"
#include "core/checks/families.h"
#include "core/checks/network_setup.h"
#include "core/checks/sockets.h"
#include "core/model/json.h"

namespace sentinel {
namespace {

using nlohmann::json;

constexpr std::size_t kMostRuleBytes = 2U << 20;

Result<Answer> look_at_ufw(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto state, observe(Firewall{}, inquiry.look));
  return Answer{state, "/etc/ufw, /etc/default/ufw, iptables-save, ip6tables-save"};
}

json tables_json(const std::map<std::string, FilterTable>& tables) {
  auto out = json::object();
  for (const auto& [name, table] : tables) {
    auto& chains = out[name] = json::object();
    for (const auto& [chain, content] : table.chains) {
      chains[chain] = {{"policy", content.policy}, {"rules", content.rules}};
    }
  }
  return out;
}

void add_backends(const std::vector<SavedTables>& saved, const char* family, json& backends) {
  for (std::size_t i = 0; i < saved.size(); ++i) {
    backends.push_back(
        {{"backend", i == 0 ? "nf_tables" : "legacy"}, {"family", family}, {"tables", tables_json(saved[i])}});
  }
}

Result<Answer> look_at_netfilter(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto* rules, saved_rules(inquiry.look));
  auto backends = json::array();
  add_backends(rules->v4, "v4", backends);
  add_backends(rules->v6, "v6", backends);
  if (backends.empty())
    return Error("probe.absent", "this host has no iptables: nothing filters, or another program does");
  json value{{"backends", std::move(backends)}};
  if (const auto size = to_text(value).size(); size > kMostRuleBytes)
    return Error("probe.too-large", fmt::format("the kernel has {} bytes of rules", size));
  return Answer{std::move(value), "iptables-nft-save, ip6tables-nft-save, and the legacy ones"};
}

Result<Answer> look_at_sockets(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto* sockets, listening_sockets(inquiry.look));
  return Answer{{{"sockets", *sockets}}, "/proc/net, /proc/*/fd"};
}

Result<Answer> look_at_exposure(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto setup, read_network_setup(inquiry.look));
  return Answer{{{"reach", predict_exposure(setup)}, {"sockets", setup.sockets}},
                "rules, translations and sockets of this host, joined"};
}

}  // namespace

HostProbes firewall_probes() {
  return {{"exposure", look_at_exposure},
          {"netfilter", look_at_netfilter},
          {"sockets", look_at_sockets},
          {"ufw", look_at_ufw}};
}

}  // namespace sentinel
