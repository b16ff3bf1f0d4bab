// SPDX-License-Identifier: Apache-2.0
// The life of a connection: head, handler, rest of the body, and again.
#include "proxy/net/server_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proxy/net/status_text.h"

namespace sentinel::proxy {
namespace {

constexpr std::size_t kReadSize = 4096;
constexpr std::size_t kMostDiscarded = std::size_t{256} << 10;
constexpr std::chrono::milliseconds kLinger{2000};

int status_of(HeadStatus refused) {
  switch (refused) {
    case HeadStatus::kTooLarge: return 431;
    case HeadStatus::kBadVersion: return 505;
    case HeadStatus::kBadExpect: return 417;
    case HeadStatus::kNotSupported: return 501;
    default: return 400;
  }
}

}  // namespace

ServerConnection::ServerConnection(HttpServer& server, Descriptor descriptor)
    : server_(server), stream_(server.loop_, std::move(descriptor)), out_(stream_), deadline_(stream_) {}

Task<void> ServerConnection::run() {
  for (;;) {
    const Next next = co_await next_request();
    if (next == Next::kEnd) co_return;
    if (next == Next::kRefuse) {
      co_await refuse();
      co_return;
    }
    Exchange exchange(*this);
    co_await server_.handler_.serve(exchange);
    if (broken_) co_return;
    const bool whole = co_await discard_body();
    if (!whole || close_) {
      co_await linger();
      co_return;
    }
    if (!pipelined_.empty()) {
      in_ = std::move(pipelined_);
      pipelined_.release();
    } else {
      in_.release();
    }
  }
}

Task<ServerConnection::Next> ServerConnection::next_request() {
  const ServerLimits& limits = server_.limits_;
  std::size_t scanned = 0;
  deadline_.arm(server_.draining_ ? limits.drain_idle : limits.keep_alive);
  bool first_byte = in_.empty();
  for (;;) {
    if (!in_.empty()) {
      if (first_byte) deadline_.arm(limits.head_time);
      first_byte = false;
      const HeadResult parsed = parse_request_head(in_.view(), scanned, limits.head, head_);
      if (parsed.status == HeadStatus::kComplete) {
        deadline_.disarm();
        body_ = BodyDecoder(head_.framing, head_.content_length);
        // What came behind the head is decoded where it lies; the head's views stay valid in front of it.
        pipelined_.append(in_.view().substr(parsed.size));
        in_.truncate(parsed.size);
        continue_due_ = head_.expects_continue;
        close_ = !head_.keep_alive || server_.draining_ || server_.holding_;
        begun_ = false;
        status_ = 0;
        sent_before_ = out_.bytes_sent();
        co_return Next::kRequest;
      }
      if (parsed.status != HeadStatus::kIncomplete) {
        refusal_ = parsed;
        co_return Next::kRefuse;
      }
    }
    if (stream_.may_read()) {
      // By way of the scratch, so that a connection that waits long afterwards holds no more than its head.
      char* const scratch = server_.loop_.scratch();
      const IoResult read = stream_.read_some({scratch, kReadSize});
      if (read.status == IoStatus::kDone) {
        in_.append({scratch, read.bytes});
        continue;
      }
      if (read.status != IoStatus::kAgain) co_return Next::kEnd;
    }
    if (deadline_.expired()) co_return Next::kEnd;
    if (in_.empty()) in_.release();
    idle_ = in_.empty();
    const WaitResult waited = co_await stream_.wait_readable();
    const bool nudged = std::exchange(idle_, false) && waited == WaitResult::kInterrupted && !deadline_.expired();
    if (nudged && server_.draining_) deadline_.arm(limits.drain_idle);
  }
}

Task<void> ServerConnection::refuse() {
  deadline_.disarm();
  const int status = status_of(refusal_.status);
  const std::string body = server_.handler_.refusal_body(status, refusal_.reason);
  const std::string head =
      fmt::format("HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                  status, status_text(status), body.size());
  out_.add(head);
  out_.add(body);
  if (out_.send_now() == IoStatus::kAgain) co_await out_.flush({.idle = kLinger, .grace = kLinger}, broken_);
  co_await linger();
}

bool ServerConnection::take_body(Buffer& body) {
  const std::size_t before = body.size();
  body.append(pipelined_.view());
  const std::size_t given = pipelined_.size();
  const BodyResult result = body_.decode(body.data() + before, given);
  body.truncate(before + result.body);
  pipelined_.consume(result.consumed);
  return result.status != BodyStatus::kBad;
}

Task<bool> ServerConnection::discard_body() {
  std::size_t discarded = 0;
  Buffer rest;
  if (!body_.complete() && continue_due_) co_return false;
  deadline_.arm(kLinger);  // for all of it: what nobody reads is nobody's to drip
  while (!body_.complete()) {
    const IoResult read = stream_.read_some(pipelined_.prepare(kReadSize));
    if (read.status == IoStatus::kDone) {
      pipelined_.commit(read.bytes);
      discarded += read.bytes;
    } else if (read.status != IoStatus::kAgain || deadline_.expired()) {
      co_return false;
    }
    if (!take_body(rest) || discarded > kMostDiscarded) co_return false;
    rest.truncate(0);
    if (!body_.complete() && read.status == IoStatus::kAgain) {
      co_await stream_.wait_readable();
      if (deadline_.expired()) co_return false;
    }
  }
  deadline_.disarm();
  co_return true;
}

Task<void> ServerConnection::linger() {
  // A close with unread input would reset the connection and may destroy the answer on its way.
  stream_.shutdown_write();
  in_.release();
  pipelined_.release();
  deadline_.arm(kLinger);
  std::size_t read_away = 0;
  while (!deadline_.expired() && read_away < kMostDiscarded) {
    const IoResult read = stream_.read_some({server_.loop_.scratch(), Loop::kScratch});
    if (read.status == IoStatus::kDone) {
      read_away += read.bytes;
      continue;
    }
    if (read.status != IoStatus::kAgain) co_return;
    co_await stream_.wait_readable();
  }
}

std::string ServerConnection::head_text(int status, std::string_view fields) {
  std::string head;
  head.reserve(fields.size() + 128);
  head.append("HTTP/1.1 ")
      .append(std::to_string(status))
      .append(" ")
      .append(status_text(status))
      .append("\r\n")
      .append(fields);
  if (close_) {
    head.append("Connection: close\r\n");
  } else if (head_.minor_version == 0) {
    head.append("Connection: keep-alive\r\n");
  }
  return head;
}

IoStatus ServerConnection::send_pieces(std::string_view end) {
  out_.add(answer_head_);
  const bool framed = chunked_ && written_ > 0;
  if (framed) {
    const auto line_end = fmt::format_to(chunk_line_, "{:x}\r\n", written_);
    out_.add({chunk_line_, static_cast<std::size_t>(line_end - chunk_line_)});
  }
  for (const std::string_view piece : writes_) out_.add(piece);
  if (framed) out_.add("\r\n");
  out_.add(end);
  const IoStatus sent = out_.send_now();
  if (!answer_head_.empty()) {
    // A stream that it has begun may be silent for long.
    answer_head_.clear();
    answer_head_.shrink_to_fit();
  }
  writes_.clear();
  written_ = 0;
  if (sent == IoStatus::kFailed) broken_ = true;
  return sent;
}

const RequestHead& Exchange::head() const {
  return connection_.head_;
}

Stream& Exchange::stream() {
  return connection_.stream_;
}

Loop& Exchange::loop() {
  return connection_.server_.loop_;
}

Task<BodyOutcome> Exchange::read_body(Buffer& body, std::size_t cap) {
  ServerConnection& c = connection_;
  if (c.head_.framing == BodyFraming::kLength && c.head_.content_length > cap) co_return BodyOutcome::kTooLarge;
  if (std::exchange(c.continue_due_, false) && !c.body_.complete() && c.pipelined_.empty()) {
    c.out_.add("HTTP/1.1 100 Continue\r\n\r\n");
    c.out_.send_now();
  }
  const ServerLimits& limits = c.server_.limits_;
  const auto begun = std::chrono::steady_clock::now();
  for (;;) {
    if (!c.take_body(body)) co_return BodyOutcome::kBad;
    if (body.size() > cap) co_return BodyOutcome::kTooLarge;
    if (c.body_.complete()) break;
    char* const scratch = c.server_.loop_.scratch();
    const IoResult read = c.stream_.read_some({scratch, Loop::kScratch});
    if (read.status == IoStatus::kDone) {
      c.pipelined_.append({scratch, read.bytes});
      c.deadline_.disarm();
      continue;
    }
    if (read.status != IoStatus::kAgain) co_return BodyOutcome::kGone;
    if (c.deadline_.expired()) co_return BodyOutcome::kTimeout;
    const auto granted = limits.body_grace + std::chrono::seconds(body.size() / limits.body_rate);
    const auto left = begun + granted - std::chrono::steady_clock::now();
    if (left <= left.zero()) co_return BodyOutcome::kTimeout;
    c.deadline_.arm(std::min(limits.body_idle, std::chrono::ceil<std::chrono::milliseconds>(left)));
    co_await c.stream_.wait_readable();
  }
  c.deadline_.disarm();
  if (c.pipelined_.empty()) c.pipelined_.release();
  co_return BodyOutcome::kComplete;
}

Task<bool> Exchange::respond(int status, std::string_view fields, std::string_view body) {
  ServerConnection& c = connection_;
  c.status_ = status;
  c.begun_ = true;
  if (!c.body_.complete() && c.continue_due_) c.close_ = true;
  c.answer_head_ = c.head_text(status, fields);
  if (status >= 200 && status != 204 && status != 304) {
    c.answer_head_.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  }
  c.answer_head_.append("\r\n");
  c.out_.add(c.answer_head_);
  if (c.head_.method != "HEAD") c.out_.add(body);
  const IoStatus sent = c.out_.send_now();
  if (sent == IoStatus::kAgain) {
    const bool flushed = co_await flush();
    co_return flushed;
  }
  if (sent != IoStatus::kDone) c.broken_ = true;
  co_return sent == IoStatus::kDone;
}

void Exchange::begin(int status, std::string_view fields, std::optional<std::uint64_t> length) {
  ServerConnection& c = connection_;
  c.status_ = status;
  c.begun_ = true;
  const bool bodiless = status == 204 || status == 304;
  c.chunked_ = !length && !bodiless && c.head_.minor_version == 1;
  if (!length && !bodiless && !c.chunked_) c.close_ = true;
  c.answer_head_ = c.head_text(status, fields);
  if (c.chunked_ && !c.close_) c.answer_head_.append("Connection: keep-alive\r\n");
  if (c.chunked_) c.answer_head_.append("Transfer-Encoding: chunked\r\n");
  if (length && !bodiless) c.answer_head_.append("Content-Length: ").append(std::to_string(*length)).append("\r\n");
  c.answer_head_.append("\r\n");
  if (c.head_.method == "HEAD") c.chunked_ = false;
  c.head_.headers = HeaderFields();
}

void Exchange::write(std::string_view bytes) {
  if (bytes.empty()) return;
  connection_.writes_.push_back(bytes);
  connection_.written_ += bytes.size();
}

IoStatus Exchange::send_now() {
  return connection_.send_pieces({});
}

bool Exchange::needs_flush() const {
  return connection_.out_.pending();
}

Task<bool> Exchange::flush() {
  ServerConnection& c = connection_;
  const FlushEnd end = co_await c.out_.flush(c.server_.limits_.write, c.broken_);
  if (end == FlushEnd::kDone) co_return true;
  c.broken_ = true;
  c.too_slow_ = end == FlushEnd::kTooSlow;
  if (c.too_slow_) c.stream_.reset();
  co_return false;
}

Task<bool> Exchange::end() {
  ServerConnection& c = connection_;
  const IoStatus sent = c.send_pieces(c.chunked_ ? "0\r\n\r\n" : "");
  if (sent == IoStatus::kAgain) {
    const bool flushed = co_await flush();
    co_return flushed;
  }
  co_return sent == IoStatus::kDone;
}

void Exchange::abort() {
  connection_.broken_ = true;
  connection_.stream_.close();
}

void Exchange::close_after() {
  connection_.close_ = true;
}

bool Exchange::begun() const {
  return connection_.begun_;
}

bool Exchange::too_slow() const {
  return connection_.too_slow_;
}

int Exchange::status() const {
  return connection_.status_;
}

std::uint64_t Exchange::bytes_sent() const {
  return connection_.out_.bytes_sent() - connection_.sent_before_;
}

}  // namespace sentinel::proxy
