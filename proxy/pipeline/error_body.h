// SPDX-License-Identifier: Apache-2.0
// The proxy's own error bodies: {"error":{"code","message","details"?}}, and the events that take their place in a
// stream.
#pragma once

#include <string>
#include <string_view>

#include "proxy/limits/rate_limiter.h"
#include "proxy/limits/reservations.h"

namespace sentinel::proxy {

std::string error_body(std::string_view code, std::string_view message);
/// RATE_LIMIT_EXCEEDED with its details.
std::string rate_limit_body(const RateVerdict& verdict);
/// RATE_LIMIT_EXCEEDED or QUOTA_EXCEEDED with its details.
std::string limit_body(const LimitRefusal& refusal);
std::string_view limit_code(const LimitRefusal& refusal);
/// The 404 of a path outside the API; it has a `type` and no details.
std::string unknown_endpoint_body(std::string_view method, std::string_view path);
/// The fields of every stream's head.
inline constexpr std::string_view kStreamFields =
    "Content-Type: text/event-stream\r\nCache-Control: no-cache\r\nX-Accel-Buffering: no\r\n";
/// Keeps a silent stream's connection open.
inline constexpr std::string_view kKeepAliveComment = ": keep-alive\n\n";
/// A whole event for a stream whose status is spent: {"error":{"message","type":"stream_error","code"}}.
std::string error_event(std::string_view code, std::string_view message);

}  // namespace sentinel::proxy
