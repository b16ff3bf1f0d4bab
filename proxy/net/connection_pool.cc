// SPDX-License-Identifier: Apache-2.0
// Connecting and keeping. The newest idle connection is used first, so that the others grow old and go. Of several
// addresses each but the last gets a second; the one that worked is tried first from then on.
#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/net/http_client.h"
#include "proxy/net/resolve.h"

namespace sentinel::proxy {
namespace {

constexpr std::chrono::milliseconds kOneOfSeveral{1000};
constexpr std::chrono::milliseconds kReapEvery{5000};

ClientStatus connect_error(int descriptor) {
  int error = 0;
  socklen_t length = sizeof error;
  const bool known = getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0;
  return known && error == 0 ? ClientStatus::kDone : ClientStatus::kConnect;
}

std::chrono::milliseconds until(std::chrono::steady_clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  return std::max(left, std::chrono::milliseconds(1));
}

}  // namespace

ConnectionPool::ConnectionPool(Loop& loop, Network* network, PoolLimits limits)
    : loop_(loop),
      network_(network),
      limits_(limits),
      reaper_(
          loop.deadlines(), [](void* self) { static_cast<ConnectionPool*>(self)->reap(); }, this) {}

Task<Connected> ConnectionPool::acquire(Origin origin, ClientTimes times, Wake& wake, bool only_new) {
  if (const auto found = idle_.find(origin.text()); found != idle_.end() && !only_new) {
    auto& idle = found->second;
    const auto oldest = std::chrono::steady_clock::now() - limits_.idle_time;
    while (!idle.empty()) {
      std::unique_ptr<HttpClientConnection> connection = std::move(idle.back());
      idle.pop_back();
      const bool young = connection->idle_since > oldest;
      if (young && connection->fresh()) co_return Connected{ClientStatus::kDone, std::move(connection)};
    }
  }
  Connected connected = co_await connect(std::move(origin), times, wake);
  co_return connected;
}

Task<Connected> ConnectionPool::connect(Origin origin, ClientTimes times, Wake& wake) {
  const Time end = std::chrono::steady_clock::now() + times.connect;
  if (origin.tls && (network_ == nullptr || network_->trust() == nullptr))
    co_return Connected{ClientStatus::kTls, nullptr};
  const Addresses addresses =
      co_await resolve(loop_, network_ == nullptr ? nullptr : &network_->names, origin.host, end, wake);
  ClientStatus status = ClientStatus::kResolve;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    if (wake.cancelled()) break;
    const bool last = i + 1 == addresses.size();
    const Time one_end = last ? end : std::min(end, std::chrono::steady_clock::now() + kOneOfSeveral);
    Connected connected = co_await connect_to(Endpoint(addresses[i], origin.port), origin, one_end, wake);
    status = connected.status;
    if (status == ClientStatus::kDone && i > 0) network_->names.prefer(origin.host, addresses[i]);
    if (status == ClientStatus::kDone) co_return connected;
  }
  if (wake.cancelled()) status = ClientStatus::kCancelled;
  const bool unreachable = status == ClientStatus::kConnect || status == ClientStatus::kTimeout;
  if (unreachable && network_ != nullptr) network_->names.distrust(origin.host);
  co_return Connected{status, nullptr};
}

Task<Connected> ConnectionPool::connect_to(Endpoint endpoint, const Origin& origin, Time end, Wake& wake) {
  Descriptor descriptor(::socket(endpoint.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!descriptor.valid()) co_return Connected{ClientStatus::kConnect, nullptr};
  const int raw = descriptor.get();
  const bool at_once = ::connect(raw, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0;
  if (!at_once && errno != EINPROGRESS) co_return Connected{ClientStatus::kConnect, nullptr};
  auto connection = std::make_unique<HttpClientConnection>(loop_, origin, std::move(descriptor));
  StreamDeadline deadline(connection->stream());
  deadline.arm(until(end));
  wake.bind(&connection->stream());
  bool waiting = !at_once;
  while (waiting && !wake.cancelled() && !deadline.expired()) {
    const WaitResult waited = co_await connection->stream().wait_writable();
    waiting = waited != WaitResult::kReady;
  }
  ClientStatus status = waiting ? ClientStatus::kTimeout : connect_error(raw);
  if (status == ClientStatus::kDone && origin.tls) status = co_await shake_hands(*connection, deadline, wake);
  wake.bind(nullptr);
  if (wake.cancelled()) status = ClientStatus::kCancelled;
  if (status != ClientStatus::kDone) connection.reset();
  co_return Connected{status, std::move(connection)};
}

Task<ClientStatus> ConnectionPool::shake_hands(HttpClientConnection& connection, const StreamDeadline& deadline,
                                               Wake& wake) {
  Stream& stream = connection.stream();
  stream.start_tls(network_->trust(), connection.origin());
  while (!wake.cancelled() && !deadline.expired()) {
    const IoStatus step = stream.handshake();
    if (step == IoStatus::kDone) co_return ClientStatus::kDone;
    if (step != IoStatus::kAgain) {
      if (network_->tell_refused) network_->tell_refused(connection.origin(), stream.tls()->failure());
      co_return ClientStatus::kTls;
    }
    co_await stream.wait_handshake();
  }
  co_return ClientStatus::kTimeout;
}

void ConnectionPool::release(std::unique_ptr<HttpClientConnection> connection) {
  if (connection == nullptr || !connection->reusable()) return;
  auto& idle = idle_[connection->origin().text()];
  if (idle.size() >= limits_.most_idle) return;
  connection->forget_head();
  connection->idle_since = std::chrono::steady_clock::now();
  idle.push_back(std::move(connection));
  if (!reaper_.armed()) reaper_.arm(std::min(limits_.idle_time, kReapEvery));
}

void ConnectionPool::reap() {
  const auto oldest = std::chrono::steady_clock::now() - limits_.idle_time;
  for (auto origin = idle_.begin(); origin != idle_.end();) {
    auto& idle = origin->second;
    // The peer's goodbye is looked for too: a connection that is over need not wait for its time.
    std::erase_if(idle,
                  [&](const auto& connection) { return connection->idle_since <= oldest || !connection->fresh(); });
    origin = idle.empty() ? idle_.erase(origin) : std::next(origin);
  }
  if (!idle_.empty()) reaper_.arm(std::min(limits_.idle_time, kReapEvery));
}

void ConnectionPool::close_idle() {
  reaper_.disarm();
  idle_.clear();
}

std::size_t ConnectionPool::idle() const {
  std::size_t sum = 0;
  for (const auto& [origin, connections] : idle_) sum += connections.size();
  return sum;
}

}  // namespace sentinel::proxy
