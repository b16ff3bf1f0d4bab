// SPDX-License-Identifier: Apache-2.0
// A gate's verdict for people, for scripts and for CI servers.
#pragma once

#include <string>

#include "core/model/health.h"
#include "core/report/documents.h"

namespace sentinel {

/// {schema_version, healthy, reason, elapsed_ms, probes: [record], error: null}
Document gate_document(const GateVerdict& verdict);

/// A line per probe, and one with the verdict.
std::string gate_text(const GateVerdict& verdict);

/// One test suite with a test case per probe, as CI servers read it. A probe that did not pass is a failure with its
/// last answer; a verdict against healthy probes (the process ended) is a failing test case of its own. The form is
/// that of https://github.com/testmoapp/junitxml.
std::string junit_text(const GateVerdict& verdict, const std::string& suite);

}  // namespace sentinel
