// SPDX-License-Identifier: Apache-2.0
// The journal's reader: any bytes are a reading, a torn tail or an error. The input is tried as a whole log and, since
// its checksums hardly ever survive a mutation, as payloads that are framed here with checksums that hold.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/engine/journal.h"
#include "core/engine/journal_format.h"
#include "core/model/json.h"

namespace {

using namespace sentinel;

void demand(bool holds) {
  if (!holds) std::abort();
}

void try_log(const std::string& bytes) {
  const auto reading = journal::read(bytes);
  if (!reading.ok()) {
    demand(reading.error().exit == ExitCode::kStuck);
    return;
  }
  demand(reading->valid_bytes <= bytes.size());
  (void)journal::summarize(reading->records);
  // What was read is read again from what is intact, and nothing less.
  const auto again = journal::read(bytes.substr(0, reading->valid_bytes));
  demand(again.ok() && again->records.size() == reading->records.size() && again->chain == reading->chain);
  // And every record can be written and read back.
  std::string rewritten = journal::first_line();
  std::string chain;
  for (const auto& record : reading->records) rewritten += journal::line_of(record, chain);
  const auto third = journal::read(rewritten);
  demand(third.ok() && third->records.size() == reading->records.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  try_log(input);
  std::string framed = journal::first_line();
  std::string chain;
  for (std::size_t from = 0; from < input.size();) {
    const auto to = std::min(input.find('\n', from), input.size());
    framed += journal::frame(input.substr(from, to - from), chain);
    from = to + 1;
  }
  try_log(framed);
  return 0;
}
