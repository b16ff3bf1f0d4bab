// SPDX-License-Identifier: Apache-2.0
// What the build puts into the program (cmake/embed.cmake): it works as a single file, without anything beside it.
#pragma once

#include <vector>

#include "core/config/assets.h"

namespace sentinel {

const std::vector<EmbeddedFile>& manual_files();    ///< cli/commands/<name>.md
const std::vector<EmbeddedFile>& template_files();  ///< templates/**
const std::vector<EmbeddedFile>& playbook_files();  ///< playbooks/**

}  // namespace sentinel
