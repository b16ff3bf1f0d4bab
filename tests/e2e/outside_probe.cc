// SPDX-License-Identifier: Apache-2.0
// The outside probes of sentinelctl by themselves, for tests: {orders: [{probe, with}], exposure, address, ssh_port,
// ca_file, deadline_ms} on standard input, the observations on standard output. Secrets are environment variables of
// their names.
#include <iostream>

#include "cli/outside/observe.h"
#include "core/base/environment.h"

using namespace sentinel;

int main() {
  const auto asked = nlohmann::json::parse(std::cin);
  HostRecord record;
  if (asked.contains("exposure"))
    record.observations["exposure"] = {"exposure", "", asked.at("exposure"), std::nullopt, 0};
  OutsideView view;
  view.address = asked.value("address", "127.0.0.1");
  view.ssh_port = asked.value("ssh_port", std::uint16_t{22});
  view.ca_file = asked.value("ca_file", "");
  view.deadline = std::chrono::milliseconds(asked.value("deadline_ms", 5000));
  view.variable = environment_variable;
  view.secret = [](const std::string& name) -> Result<Secret> {
    auto value = environment_variable(name);
    if (!value) return Error("secret.unset", name + " isn't set");
    return Secret(*std::move(value));
  };
  std::cout << nlohmann::json(observe_outside(asked.at("orders").get<std::vector<ProbeOrder>>(), record, view)) << "\n";
  return 0;
}
