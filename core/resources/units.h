// SPDX-License-Identifier: Apache-2.0
// What systemd knows about units: one `systemctl show` for as many as are asked about, and its output as values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/resources/look.h"
#include "core/system/reader.h"

namespace sentinel {

struct UnitStatus {
  std::string load_state;    ///< loaded, not-found, masked, bad-setting, error
  std::string active_state;  ///< active, reloading, inactive, failed, activating, deactivating
  std::string sub_state;
  std::string file_state;  ///< enabled, disabled, static, masked, generated …; empty for a unit that isn't there
  bool needs_daemon_reload = false;  ///< its file changed on disk since systemd read it
  std::uint32_t main_pid = 0;        ///< of a service that runs
  std::int64_t changed_ns = 0;       ///< last change of state, a reload included; nanoseconds since 1970, 0 for never

  bool is_found() const { return load_state != "not-found"; }

  bool is_active() const { return active_state == "active" || active_state == "reloading"; }

  bool is_masked() const { return load_state == "masked" || file_state == "masked" || file_state == "masked-runtime"; }

  bool operator==(const UnitStatus&) const = default;
};

/// Asks about all of them at once; the names must be valid. Every name asked for is in the answer, also aliases and
/// units that don't exist. Error `systemd.unreachable` when systemctl fails.
Result<std::map<std::string, UnitStatus>> show_units(const std::vector<std::string>& names, Reader& machine);

/// From one shared question about all units the Look expects; a unit nobody expected is asked about by itself.
Result<UnitStatus> unit_status(Look& look, const std::string& name);

/// Blocks of `systemctl show` output in the order of `names`; `systemd.malformed` when their number differs.
Result<std::map<std::string, UnitStatus>> parse_units(const std::vector<std::string>& names, std::string_view output);

/// "Sat 2026-11-21 01:57:23.107938 UTC" to nanoseconds since 1970; 0 for an empty text or "n/a". Without a fraction
/// (systemd before 248) the end of that second, so that what was written just before is not taken for later.
Result<std::int64_t> parse_unit_time(std::string_view text);

/// systemd.unit(5): allowed characters, at most 255, and a known suffix.
bool is_unit_name(std::string_view name);

}  // namespace sentinel
