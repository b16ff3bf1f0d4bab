// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/fetch.h"

#include <fmt/format.h>

#include "proxy/net/status_text.h"

namespace sentinel::proxy {
namespace {

Task<ClientStatus> read_whole(HttpClientConnection& connection, FetchAnswer& answer, std::size_t most,
                              ClientTimes times, Wake& wake) {
  for (;;) {
    const BodyPiece piece = connection.read_body();
    if (piece.status != ClientStatus::kDone) co_return piece.status;
    if (answer.body.size() + piece.bytes.size() > most) co_return ClientStatus::kBadResponse;
    answer.body.append(piece.bytes);
    if (piece.last) co_return ClientStatus::kDone;
    if (!piece.waits) continue;
    const ClientStatus waited = co_await connection.wait_body(times, wake);
    if (waited != ClientStatus::kDone && waited != ClientStatus::kWoken) co_return waited;
  }
}

Task<ClientStatus> exchange(HttpClientConnection& connection, const FetchRequest& request, FetchAnswer& answer,
                            ClientTimes times, Wake& wake) {
  const std::string head =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n{}Accept-Encoding: identity\r\nContent-Length: {}\r\n\r\n",
                  request.method, request.target, request.origin.host_field(), request.fields, request.body.size());
  std::vector<std::string_view> pieces{head, request.body};
  answer.sent = true;
  ClientStatus status = co_await connection.send(std::move(pieces), times, wake);
  if (status != ClientStatus::kDone) co_return status;
  ResponseHead response;
  do {
    status = co_await connection.read_head(request.method, response, times, wake);
  } while (status == ClientStatus::kWoken);
  if (status != ClientStatus::kDone) co_return status;
  answer.code = response.status;
  status = co_await read_whole(connection, answer, request.most, times, wake);
  co_return status;
}

}  // namespace

std::string FetchAnswer::outcome() const {
  if (status != ClientStatus::kDone) return std::string(client_status_name(status));
  return fmt::format("{} {}", code, status_text(code));
}

Task<FetchAnswer> fetch(Loop& loop, ConnectionPool& pool, FetchRequest request) {
  FetchAnswer answer;
  Wake wake;
  const ClientTimes times{request.total, request.total};
  Deadline total(
      loop.deadlines(), [](void* waiting) { static_cast<Wake*>(waiting)->cancel(); }, &wake);
  total.arm(request.total);
  // A kept connection may have been closed by its peer just now: then, and only before any byte of an answer, once
  // more on a new one.
  for (bool only_new = false;; only_new = true) {
    Connected connected = co_await pool.acquire(request.origin, times, wake, only_new);
    answer.status = connected.status;
    if (answer.status != ClientStatus::kDone) break;
    answer.status = co_await exchange(*connected.connection, request, answer, times, wake);
    const bool stale =
        answer.status == ClientStatus::kClosed && connected.connection->reused() && !connected.connection->answered();
    if (answer.status == ClientStatus::kDone) pool.release(std::move(connected.connection));
    if (!stale || only_new) break;
  }
  if (answer.status == ClientStatus::kCancelled) answer.status = ClientStatus::kTimeout;
  co_return answer;
}

}  // namespace sentinel::proxy
