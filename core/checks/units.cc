// SPDX-License-Identifier: Apache-2.0
// units: {"ssh.service": {load, active, sub, file_state, needs_daemon_reload, changed_ns}}
#include "core/resources/units.h"

#include "core/checks/families.h"

namespace sentinel {
namespace {

Result<Answer> look_at_units(const Inquiry& inquiry) {
  Answer out{nlohmann::json::object(), "systemctl show"};
  for (const auto& name : inquiry.list("units")) {
    if (!is_unit_name(name)) return Error("probe.order", "not the name of a unit: " + name);
    SENTINEL_TRY(const auto unit, unit_status(inquiry.look, name));
    out.value[name] = {{"load", unit.load_state},
                       {"active", unit.active_state},
                       {"sub", unit.sub_state},
                       {"file_state", unit.file_state},
                       {"needs_daemon_reload", unit.needs_daemon_reload},
                       {"changed_ns", unit.changed_ns}};
  }
  return out;
}

}  // namespace

HostProbes unit_probes() {
  return {{"units", look_at_units}};
}

}  // namespace sentinel
