// SPDX-License-Identifier: Apache-2.0
// The evidence bundle: everything a report was made from, so that it can be made again, offline and to the same bytes,
// and so that a byte that was changed since is found and its record named. docs/formats/bundle.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/model/audit.h"
#include "core/model/observation.h"

namespace sentinel {

/// What is known of one host before anything is judged.
struct HostEvidence {
  std::string host;
  std::string asked_at;            ///< RFC 3339, UTC, by the operator's clock
  std::uint64_t duration_ms = 0;   ///< from the first attempt to connect to the last answer, also from outside
  std::vector<Control> controls;   ///< after expansion, in the checklist's order
  std::vector<Waiver> waivers;     ///< those of this host
  std::vector<PastAudit> history;  ///< oldest first
  HostRecord record;               ///< with the observations from outside; empty with errors
  Errors errors;                   ///< the host could not be asked

  bool operator==(const HostEvidence&) const = default;
};

struct EvidenceBundle {
  std::string version;  ///< of sentinelctl
  std::string project;
  std::string profile;
  std::string taken_at;  ///< RFC 3339, UTC: when the audit began; waivers are measured by it
  std::vector<HostEvidence> hosts;

  bool operator==(const EvidenceBundle&) const = default;
};

/// One line per record: the SHA-256 of its JSON, a space, the JSON, which names the SHA-256 of the record before.
std::string evidence_text(const EvidenceBundle& bundle);

/// SHA-256 of the last record: whoever keeps it elsewhere can tell that a bundle is the one that was written.
std::string evidence_head(std::string_view text);

/// Error `evidence.damaged` names the first record that is not as it was written, `evidence.unreadable` anything that
/// is no bundle of this version; both usage.
Result<EvidenceBundle> read_evidence(std::string_view text);

}  // namespace sentinel
