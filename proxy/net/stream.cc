// SPDX-License-Identifier: Apache-2.0
// Plain system calls on a descriptor that the worker's loop watches.
#include "proxy/net/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sentinel::proxy {
namespace {

constexpr std::size_t kGathered = 1024;

IoResult outcome(ssize_t moved) {
  if (moved > 0) return {IoStatus::kDone, static_cast<std::size_t>(moved)};
  if (moved == 0) return {IoStatus::kEnd};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {IoStatus::kAgain};
  return {IoStatus::kFailed};
}

}  // namespace

Stream::Stream(Loop& loop, Descriptor descriptor) : loop_(loop), descriptor_(std::move(descriptor)), standing_(loop) {
  // Those that aren't TCP refuse, which costs less than to ask first what they are.
  const int on = 1;
  setsockopt(descriptor_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!loop_.watch(descriptor_.get(), *this)) descriptor_.close();
}

Stream::~Stream() {
  close();
}

void Stream::start_tls(std::shared_ptr<TlsTrust> trust, const Origin& origin) {
  tls_ = std::make_unique<TlsConnection>(std::move(trust), origin, descriptor_.get());
}

IoStatus Stream::handshake() {
  return tried({tls_->handshake()}, true).status;
}

IoResult Stream::read_some(std::span<char> room) {
  if (tls_ != nullptr) return tried(tls_->read(room), true);
  const IoResult read = outcome(::recv(descriptor_.get(), room.data(), room.size(), MSG_DONTWAIT));
  // Less than there was room for: that was all, what comes later is an edge of its own.
  if (read.status == IoStatus::kDone && read.bytes < room.size()) readable_ = false;
  return tried(read, true);
}

IoResult Stream::write_some(std::span<const iovec> pieces) {
  if (tls_ != nullptr) return tried(tls_->write(pieces), false);
  // A few small pieces cost less copied together than handed over as a list.
  std::array<char, kGathered> together;
  std::size_t size = 0;
  for (const iovec& piece : pieces) size += piece.iov_len;
  if (size <= together.size()) {
    char* end = together.data();
    for (const iovec& piece : pieces) end = std::copy_n(static_cast<const char*>(piece.iov_base), piece.iov_len, end);
    return tried(outcome(::send(descriptor_.get(), together.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL)), false);
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  return tried(outcome(::sendmsg(descriptor_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL)), false);
}

IoResult Stream::tried(IoResult result, bool reading) {
  if (result.status == IoStatus::kAgain) (reads_next(reading) ? readable_ : writable_) = false;
  return result;
}

StreamWait Stream::wait_readable() {
  return {*this, reads_next(true)};
}

StreamWait Stream::wait_writable() {
  return {*this, reads_next(false)};
}

StreamWait Stream::wait_handshake() {
  return {*this, reads_next(true)};
}

bool Stream::reads_next(bool plain) const {
  // Inside TLS reading may have to send first, and the other way round.
  if (tls_ == nullptr || tls_->wants() == TlsConnection::Wants::kNothing) return plain;
  return tls_->wants() != TlsConnection::Wants::kWrite;
}

void Stream::happened(std::uint32_t events) {
  const bool ended = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  ended_ = ended_ || ended;
  readable_ = readable_ || (events & EPOLLIN) != 0;
  writable_ = writable_ || (events & EPOLLOUT) != 0;
  // The watch may end what waits, the waiting task the stream: last, therefore.
  if (watch_ != nullptr && may_read()) watch_->look();
  if (standing_.waiting() && may_try(reading_)) standing_.resume();
}

void Stream::interrupt() {
  interrupted_ = true;
  standing_.resume_soon();
}

bool Stream::peer_gone() {
  char byte;
  const ssize_t seen = ::recv(descriptor_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return seen == 0 || (seen < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

void Stream::shutdown_write() {
  ::shutdown(descriptor_.get(), SHUT_WR);
}

void Stream::close() {
  tls_.reset();
  release();
}

void Stream::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(descriptor_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

Descriptor Stream::release() {
  if (descriptor_.valid()) loop_.forget(descriptor_.get(), *this);
  standing_.resume_soon();
  return std::move(descriptor_);
}

PeerWatch::PeerWatch(Stream& stream, Gone gone, void* owner) : stream_(stream), gone_(gone), owner_(owner) {
  stream_.watch_ = this;
  // Of what was heard before nobody will tell again.
  if (stream_.may_read()) look();
}

PeerWatch::~PeerWatch() {
  stream_.watch_ = nullptr;
}

void PeerWatch::look() {
  if (!stream_.peer_gone()) return;
  stream_.watch_ = nullptr;
  gone_(owner_);
}

}  // namespace sentinel::proxy
