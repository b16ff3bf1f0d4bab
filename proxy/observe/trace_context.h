// SPDX-License-Identifier: Apache-2.0
// W3C trace context: the trace a request belongs to goes on upstream with a span of the proxy's own. A client's
// traceparent is taken when it is well-formed (version 00, or a later one read as 00); otherwise a trace begins here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sentinel::proxy {

struct TraceContext {
  std::string trace_id;   ///< 32 lower-case hexadecimal digits, not all zero
  std::string parent_id;  ///< the client's span, 16 digits; empty: the trace begins here
  std::string span_id;    ///< ours
  std::string flags;      ///< two digits, as the client set them; "00" for a trace of our own
  std::string state;      ///< the client's tracestate, passed on unread; empty: none

  /// The value of the traceparent field for what is called on this request's behalf.
  std::string traceparent() const;
};

TraceContext trace_context(std::optional<std::string_view> traceparent, std::optional<std::string_view> tracestate);

}  // namespace sentinel::proxy
