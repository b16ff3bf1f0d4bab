// SPDX-License-Identifier: Apache-2.0
// `sentinel-agent rollback [RELEASE]`: a rollout ordered on the host itself, without network or sentinelctl. It runs in
// a transaction's unit like any other, and this process follows it to its end.
#pragma once

#include <string>

#include "core/base/exit_code.h"

namespace sentinel::agent {

/// `release` may be empty: the last confirmed one before the current. `app` may be empty when the host has only one.
ExitCode roll_back_locally(const std::string& app, const std::string& release);

}  // namespace sentinel::agent
