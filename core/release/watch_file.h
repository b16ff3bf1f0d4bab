// SPDX-License-Identifier: Apache-2.0
// What the host's watch is told: the settings of the release in force. They are a file of the release, so going back
// to a release goes back to its watch.
#pragma once

#include "core/model/release.h"
#include "core/system/system.h"

namespace sentinel {

/// Puts the release's watch.json in place and has the watch begin anew with it, where it differs from what stands
/// there. Can be repeated. A release without one leaves the watch as it is.
Result<void> install_watch(System& machine, const Release& release);

}  // namespace sentinel
