// SPDX-License-Identifier: Apache-2.0
#include "proxy/observe/trace_context.h"

#include <algorithm>

#include "proxy/observe/request_id.h"

namespace sentinel::proxy {
namespace {

constexpr std::size_t kLength = 55;  // 00-<32>-<16>-<2>
constexpr std::size_t kMostState = 512;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char letter) { return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f'); });
}

bool is_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

bool is_traceparent(std::string_view text) {
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const std::string_view version = text.substr(0, 2);
  if (!is_hex(version) || version == "ff") return false;
  // A later version may bring more fields.
  if (text.size() > kLength && (version == "00" || text[kLength] != '-')) return false;
  const std::string_view trace = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  return is_hex(trace) && !is_zero(trace) && is_hex(parent) && !is_zero(parent) && is_hex(text.substr(53, 2));
}

}  // namespace

std::string TraceContext::traceparent() const {
  std::string text;
  text.reserve(kLength);
  text.append("00-").append(trace_id).append("-").append(span_id).append("-").append(flags);
  return text;
}

TraceContext trace_context(std::optional<std::string_view> traceparent, std::optional<std::string_view> tracestate) {
  TraceContext context;
  context.span_id = random_hex(16);
  if (!traceparent || !is_traceparent(*traceparent)) {
    context.trace_id = random_hex(32);
    context.flags = "00";
    return context;
  }
  context.trace_id = traceparent->substr(3, 32);
  context.parent_id = traceparent->substr(36, 16);
  context.flags = traceparent->substr(53, 2);
  if (tracestate && tracestate->size() <= kMostState) context.state = *tracestate;
  return context;
}

}  // namespace sentinel::proxy
