// SPDX-License-Identifier: Apache-2.0
// The facts of an agent's hello. Every group is a few reads and a pure parser; no process is started, since all of this
// happens before the first byte goes to the operator.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/model/facts.h"
#include "core/system/reader.h"

namespace sentinel {

/// What only system calls tell.
struct ProcessView {
  int pid = 0;
  std::string architecture;  ///< uname -m
  std::string kernel;        ///< uname -r
  std::string hostname;
  std::map<std::string, std::string> environment;  ///< only SSH_CONNECTION
  std::vector<std::string> addresses;              ///< global ones of all interfaces, sorted
};

ProcessView this_process();

/// What can't be found out stays empty: facts never fail.
Facts collect_facts(Reader& machine, const ProcessView& process);

}  // namespace sentinel
