// SPDX-License-Identifier: Apache-2.0
// Who sets a kernel parameter after us at boot: files of sysctl.d(5) whose names sort later, and UFW, which sets its
// own when it starts. The live value then differs from the file people look at.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/system/reader.h"

namespace sentinel {

struct SysctlLine {
  std::string key;  ///< dotted
  std::string value;
  std::string file;
  int line = 0;  ///< from 1

  bool operator==(const SysctlLine&) const = default;
};

/// Lines below /etc that are read after `path` and give one of `values`' keys another value. Patterns don't count: an
/// explicit key wins over them wherever it stands.
Result<std::vector<SysctlLine>> later_lines(const std::string& path, const std::map<std::string, std::string>& values,
                                            Reader& machine);

/// Assignments of a text, with both ways to write keys ("net.ipv4.x", "net/ipv4/x").
std::vector<SysctlLine> parse_sysctl(const std::string& text, const std::string& file);

/// Leading and trailing whitespace gone, any other as one space: the kernel writes tabs where people write spaces.
std::string folded(const std::string& value);

}  // namespace sentinel
