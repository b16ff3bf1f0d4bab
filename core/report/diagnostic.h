// SPDX-License-Identifier: Apache-2.0
// Errors as people read them: code, message, the line with a caret, what was being done, what to try.
#pragma once

#include <string>

#include "core/base/error.h"

namespace sentinel {

struct DiagnosticStyle {
  bool color = false;
};

/// Several lines, each ended by a newline. Control characters of the shown texts are made visible, so that a file can't
/// write to the terminal.
std::string render_error(const Error& error, const DiagnosticStyle& style = {});
/// The same headed "warning".
std::string render_warning(const Error& warning, const DiagnosticStyle& style = {});
/// All of them with an empty line between, and a last line that counts them ("2 errors") when there are several.
std::string render_errors(const Errors& errors, const DiagnosticStyle& style = {});

}  // namespace sentinel
