// SPDX-License-Identifier: Apache-2.0
// audit.log: one JSON line per finished transaction, each naming the digest of the line before it. Whoever keeps the
// head (the CLI does) can tell when history was rewritten.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/engine/state_directory.h"

namespace sentinel {

/// One finished transaction.
struct AuditEntry {
  std::string time;  ///< RFC 3339, of the end
  std::string transaction;
  std::string operator_name;
  std::string purpose;
  std::string project;
  std::string outcome;               ///< changed, reverted, stuck
  std::uint64_t generation = 0;      ///< in force afterwards
  std::vector<std::string> changed;  ///< step ids that were acted on
  std::string reason;                ///< why it was reverted; empty otherwise

  bool operator==(const AuditEntry&) const = default;
};

void to_json(nlohmann::json& json, const AuditEntry& value);
void from_json(const nlohmann::json& json, AuditEntry& value);

class AuditLog {
 public:
  AuditLog(System& machine, StateDirectory directory);

  /// Appends one line, chained to the last; an entry for a transaction that is already the last line's is not repeated.
  Result<void> append(const AuditEntry& entry);
  /// All entries, oldest first, the chain verified: `audit.broken` names the line. An incomplete last line is dropped.
  Result<std::vector<AuditEntry>> read();
  /// Digest of the last line; 64 zeros for an empty log.
  Result<std::string> head();
  /// True when `head` occurs in the chain: the log was only ever appended to since.
  Result<bool> contains_head(const std::string& head);

 private:
  struct Chain;
  Result<Chain> load();

  System& machine_;
  StateDirectory directory_;
};

}  // namespace sentinel
