// SPDX-License-Identifier: Apache-2.0
// Answers of the host's own services over HTTP on loopback or a unix socket, as JSON, each with a deadline of its own.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "core/base/result.h"

namespace sentinel {

/// GET; a status other than 200 and an answer that is no JSON are errors (`probe.failed`), a service that isn't there
/// is `probe.absent`. `socket` is the path of a unix socket; empty: TCP.
Result<nlohmann::json> fetch_json(const std::string& url, const std::string& socket = {});
/// The same, any text.
Result<std::string> fetch_text(const std::string& url, const std::string& socket = {});
/// The status of an answer, whatever it is; with a bearer token when one is given.
Result<unsigned> fetch_status(const std::string& url, const std::string& token, const std::string& socket);

}  // namespace sentinel
