// SPDX-License-Identifier: Apache-2.0
// What sshd itself says is in force: one `sshd -T`, read once per Look.
#pragma once

#include <map>
#include <string>

#include "core/resources/look.h"

namespace sentinel {

struct SshdReport {
  bool installed = false;
  std::string problem;                        ///< why sshd refuses its configuration; empty: it doesn't
  std::map<std::string, std::string> values;  ///< by keyword; several lines of one keyword joined by spaces
};

Result<const SshdReport*> sshd_report(Look& look);

/// Output of `sshd -T`: "keyword value" lines.
std::map<std::string, std::string> parse_sshd_report(const std::string& text);

}  // namespace sentinel
