// SPDX-License-Identifier: Apache-2.0
// Load for measurements, in one process that costs little: an upstream with a fixed answer, and clients that each keep
// one connection busy, request after request. Prints what it saw as one line of JSON.
//
//   proxy_load upstream SIZE            listens on a free port, prints it, answers until killed; SIZE bytes per answer,
//                                       or, when the body asks for a stream, 50 events of 200 bytes 20 ms apart
//   proxy_load ask PORT CLIENTS REQUESTS BODY-BYTES stream|whole
//   proxy_load hold PORT STREAMS SECONDS
//                                       opens streams that say one event and then nothing, prints "open" when all have
//                                       begun, holds them for SECONDS and tells how far apart what they heard came
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/net/http_client.h"
#include "proxy/net/http_server.h"
#include "proxy/net/listen.h"
#include "proxy/net/waiter.h"

using namespace sentinel::proxy;

namespace {

using Time = std::chrono::steady_clock::time_point;

constexpr int kEvents = 50;
constexpr std::chrono::milliseconds kBetween{20};

double since(Time begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

class FixedUpstream final : public RequestHandler {
 public:
  explicit FixedUpstream(std::size_t size) {
    constexpr std::string_view kHead =
        R"({"id":"x","usage":{"prompt_tokens":9,"completion_tokens":12},"choices":[{"message":{"content":")";
    answer_ = std::string(kHead) + std::string(size > 100 ? size - 100 : 0, 'x') + "\"}}]}";
    event_ = R"(data: {"choices":[{"index":0,"delta":{"content":")" + std::string(140, 'x') + "\"}}]}\n\n";
  }

  Task<void> serve(Exchange& exchange) override {
    Buffer body;
    co_await exchange.read_body(body, std::size_t{16} << 20);
    if (body.view().find(R"("stream":true)") == std::string_view::npos) {
      co_await exchange.respond(200, "Content-Type: application/json\r\n", answer_);
      co_return;
    }
    exchange.begin(200, "Content-Type: text/event-stream\r\n");
    if (body.view().find(R"("content":"hold")") != std::string_view::npos) {
      exchange.write(event_);
      exchange.send_now();
      while (!exchange.stream().peer_gone()) co_await exchange.stream().wait_readable();
      exchange.abort();
      co_return;
    }
    for (int i = 0; i < kEvents; ++i) {
      exchange.write(event_);
      if (exchange.send_now() != IoStatus::kDone) co_return;
      co_await pause_for(exchange.loop(), kBetween);
    }
    exchange.write("data: [DONE]\n\n");
    co_await exchange.end();
  }

  std::string refusal_body(int, std::string_view) override { return "{}"; }

 private:
  std::string answer_;
  std::string event_;
};

struct Asking {
  Loop loop;
  Origin origin{false, "127.0.0.1", 0};
  std::string request;
  std::size_t left = 0;
  std::size_t running = 0;
  std::size_t failed = 0;
  std::vector<double> first;  ///< seconds to the first byte of the body
  std::vector<double> whole;
};

Task<bool> ask_once(Asking& asking, ConnectionPool& pool) {
  Wake wake;
  const ClientTimes times;
  const Time begun = std::chrono::steady_clock::now();
  Connected connected = co_await pool.acquire(asking.origin, times, wake, false);
  if (connected.status != ClientStatus::kDone) co_return false;
  std::vector<std::string_view> pieces{asking.request};
  const ClientStatus sent = co_await connected.connection->send(std::move(pieces), times, wake);
  ResponseHead head;
  if (sent != ClientStatus::kDone) co_return false;
  const ClientStatus answered = co_await connected.connection->read_head("POST", head, times, wake);
  if (answered != ClientStatus::kDone || head.status != 200) co_return false;
  bool first = true;
  for (;;) {
    const BodyPiece piece = connected.connection->read_body();
    if (piece.status != ClientStatus::kDone) co_return false;
    if (!piece.bytes.empty() && std::exchange(first, false)) asking.first.push_back(since(begun));
    if (piece.last) break;
    if (piece.waits) co_await connected.connection->wait_body(times, wake);
  }
  asking.whole.push_back(since(begun));
  pool.release(std::move(connected.connection));
  co_return true;
}

Task<void> client(Asking& asking) {
  ConnectionPool pool(asking.loop);
  while (asking.left > 0) {
    --asking.left;
    const bool good = co_await ask_once(asking, pool);
    asking.failed += good ? 0 : 1;
  }
  if (--asking.running == 0) asking.loop.stop();
}

/// Streams that are held open, and the silences between what each heard.
struct Holding {
  Loop loop;
  Origin origin{false, "127.0.0.1", 0};
  std::string request;
  Time end;
  std::size_t wanted = 0;
  std::size_t open = 0;
  std::size_t running = 0;
  std::size_t failed = 0;
  std::vector<double> silences;  ///< seconds
};

