// SPDX-License-Identifier: Apache-2.0
// Plain system calls on a descriptor that Asio's reactor watches.
#include "proxy/net/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

namespace sentinel::proxy {
namespace {

IoResult outcome(ssize_t moved) {
  if (moved > 0) return {IoStatus::kDone, static_cast<std::size_t>(moved)};
  if (moved == 0) return {IoStatus::kEnd};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {IoStatus::kAgain};
  return {IoStatus::kFailed};
}

int family_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  return getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) == 0 ? address.ss_family : AF_UNIX;
}

}  // namespace

Stream::Stream(Loop& loop, Descriptor descriptor) : loop_(loop), socket_(loop.context()) {
  const int family = family_of(descriptor.get());
  if (family != AF_UNIX) {
    const int on = 1;
    setsockopt(descriptor.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  boost::system::error_code failed;
  socket_.assign(asio::generic::stream_protocol(family, 0), descriptor.get(), failed);
  if (!failed) descriptor.release();
}

Stream::~Stream() = default;

void Stream::start_tls(std::shared_ptr<TlsTrust> trust, const Origin& origin) {
  tls_ = std::make_unique<TlsConnection>(std::move(trust), origin, socket_.native_handle());
}

IoResult Stream::read_some(std::span<char> room) {
  if (tls_ != nullptr) return tls_->read(room);
  return outcome(::recv(socket_.native_handle(), room.data(), room.size(), MSG_DONTWAIT));
}

IoResult Stream::write_some(std::span<const iovec> pieces) {
  if (tls_ != nullptr) return tls_->write(pieces);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  return outcome(::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL));
}

Task<WaitResult> Stream::wait_readable() {
  return wait(direction(Socket::wait_read));
}

Task<WaitResult> Stream::wait_writable() {
  return wait(direction(Socket::wait_write));
}

Task<WaitResult> Stream::wait_handshake() {
  return wait(direction(Socket::wait_read));
}

Socket::wait_type Stream::direction(Socket::wait_type plain) const {
  // Reading may have to send first, and the other way round.
  if (tls_ == nullptr || tls_->wants() == TlsConnection::Wants::kNothing) return plain;
  return tls_->wants() == TlsConnection::Wants::kWrite ? Socket::wait_write : Socket::wait_read;
}

Task<WaitResult> Stream::wait(Socket::wait_type what) {
  if (!interrupted_ && socket_.is_open()) {
    co_await socket_.async_wait(what, kUseTask);
  }
  const bool was = std::exchange(interrupted_, false);
  co_return was || !socket_.is_open() ? WaitResult::kInterrupted : WaitResult::kReady;
}

void Stream::interrupt() {
  interrupted_ = true;
  boost::system::error_code ignored;
  if (socket_.is_open()) socket_.cancel(ignored);
}

bool Stream::peer_gone() {
  char byte;
  const ssize_t seen = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return seen == 0 || (seen < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

void Stream::shutdown_write() {
  ::shutdown(socket_.native_handle(), SHUT_WR);
}

void Stream::close() {
  tls_.reset();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

Descriptor Stream::release() {
  boost::system::error_code failed;
  return Descriptor(socket_.release(failed));
}

struct PeerWatch::State {
  Stream* stream;  ///< null once the watch has ended
  Gone gone;
  void* owner;
};

namespace {

template <typename State>
void watch(const std::shared_ptr<State>& state) {
  state->stream->socket().async_wait(Socket::wait_read, [state](const boost::system::error_code& error) {
    if (error || state->stream == nullptr) return;
    if (state->stream->peer_gone()) state->gone(state->owner);
  });
}

}  // namespace

PeerWatch::PeerWatch(Stream& stream, Gone gone, void* owner)
    : stream_(stream),
      gone_(gone),
      owner_(owner),
      beginning_(
          stream.loop().deadlines(), [](void* self) { static_cast<PeerWatch*>(self)->begin(); }, this) {
  beginning_.arm(DeadlineWheel::kTick);
}

void PeerWatch::begin() {
  if (!stream_.socket().is_open()) return;
  state_ = std::make_shared<State>(State{&stream_, gone_, owner_});
  watch(state_);
}

PeerWatch::~PeerWatch() {
  if (state_ == nullptr) return;
  boost::system::error_code ignored;
  if (state_->stream->socket().is_open()) state_->stream->socket().cancel(ignored);
  state_->stream = nullptr;
}

}  // namespace sentinel::proxy
