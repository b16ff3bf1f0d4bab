// SPDX-License-Identifier: Apache-2.0
// How records become bytes; only the journal's writer and its tests need it.
#pragma once

#include <string>

#include "core/engine/journal.h"

namespace sentinel::journal {

/// Signature and version: what every log begins with.
std::string first_line();
/// One record as a line. `chain` is the checksum of the record before it (empty for the first) and becomes this one's.
std::string line_of(const Record& record, std::string& chain);

}  // namespace sentinel::journal
