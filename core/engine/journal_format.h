// SPDX-License-Identifier: Apache-2.0
// How records become bytes; only the journal's writer and tests need it.
#pragma once

#include <string>
#include <string_view>

#include "core/engine/journal.h"

namespace sentinel::journal {

/// Signature and version: what every log begins with.
std::string first_line();
/// One record as a line. `chain` is the checksum of the record before it (empty for the first) and becomes this one's.
std::string line_of(const Record& record, std::string& chain);

/// The same for a payload that is JSON text already.
std::string frame(std::string_view payload, std::string& chain);

}  // namespace sentinel::journal
