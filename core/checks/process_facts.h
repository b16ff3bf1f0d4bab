// SPDX-License-Identifier: Apache-2.0
// What the kernel says of a process (proc(5)): its confinement is what these files say, whatever a unit or a compose
// file asked for.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/base/secret.h"
#include "core/system/reader.h"

namespace sentinel {

/// {pid, exe, exe_deleted, uid, no_new_privs, seccomp, cap_effective, cap_bounding: hex text, root_read_only,
///  tmp: {type, options, place: device and root of what is mounted there, shared: it is the host's} | null}
Result<nlohmann::json> process_facts(int pid, Reader& machine);

/// {NAME: secret shape} of its environment.
Result<nlohmann::json> environment_shape(int pid, const Secret& host_key, Reader& machine);

/// Lines of /proc/<pid>/status as text by key.
nlohmann::json parse_process_status(const std::string& text);
/// {root_read_only, tmp} of /proc/<pid>/mountinfo.
nlohmann::json parse_mounts(const std::string& text);

}  // namespace sentinel
