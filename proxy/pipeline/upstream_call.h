// SPDX-License-Identifier: Apache-2.0
// One request's way to an upstream: attempts in turn, the client that leaves meanwhile, the silence that asks for a
// keep-alive comment, and the answer's body on its way to the client. What is sent and what an answer means is the
// business of the calls derived from it.
#pragma once

#include <memory>

#include "proxy/pipeline/request_context.h"

namespace sentinel::proxy {

/// What goes upstream, but for what every request carries.
struct OutgoingRequest {
  std::string_view method = "POST";
  std::string target;             ///< behind the base's path, query included
  std::string_view content_type;  ///< empty: no such field
  std::vector<std::string_view> body;
  std::size_t body_size = 0;
  /// Only who passes the answer on unread may let the upstream encode it.
  std::string_view accept_encoding = "identity";
};

class UpstreamCall {
 public:
  explicit UpstreamCall(RequestContext& context);
  virtual ~UpstreamCall();
  UpstreamCall(const UpstreamCall&) = delete;
  UpstreamCall& operator=(const UpstreamCall&) = delete;

  /// The process ends: the call ends as soon as it can, with an error.
  void cut();

 protected:
  enum class RelayEnd {
    kWhole,   ///< all was passed on but for the end of the answer: end() it
    kBroken,  ///< the upstream closed, or broke its framing
    kSilent,  ///< the upstream sent nothing for too long
    kGone,    ///< the client left
    kCut,     ///< cut() was called
  };

  /// Views stay valid until the call ends or the next attempt asks again.
  virtual OutgoingRequest outgoing(const UpstreamTarget& target) = 0;
  /// The client was silent towards for a whole interval; does what is to be done about it. False: the client is gone.
  virtual Task<bool> break_silence();
  /// Queues a piece of the body for the client, and at its end what was held back.
  virtual void pass_on(std::string_view bytes);

  virtual void pass_rest() {}

  /// Until an answer's head has arrived, good or bad (kDone), or nothing is left to try.
  Task<ClientStatus> open(AttemptSequence& attempts);
  /// After open() without an answer, and nothing sent to the client: 502, or 503 with Retry-After when everybody who
  /// could answer is left alone just now.
  Task<bool> refuse_unanswered();
  /// Passes the body on as it comes. The answer has been begun.
  Task<RelayEnd> relay();
  /// Of the answer's head only status and framing are looked at from now on; what held its fields goes.
  void forget_head();
  /// Reads the body whole; false when it breaks off or is larger than `most`.
  Task<bool> read_whole(Buffer& answer, std::size_t most);
  /// Sends what was written. False: the client is gone.
  Task<bool> send();
  void note_sent(bool heard);
  /// Calls break_silence() whenever nothing was sent to the client for an interval.
  void watch_silence();
  /// The connection may serve another request, if its answer was read to the end.
  void keep_connection();

  /// Drops the connection, which ends the upstream's work.
  void drop_connection() { connection_.reset(); }

  RequestContext& context_;
  Services& services_;
  ResponseHead head_;
  const UpstreamTarget* target_ = nullptr;  ///< of the last attempt; valid as long as the attempts
  bool sent_ = false;                       ///< an upstream has the request
  bool cut_ = false;

 private:
  Task<ClientStatus> attempt(const UpstreamTarget& target);
  Task<ClientStatus> send_and_wait(const UpstreamTarget& target);
  Task<bool> look_at_silence();
  /// Before the same upstream is asked again.
  Task<void> wait_a_little();

  Wake wake_;
  ClientTimes times_;  ///< the last target's
  PeerWatch watch_;
  bool watches_silence_ = false;
  bool silent_ = false;  ///< an interval has passed
  Deadline silence_;
  std::unique_ptr<HttpClientConnection> connection_;
  std::optional<std::chrono::seconds> resting_;  ///< nobody was asked, and won't be for that long
};

/// Seconds of the upstream's Retry-After, when it gives seconds.
std::optional<std::chrono::seconds> retry_after(const ResponseHead& head);

/// Its body is compressed.
bool is_encoded(const ResponseHead& head);

}  // namespace sentinel::proxy
