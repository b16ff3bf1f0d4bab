// SPDX-License-Identifier: Apache-2.0
// The JSON people's scripts read: schema_version at the root, every list item a record, every field always present and
// null when there is nothing to say. docs/formats/output.md describes them; changing a shape is a new schema_version.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/model/event.h"
#include "core/report/host_report.h"

namespace sentinel {

inline constexpr int kSchemaVersion = 1;

/// Keys in the order written here, so that output reads well and compares byte for byte.
using Document = nlohmann::ordered_json;

/// {code, message, position, context, hint, exit, also}; `also` holds the errors after the first. Null without errors.
Document error_record(const Errors& errors);

Document plan_document(const std::vector<HostPlan>& hosts);
Document run_document(const std::vector<HostRun>& hosts);
Document status_document(const std::vector<HostStatus>& hosts);
/// For a command that failed before it came to any host: {schema_version, error}.
Document failure_document(const Errors& errors);

/// One line of `--events`: an event of one host.
Document event_line(const std::string& host, const Event& event);

/// Pretty-printed, or on one line; invalid UTF-8 is replaced.
std::string document_text(const Document& document);
std::string document_line(const Document& document);

}  // namespace sentinel
