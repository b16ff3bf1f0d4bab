// SPDX-License-Identifier: Apache-2.0
// What is known of a request while it is served; the stages fill it, the access log and the metrics read it at the end.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/json/usage.h"
#include "proxy/net/http_server.h"
#include "proxy/observe/trace_context.h"
#include "proxy/pipeline/services.h"

namespace sentinel::proxy {

struct RequestContext {
  RequestContext(Exchange& exchange_, Services& services_) : exchange(exchange_), services(services_) {}

  Exchange& exchange;
  Services& services;
  std::string_view endpoint = "unknown";  ///< a constant of the route; labels metrics
  std::string id;
  TraceContext trace;
  std::string fields;  ///< header lines that every answer of this request carries, complete with CRLF
  std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
  std::optional<std::chrono::steady_clock::time_point> first_byte;
  Identity identity;
  std::unique_ptr<Reservation> reservation;  ///< what was taken for this request; null: nothing
  std::string model;
  std::string upstream;
  std::string_view error_code;  ///< of the refusal, or of a stream's error event; empty: none
  std::optional<TokenCount> usage;
  bool usage_estimated = false;
  bool streamed = false;
  bool cached = false;  ///< answered from the cache
  bool client_gone = false;

  /// Answers with a JSON body. False: the client is gone.
  Task<bool> answer(int status, std::string body, std::string more_fields = {});
  /// Reads the whole request body; otherwise answers why not, or notes that the client is gone.
  Task<bool> read_body(Buffer& body);
  /// Answers with an error body and remembers its code.
  Task<bool> refuse(int status, std::string_view code, std::string message, std::string more_fields = {});
};

}  // namespace sentinel::proxy
