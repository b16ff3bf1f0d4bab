// SPDX-License-Identifier: Apache-2.0
// `sentinel-agent serve`: one conversation with sentinelctl on stdin and stdout. It plans in this process, and hands what is
// to be done to a transaction of its own unit, whose events it relays.
#pragma once

#include "core/base/exit_code.h"

namespace sentinel::agent {

ExitCode serve();

}  // namespace sentinel::agent