Task<void> hold_one(Holding& holding) {
  ConnectionPool pool(holding.loop);
  Wake wake;
  ClientTimes times;
  times.idle = std::chrono::minutes(10);
  Connected connected = co_await pool.acquire(holding.origin, times, wake, true);
  ResponseHead head;
  ClientStatus status = connected.status;
  if (status == ClientStatus::kDone) {
    std::vector<std::string_view> pieces{holding.request};
    status = co_await connected.connection->send(std::move(pieces), times, wake);
  }
  if (status == ClientStatus::kDone) status = co_await connected.connection->read_head("POST", head, times, wake);
  if (status != ClientStatus::kDone || head.status != 200) {
    ++holding.failed;
    co_return;
  }
  std::optional<Time> heard;
  for (;;) {
    const BodyPiece piece = connected.connection->read_body();
    if (!piece.bytes.empty()) {
      const Time now = std::chrono::steady_clock::now();
      if (heard) holding.silences.push_back(std::chrono::duration<double>(now - *heard).count());
      if (!heard && ++holding.open == holding.wanted) {
        std::printf("open\n");
        std::fflush(stdout);
      }
      heard = now;
    }
    if (piece.status != ClientStatus::kDone || piece.last) {
      ++holding.failed;
      co_return;
    }
    if (piece.waits) co_await connected.connection->wait_body(times, wake);
  }
}

Task<void> hold_all(Holding& holding) {
  // Not all in one instant: the listening queue is no part of what is measured.
  for (std::size_t i = 0; i < holding.wanted; ++i) {
    holding.loop.spawn(hold_one(holding));
    if (i % 50 == 49) co_await pause_for(holding.loop, std::chrono::milliseconds(20));
  }
  while (std::chrono::steady_clock::now() < holding.end) {
    co_await pause_for(holding.loop, std::chrono::milliseconds(100));
  }
  holding.loop.stop();
}

double percentile(std::vector<double>& values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))] * 1000;
}

std::size_t number(const char* text) {
  return std::strtoull(text, nullptr, 10);
}

int serve(std::size_t size) {
  auto loop = std::make_unique<Loop>(std::chrono::milliseconds(1));  // events come when they are due, not together
  FixedUpstream upstream(size);
  HttpServer server(*loop, upstream, {});
  sentinel::Result<sentinel::Descriptor> listener = listen_tcp("127.0.0.1", 0);
  if (!listener.ok()) return 1;
  const std::string address = listening_address(*listener);
  std::printf("%s\n", address.substr(address.rfind(':') + 1).c_str());
  std::fflush(stdout);
  server.accept_on(std::move(*listener));
  loop->run();
  return 0;
}

std::string asking_request(bool streamed, const std::string& words) {
  const std::string body =
      fmt::format(R"({{"model":"m","stream":{},"messages":[{{"role":"user","content":"{}"}}]}})", streamed, words);
  return fmt::format(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: p\r\nAuthorization: Bearer user-key-1\r\nContent-Length: "
      "{}\r\n\r\n{}",
      body.size(), body);
}

int ask(char** argv) {
  auto asking = std::make_unique<Asking>();
  asking->origin.port = static_cast<std::uint16_t>(number(argv[0]));
  asking->running = number(argv[1]);
  asking->left = number(argv[2]);
  asking->request = asking_request(std::string_view(argv[4]) == "stream", std::string(number(argv[3]), 'x'));
  const Time begun = std::chrono::steady_clock::now();
  const std::size_t clients = asking->running;
  for (std::size_t i = 0; i < clients; ++i) asking->loop.spawn(client(*asking));
  asking->loop.run();
  std::printf(
      R"({"seconds":%.3f,"requests":%zu,"failed":%zu,"first_p50_ms":%.3f,"first_p99_ms":%.3f,"p50_ms":%.3f,"p99_ms":%.3f})"
      "\n",
      since(begun), asking->whole.size(), asking->failed, percentile(asking->first, 0.5),
      percentile(asking->first, 0.99), percentile(asking->whole, 0.5), percentile(asking->whole, 0.99));
  return 0;
}

int hold(char** argv) {
  auto holding = std::make_unique<Holding>();
  holding->origin.port = static_cast<std::uint16_t>(number(argv[0]));
  holding->wanted = number(argv[1]);
  holding->end = std::chrono::steady_clock::now() + std::chrono::seconds(number(argv[2]));
  holding->request = asking_request(true, "hold");
  holding->loop.spawn(hold_all(*holding));
  holding->loop.run();
  const std::size_t heard = holding->silences.size();
  std::printf(
      R"({"open":%zu,"failed":%zu,"heard":%zu,"silence_p1_ms":%.1f,"silence_p50_ms":%.1f,"silence_p99_ms":%.1f,"silence_longest_ms":%.1f})"
      "\n",
      holding->open, holding->failed, heard, percentile(holding->silences, 0.01), percentile(holding->silences, 0.5),
      percentile(holding->silences, 0.99), percentile(holding->silences, 1));
  std::fflush(stdout);
  // What is still open ends with the process.
  std::_Exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "upstream") return serve(number(argv[2]));
  if (argc == 7 && std::string_view(argv[1]) == "ask") return ask(argv + 2);
  if (argc == 5 && std::string_view(argv[1]) == "hold") return hold(argv + 2);
  std::fprintf(stderr,
               "usage: proxy_load upstream SIZE | proxy_load ask PORT CLIENTS REQUESTS BODY-BYTES stream|whole | "
               "proxy_load hold PORT STREAMS SECONDS\n");
  return 2;
}
