// SPDX-License-Identifier: Apache-2.0
// A line is {"previous": <digest of the line before>, "entry": {...}}; its digest is taken over its bytes without
// newline.
#include "core/engine/audit_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/digest.h"
#include "core/model/json.h"
#include "core/model/json_fields.h"

namespace sentinel {
namespace {

const std::string kFirst(64, '0');

}  // namespace

SENTINEL_JSON_FIELDS(AuditEntry, time, transaction, operator_name, purpose, project, outcome, generation, changed,
                     reason)

struct AuditLog::Chain {
  std::vector<AuditEntry> entries;
  std::vector<std::string> digests{kFirst};  // of nothing, then of each line
  std::string intact;                        // bytes of whole lines
  bool torn = false;
};

AuditLog::AuditLog(System& machine, StateDirectory directory) : machine_(machine), directory_(std::move(directory)) {}

Result<AuditLog::Chain> AuditLog::load() {
  Chain chain;
  auto bytes = machine_.read_file(directory_.audit_log());
  if (!bytes.ok() && bytes.error().code == "system.ENOENT") return chain;
  if (!bytes.ok()) return std::move(bytes).error().during("reading the audit log");
  const auto end = bytes->rfind('\n');
  chain.intact = end == std::string::npos ? "" : bytes->substr(0, end + 1);
  chain.torn = chain.intact.size() != bytes->size();
  for (std::size_t from = 0; from < chain.intact.size();) {
    const auto to = chain.intact.find('\n', from);
    const auto line = chain.intact.substr(from, to - from);
    from = to + 1;
    const Error broken("audit.broken",
                       fmt::format("line {} of {} does not continue the line before it", chain.entries.size() + 1,
                                   directory_.audit_log()),
                       "somebody changed the file; what was recorded up to that line still holds");
    const auto json = parse_json(line);
    if (!json.ok() || !json->is_object() || !json->contains("entry")) return broken;
    if (json->value("previous", nlohmann::json()) != chain.digests.back()) return broken;
    auto entry = decode<AuditEntry>(json->at("entry"));
    if (!entry.ok()) return broken;
    chain.entries.push_back(std::move(entry).value());
    chain.digests.push_back(sha256_hex(line));
  }
  return chain;
}

Result<void> AuditLog::append(const AuditEntry& entry) {
  SENTINEL_TRY(auto chain, load());
  if (!chain.entries.empty() && chain.entries.back().transaction == entry.transaction) return {};
  if (chain.torn) SENTINEL_CHECK(machine_.replace_file(directory_.audit_log(), chain.intact, {0, 0, 0600}));
  const auto line = to_text({{"previous", chain.digests.back()}, {"entry", entry}});
  return machine_.append_file(directory_.audit_log(), line + "\n");
}

Result<std::vector<AuditEntry>> AuditLog::read() {
  SENTINEL_TRY(auto chain, load());
  return std::move(chain.entries);
}

Result<std::string> AuditLog::head() {
  SENTINEL_TRY(const auto chain, load());
  return chain.digests.back();
}

Result<bool> AuditLog::contains_head(const std::string& head) {
  SENTINEL_TRY(const auto chain, load());
  return std::find(chain.digests.begin(), chain.digests.end(), head) != chain.digests.end();
}

}  // namespace sentinel
