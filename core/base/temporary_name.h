// SPDX-License-Identifier: Apache-2.0
// Names for files that are written beside their place and then renamed into it. Only a crash leaves one behind, and it
// is known by its form.
#pragma once

#include <string>
#include <string_view>

namespace sentinel {

/// A fresh path in the directory of `path` for what is to become `path`.
std::string temporary_name(const std::string& path);

/// Whether an entry of a directory is such a temporary of the file `name` there (empty: of any file).
bool is_temporary_name(std::string_view entry, std::string_view name);

}  // namespace sentinel
