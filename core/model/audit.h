// SPDX-License-Identifier: Apache-2.0
// The answer of `check`: a finding for each control on each host. Reports in core/report render it;
// docs/formats/check.md describes its JSON.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/model/control.h"

namespace sentinel {

enum class Verdict { kPass, kFail, kWarn, kUnknown, kNotApplicable, kWaived };

inline constexpr EnumNames<Verdict, 6> kVerdictNames{{{Verdict::kPass, "pass"},
                                                      {Verdict::kFail, "fail"},
                                                      {Verdict::kWarn, "warn"},
                                                      {Verdict::kUnknown, "unknown"},
                                                      {Verdict::kNotApplicable, "not-applicable"},
                                                      {Verdict::kWaived, "waived"}}};

/// Where what was found holds: in the running system, after a reboot, or both. For a pass it is where the wanted state
/// holds; for a fail, where the fault does. kNone: the question has no such sides (or was not answered).
enum class Persistence { kBoth, kRuntimeOnly, kBootOnly, kNone };

inline constexpr EnumNames<Persistence, 4> kPersistenceNames{{{Persistence::kBoth, "both"},
                                                              {Persistence::kRuntimeOnly, "runtime-only"},
                                                              {Persistence::kBootOnly, "boot-only"},
                                                              {Persistence::kNone, "none"}}};

/// One thing that was seen and mattered.
struct Evidence {
  std::string probe;   ///< "sshd.effective"
  std::string value;   ///< as text: "passwordauthentication yes"
  std::string origin;  ///< "/etc/ssh/sshd_config.d/50-cloud-init.conf:3", "sshd -T -C addr=10.1.2.3"

  bool operator==(const Evidence&) const = default;
};

/// A trap with a name: a known way for a host to look right and be wrong, or a recipe that breaks it.
struct Trap {
  std::string name;    ///< "cloud-init-password", documented in docs/checks.md
  std::string cause;   ///< what is so on this host
  std::string repair;  ///< what to do

  bool operator==(const Trap&) const = default;
};

/// A finding that is accepted for a while. It turns fail and warn into waived, nothing else.
struct Waiver {
  std::string control;
  std::string hosts;  ///< a host pattern as for --host; empty: all
  std::string owner;
  std::string reason;
  std::string until;  ///< a day, UTC, inclusive: "2027-01-31"

  bool operator==(const Waiver&) const = default;
};

struct Finding {
  Control control;
  Verdict verdict = Verdict::kUnknown;
  Persistence persistence = Persistence::kNone;
  std::string expected;
  std::string actual;
  std::string
      reason;  ///< of unknown and not-applicable: "probe-failed: ...", "stack: no Grafana"; of a waived one its reason
  std::vector<Evidence> evidence;
  std::vector<Trap> traps;
  std::optional<Waiver> waiver;  ///< the one that applies, or the expired one that no longer does
  bool waiver_expired = false;
  std::uint64_t duration_us = 0;  ///< of the probes it rests on

  bool operator==(const Finding&) const = default;
};

/// How much of a section holds. Rows that don't apply count nowhere; a waived one applies and has not passed.
struct SectionScore {
  std::string section;
  std::uint32_t passed = 0;
  std::uint32_t applicable = 0;

  bool operator==(const SectionScore&) const = default;
};

/// What is remembered of an earlier audit of a host: enough to say what changed since, and for a line over time.
struct PastAudit {
  std::string taken_at;  ///< RFC 3339, UTC
  std::string profile;
  std::vector<SectionScore> sections;       ///< in the checklist's order
  std::map<std::string, Verdict> verdicts;  ///< by control id

  bool operator==(const PastAudit&) const = default;
};

/// A control that was judged otherwise before.
struct VerdictChange {
  std::string control;
  std::optional<Verdict> before;  ///< missing: the earlier audit didn't ask
  Verdict now = Verdict::kUnknown;

  bool operator==(const VerdictChange&) const = default;
};

/// An audit beside an earlier one of the same host.
struct AuditDelta {
  std::string taken_at;               ///< of the earlier one
  std::vector<VerdictChange> worse;   ///< regressions: failures, warnings and unknowns that were not there before
  std::vector<VerdictChange> better;  ///< what was repaired

  bool operator==(const AuditDelta&) const = default;
};

struct HostAudit {
  std::string host;
  std::string taken_at;                      ///< RFC 3339, UTC
  std::uint64_t duration_ms = 0;             ///< from connecting to the last answer
  std::vector<Finding> findings;             ///< in the checklist's order
  Errors errors;                             ///< the host could not be audited at all: unreachable, no agent
  std::vector<PastAudit> history;            ///< earlier audits of this profile, oldest first
  std::optional<AuditDelta> since_last;      ///< missing: this is the first
  std::optional<AuditDelta> since_baseline;  ///< with --baseline
};

struct AuditReport {
  std::string version;  ///< of the sentinelctl that asked
  std::string profile;
  std::string project;
  std::string taken_at;  ///< RFC 3339, UTC: when the audit began
  std::vector<HostAudit> hosts;
};

/// Sections in the checklist's order.
std::vector<SectionScore> section_scores(const HostAudit& audit);

void to_json(nlohmann::json& json, const Waiver& value);
void from_json(const nlohmann::json& json, Waiver& value);
void to_json(nlohmann::json& json, const SectionScore& value);
void from_json(const nlohmann::json& json, SectionScore& value);
void to_json(nlohmann::json& json, const PastAudit& value);
void from_json(const nlohmann::json& json, PastAudit& value);

}  // namespace sentinel
