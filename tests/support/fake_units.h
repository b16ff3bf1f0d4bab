// SPDX-License-Identifier: Apache-2.0
// systemd's units and dpkg's packages on a FakeSystem: systemctl answers from and changes files of the fake, so that
// undoing and repeating behave as on a host.
#pragma once

#include <string>
#include <vector>

#include "tests/support/fake_system.h"

namespace sentinel {

struct FakeUnit {
  std::string load = "loaded";       ///< loaded, not-found, masked
  std::string active = "inactive";   ///< active, inactive, failed, activating, reloading
  std::string enabled = "disabled";  ///< UnitFileState
  bool needs_daemon_reload = false;
};

/// Installs the handlers of systemctl; units that aren't put are not found.
void put_systemd(FakeSystem& machine);
/// The unit was last (re)loaded now, by the fake's clock.
void put_unit(FakeSystem& machine, const std::string& name, const FakeUnit& unit);

/// Writes dpkg's status file: names with their status word ("installed", "config-files", "half-configured").
void put_packages(FakeSystem& machine, const std::vector<std::pair<std::string, std::string>>& packages);
/// What an executor's InstallPackages, RemovePackages come to.
void set_packages(FakeSystem& machine, const std::vector<std::string>& names, const std::string& status);

}  // namespace sentinel
