// SPDX-License-Identifier: Apache-2.0
// An AuditReport in each format but `human` (audit_text.h) and `json` (audit_document.h). Pure: the same report gives
// the same bytes. Text of hosts is untrusted and escaped as each format needs. docs/formats/check-reports.md says what
// stands where.
#pragma once

#include <string>

#include "core/model/audit.h"

namespace sentinel {

/// JUnit XML as Jenkins, GitLab and others read it: a suite per host; fail is a failure, unknown an error, not
/// applicable and waived are skipped. A host that could not be audited is a suite with one error.
std::string junit_text(const AuditReport& report);

/// SARIF 2.1.0 (OASIS). One run; a rule per control, a result per finding, waivers as accepted suppressions.
std::string sarif_text(const AuditReport& report);

/// CommonMark with GitHub's tables: for a job summary or a ticket.
std::string markdown_report(const AuditReport& report);

/// TAP version 13; a test per finding, details as YAML.
std::string tap_text(const AuditReport& report);

/// Prometheus' text format, for the textfile collector of node exporter.
std::string prometheus_text(const AuditReport& report);

/// OSCAL assessment results 1.1.2 (NIST), JSON. A result per host. Identifiers are made of what they name (UUID version
/// 5), so the same report has the same.
std::string oscal_text(const AuditReport& report);

/// One page that needs nothing else: no script, no request, no font. Light and dark, phone and paper.
std::string html_text(const AuditReport& report);

}  // namespace sentinel
