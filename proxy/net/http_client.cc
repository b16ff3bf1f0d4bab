// SPDX-License-Identifier: Apache-2.0
// One request at a time on one connection.
#include "proxy/net/http_client.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sentinel::proxy {
namespace {

constexpr HeadLimits kResponseHeadLimits{std::size_t{64} << 10, 200};
constexpr std::size_t kReadSize = 4096;

}  // namespace

std::string_view client_status_name(ClientStatus status) {
  switch (status) {
    case ClientStatus::kDone: return "done";
    case ClientStatus::kWoken: return "woken";
    case ClientStatus::kCancelled: return "cancelled";
    case ClientStatus::kResolve: return "name not found";
    case ClientStatus::kTls: return "tls failed";
    case ClientStatus::kConnect: return "connection refused";
    case ClientStatus::kTimeout: return "timeout";
    case ClientStatus::kClosed: return "connection closed";
    case ClientStatus::kBadResponse: return "invalid response";
  }
  return "unknown";
}

HttpClientConnection::HttpClientConnection(Loop& loop, Origin origin, Descriptor descriptor)
    : origin_(std::move(origin)), stream_(loop, std::move(descriptor)), out_(stream_), idle_(stream_) {}

Task<ClientStatus> HttpClientConnection::send(std::vector<std::string_view> pieces, ClientTimes times, Wake& wake) {
  ++requests_;
  reusable_ = false;
  answered_ = false;
  waiting_ = false;
  head_size_ = 0;
  scanned_ = 0;
  in_.release();
  for (const std::string_view piece : pieces) out_.add(piece);
  const IoStatus sent = out_.send_now();
  if (sent == IoStatus::kFailed) co_return ClientStatus::kClosed;
  if (sent == IoStatus::kAgain) {
    wake.bind(&stream_);
    const FlushEnd end = co_await out_.flush({.idle = times.idle, .grace = times.idle}, wake.cancelled());
    if (wake.cancelled()) co_return ClientStatus::kCancelled;
    if (end != FlushEnd::kDone) co_return end == FlushEnd::kTooSlow ? ClientStatus::kTimeout : ClientStatus::kClosed;
  }
  co_return ClientStatus::kDone;
}

bool ClientWait::await_ready() {
  if (wake_.cancelled()) return true;
  begun_ = true;
  // A wait that somebody else ended goes on with the time it had.
  if (!std::exchange(connection_.waiting_, true)) connection_.idle_.arm(idle_);
  wake_.bind(&connection_.stream_);
  return wait_.await_ready();
}

ClientStatus ClientWait::await_resume() {
  if (!begun_) return ClientStatus::kCancelled;
  const WaitResult waited = wait_.await_resume();
  wake_.bind(nullptr);
  if (waited == WaitResult::kReady) return ClientStatus::kDone;
  if (wake_.cancelled()) return ClientStatus::kCancelled;
  return connection_.idle_.expired() ? ClientStatus::kTimeout : ClientStatus::kWoken;
}

Task<ClientStatus> HttpClientConnection::read_head(std::string_view method, ResponseHead& head, ClientTimes times,
                                                   Wake& wake) {
  for (;;) {
    if (!in_.empty()) {
      const HeadResult parsed = parse_response_head(in_.view(), scanned_, kResponseHeadLimits, method, head);
      if (parsed.status == HeadStatus::kComplete && head.status < 200) {
        if (head.status == 101) co_return ClientStatus::kBadResponse;
        in_.consume(parsed.size);
        scanned_ = 0;
        continue;
      }
      if (parsed.status == HeadStatus::kComplete) {
        head_size_ = parsed.size;
        body_ = BodyDecoder(head.framing, head.content_length);
        keep_alive_ = head.keep_alive;
        co_return ClientStatus::kDone;
      }
      if (parsed.status != HeadStatus::kIncomplete) co_return ClientStatus::kBadResponse;
    }
    if (stream_.may_read()) {
      // By way of the scratch, so that an idle stream holds no more than its head.
      char* const scratch = stream_.loop().scratch();
      const IoResult read = stream_.read_some({scratch, kReadSize});
      if (read.status == IoStatus::kDone) {
        in_.append({scratch, read.bytes});
        answered_ = true;
        waiting_ = false;
        continue;
      }
      if (read.status != IoStatus::kAgain) co_return ClientStatus::kClosed;
    }
    if (in_.empty()) in_.release();
    const ClientStatus waited = co_await wait_body(times, wake);
    if (waited != ClientStatus::kDone) co_return waited;
  }
}

void HttpClientConnection::forget_head() {
  in_.consume(std::exchange(head_size_, 0));
  if (in_.empty()) in_.release();
}

BodyPiece HttpClientConnection::read_body() {
  if (body_.complete()) {
    // Bytes behind a whole answer were never asked for.
    reusable_ = keep_alive_ && in_.size() == head_size_;
    idle_.disarm();
    return {ClientStatus::kDone, {}, false, true};
  }
  char* const scratch = stream_.loop().scratch();
  std::size_t size = in_.size() - head_size_;
  if (size > 0) {
    size = std::min(size, Loop::kScratch);
    std::memcpy(scratch, in_.data() + head_size_, size);
  } else {
    const IoResult read = stream_.read_some({scratch, Loop::kScratch});
    if (read.status == IoStatus::kAgain) return {ClientStatus::kDone, {}, true, false};
    if (read.status != IoStatus::kDone) {
      const bool orderly = read.status == IoStatus::kEnd && body_.ends_with_close();
      return {orderly ? ClientStatus::kDone : ClientStatus::kClosed, {}, false, orderly};
    }
    size = read.bytes;
    waiting_ = false;
  }
  const BodyResult decoded = body_.decode(scratch, size);
  // What came whole before the framing broke is still the answer's.
  if (decoded.status == BodyStatus::kBad) return {ClientStatus::kBadResponse, {scratch, decoded.body}, false, false};
  bool rest_behind = decoded.consumed < size;
  if (in_.size() > head_size_) {
    // The head's views stay; only what was taken of the bytes behind it goes.
    const std::size_t left = in_.size() - head_size_ - size;
    std::memmove(in_.data() + head_size_, in_.data() + head_size_ + size, left);
    in_.truncate(head_size_ + left);
    if (in_.empty()) in_.release();
    rest_behind = rest_behind || left > 0;
  }
  const bool last = decoded.status == BodyStatus::kComplete;
  if (last) {
    reusable_ = keep_alive_ && !rest_behind;
    idle_.disarm();
  }
  return {ClientStatus::kDone, {scratch, decoded.body}, !last && !rest_behind && !stream_.may_read(), last};
}

ClientWait HttpClientConnection::wait_body(ClientTimes times, Wake& wake) {
  return {*this, times.idle, wake};
}

bool HttpClientConnection::fresh() {
  char byte;
  return reusable_ && (!stream_.may_read() || stream_.read_some({&byte, 1}).status == IoStatus::kAgain);
}

}  // namespace sentinel::proxy
