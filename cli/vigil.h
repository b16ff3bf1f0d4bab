// SPDX-License-Identifier: Apache-2.0
// Connections that nobody uses for a while answer their peers' keepalives: while a person reads, or while other hosts
// are worked on. Their sessions are used by this thread alone then.
#pragma once

#include <thread>
#include <vector>

#include "cli/run.h"

namespace sentinel {

class Vigil {
 public:
  explicit Vigil(std::vector<HostTask*> tasks);

 private:
  std::jthread thread_;
};

}  // namespace sentinel
