// SPDX-License-Identifier: Apache-2.0
// A part of a playbook that can be applied alone: some steps and what they need.
#pragma once

#include <string>
#include <vector>

#include "core/config/expand.h"

namespace sentinel {

/// Leaves in `expansion` the resources named by `steps` ("ssh/drop-in") and what they need: the steps of their own role
/// that come before them (packages, directories, accounts), and for a step of sshd every user and key before it, since
/// a stricter sshd lets in nobody who isn't there yet. Contents and secrets that nothing uses any more go. Names of
/// steps the host doesn't have are returned.
std::vector<std::string> narrow(Expansion& expansion, const std::vector<std::string>& steps);

}  // namespace sentinel
