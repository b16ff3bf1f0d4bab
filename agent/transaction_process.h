// SPDX-License-Identifier: Apache-2.0
// `sentinel-agent transaction ID`: the process that holds the lease and changes the host, in a unit of its own. It is told
// what to do over its socket and then goes by its own rules, whatever becomes of the session.
#pragma once

#include <string>

#include "core/base/exit_code.h"

namespace sentinel::agent {

ExitCode run_transaction_process(const std::string& transaction);

}  // namespace sentinel::agent
