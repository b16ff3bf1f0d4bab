// SPDX-License-Identifier: Apache-2.0
// `sentinel-agent recover`: finishes or reverts what an interrupted transaction left. Run by units at boot and after a
// transaction's death, or by a person.
#pragma once

#include "core/base/exit_code.h"

namespace sentinel::agent {

enum class RecoveryScope {
  kFilesOnly,   ///< early boot: files, no programs, no jobs of systemd
  kEverything,
};

ExitCode recover(RecoveryScope scope);

}  // namespace sentinel::agent
