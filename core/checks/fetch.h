// SPDX-License-Identifier: Apache-2.0
// Answers of the host's own services over HTTP on loopback or a unix socket, as JSON, each with a deadline of its own.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/health/http_exchange.h"

namespace sentinel {

/// @name One answer as JSON
/// A status other than 200 and an answer that is no JSON are errors (`probe.failed`), a service that isn't there is
/// `probe.absent`. `socket` is the path of a unix socket; empty: TCP.
/// @{
Result<nlohmann::json> fetch_json(const HttpRequest& request);
Result<nlohmann::json> fetch_json(const std::string& url, const std::string& socket = {});
/// Nothing when the service says that there is no such thing (404).
Result<std::optional<nlohmann::json>> find_json(const std::string& url, const std::string& socket = {});
/// @}
/// Any text.
Result<std::string> fetch_text(const std::string& url);
/// The status of an answer, whatever it is.
Result<unsigned> fetch_status(const HttpRequest& request);
/// A request with a bearer token; without one when it is empty.
HttpRequest request_with(const std::string& token, const std::string& url, const std::string& socket = {});

}  // namespace sentinel
