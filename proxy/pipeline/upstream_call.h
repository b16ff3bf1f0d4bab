// SPDX-License-Identifier: Apache-2.0
// One request's way to an upstream and back: attempts, the answer as a whole or as a stream, keep-alive comments, the
// client that leaves, and the use that is accounted in the end.
#pragma once

#include <memory>

#include "proxy/net/sse_reader.h"
#include "proxy/pipeline/generation_handler.h"

namespace sentinel::proxy {

class UpstreamCall {
 public:
  /// All of it outlives the call; `body` is what the client sent.
  UpstreamCall(RequestContext& context, const GenerationShape& shape, const GenerationRequest& request,
               std::string_view body);

  /// Until the client has its answer, or is gone.
  Task<void> run(AttemptSequence& attempts);

 private:
  /// One attempt up to the upstream's head.
  Task<ClientStatus> attempt(const UpstreamTarget& target);
  Task<ClientStatus> send_and_wait(const UpstreamTarget& target);
  /// The head has arrived.
  Task<void> answer_whole();
  Task<void> answer_stream();
  Task<void> answer_upstream_error();
  Task<void> fail(ClientStatus status);
  Task<bool> read_whole(Buffer& answer, std::size_t most);

  /// Passes bytes of a stream on, but for the event that was asked for on the client's behalf.
  void forward(std::string_view bytes);
  bool look_at(const SseEvent& event);
  Task<bool> comment();
  Task<bool> send();
  void begin_stream();
  /// Ends the stream with an error event; its status is spent.
  Task<void> end_with_error(std::string_view code, std::string_view message);

  void client_left();
  void settle();

  bool strips() const { return asked_for_usage_; }

  RequestContext& context_;
  Services& services_;
  const GenerationShape& shape_;
  const GenerationRequest& request_;
  std::string_view body_;
  Wake wake_;
  bool silent_ = false;  ///< a comment is due
  Deadline silence_;
  const UpstreamTarget* target_ = nullptr;
  std::unique_ptr<HttpClientConnection> connection_;
  ResponseHead head_;
  SseReader events_;
  bool asked_for_usage_ = false;  ///< the client didn't
  bool sent_ = false;             ///< the upstream has the request
  bool answering_ = false;        ///< and began to answer it well
  bool done_seen_ = false;
  std::size_t text_bytes_ = 0;
};

}  // namespace sentinel::proxy
