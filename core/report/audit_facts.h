// SPDX-License-Identifier: Apache-2.0
// What a finding has to say beside its title, as labelled lines. The formats that have one place for text (JUnit, TAP,
// SARIF, OSCAL, Markdown, HTML) say the same things in the same order.
#pragma once

#include <string>
#include <vector>

#include "core/model/audit.h"

namespace sentinel {

struct FindingFact {
  std::string label;  ///< "found", "wanted", "when", "reason", "seen", "trap", "waiver", "why", "repair"
  std::string text;   ///< as it came: untrusted, to be escaped by the format
};

/// Found first, then what was wanted, the evidence, traps, a waiver, and what to do. Nothing empty.
std::vector<FindingFact> facts_of(const Finding& finding);

/// "found: ...", one fact a line, printable; no newline at the end.
std::string facts_text(const Finding& finding);

/// What the finding is about in one line: what was found, else why it was not judged.
std::string gist_of(const Finding& finding);

/// "2 worse, 1 better since 2026-11-25"; empty when nothing changed.
std::string delta_text(const AuditDelta& delta);

/// "000-02 pass -> fail, 000-05 not asked -> unknown"; printable.
std::string changes_text(const std::vector<VerdictChange>& changes);

}  // namespace sentinel
