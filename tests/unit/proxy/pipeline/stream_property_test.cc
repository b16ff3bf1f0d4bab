// SPDX-License-Identifier: Apache-2.0
// The whole request path between real sockets on loopback: whatever an upstream streams and however it is cut, the
// client gets the bytes it would have got without the proxy, and the accounted use is the upstream's. One seed is one
// stream; SENTINEL_CAMPAIGN=1 runs a million.
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>
#include <map>
#include <memory>

#include <catch2/catch.hpp>

#include "core/base/digest.h"
#include "proxy/auth/static_keys.h"
#include "proxy/json/cursor.h"
#include "proxy/limits/local_rate_limiter.h"
#include "proxy/net/listen.h"
#include "proxy/net/waiter.h"
#include "proxy/pipeline/error_body.h"
#include "proxy/pipeline/generation_handler.h"
#include "proxy/pipeline/proxy_service.h"
#include "proxy/upstreams/routed_upstreams.h"
#include "random_stream.h"

using namespace sentinel;
using namespace sentinel::proxy;

namespace {

constexpr std::string_view kKey = "a key";
constexpr std::uint64_t kSample = 4'000;
constexpr std::uint64_t kCampaign = 1'000'000;
constexpr std::size_t kClients = 8;

std::uint64_t seed_in(std::string_view body) {
  const std::size_t at = body.find("\"seed\":");
  return at == std::string_view::npos ? 0 : std::strtoull(std::string(body.substr(at + 7, 20)).c_str(), nullptr, 10);
}

/// Sends the stream of the seed in the body, piece by piece.
class StreamingUpstream final : public RequestHandler {
 public:
  Task<void> serve(Exchange& exchange) override {
    Buffer body;
    co_await exchange.read_body(body, 1 << 20);
    if (body.view().find(R"("include_usage":true)") == std::string_view::npos) ++not_asked;
    const RandomStream stream = random_stream(seed_in(body.view()));
    exchange.begin(200, "Content-Type: text/event-stream\r\n");
    std::size_t at = 0;
    for (const std::size_t size : stream.cuts) {
      exchange.write(std::string_view(stream.with_usage).substr(at, size));
      at += size;
      if (exchange.send_now() == IoStatus::kAgain) co_await exchange.flush();
      Waiter turn(exchange.loop());
      exchange.loop().post([&turn] { turn.wake(); });
      co_await turn.wait(std::chrono::seconds(60));
    }
    co_await exchange.end();
  }

  std::string refusal_body(int, std::string_view) override { return "{}"; }

  std::size_t not_asked = 0;
};

class SinkByModel final : public UsageSink {
 public:
  void track(UsageItem item) override { items[item.model] = item; }

  std::map<std::string, UsageItem> items;
};

Origin loopback(const Descriptor& listener) {
  const std::string address = listening_address(listener);
  return {false, "127.0.0.1", static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)))};
}

struct Rig {
  Rig()
      : upstream_server(loop, upstream, {}),
        null(::open("/dev/null", O_WRONLY | O_CLOEXEC)),
        log(null.get(), clock),
        metrics(1),
        proxy_metrics(metrics),
        connections(loop),
        authenticator(std::make_shared<const StaticKeys>(StaticKeys{{{sha256_hex(kKey), {"u", "u@example.com"}}}})),
        limiter(counts, clock, 1'000'000'000),
        chat({.upstream_path = "/chat/completions", .ask_for_usage = true}) {
    Descriptor upstream_listener = std::move(listen_tcp("127.0.0.1", 0)).value();
    Descriptor proxy_listener = std::move(listen_tcp("127.0.0.1", 0)).value();
    proxy_origin = loopback(proxy_listener);
    UpstreamTarget target;
    target.name = "u";
    target.base.origin = loopback(upstream_listener);
    target.authorization = Secret("Bearer k");
    upstreams = std::make_unique<RoutedUpstreams>(std::make_shared<const UpstreamDirectory>(
        std::vector<UpstreamTarget>{std::move(target)}, UpstreamDirectory::Offers{}, UpstreamRules{}));
    services.reset(new Services{
        authenticator, limiter, reserver, nullptr, sink, *upstreams, connections, proxy_metrics, log, clock, {}});
    routes.push_back({"POST", "/v1/chat/completions", "chat", Access::kUsers, &chat});
    service = std::make_unique<ProxyService>(*services, routes);
    server = std::make_unique<HttpServer>(loop, *service, ServerLimits{});
    upstream_server.accept_on(std::move(upstream_listener));
    server->accept_on(std::move(proxy_listener));
  }

  SystemClock clock;
  StreamingUpstream upstream;
  SinkByModel sink;
  WindowCounts counts;
  Loop loop;
  HttpServer upstream_server;
  Descriptor null;
  Log log;
  Metrics metrics;
  ProxyMetrics proxy_metrics;
  ConnectionPool connections;
  StaticKeyAuthenticator authenticator;
  LocalRateLimiter limiter;
  NoReserver reserver;
  GenerationHandler chat;
  std::unique_ptr<RoutedUpstreams> upstreams;
  std::unique_ptr<Services> services;
  std::vector<Route> routes;
  std::unique_ptr<ProxyService> service;
  std::unique_ptr<HttpServer> server;
  Origin proxy_origin;
  std::uint64_t next = 0;
  std::uint64_t last = 0;
  std::size_t running = 0;
  std::string failure;  ///< the first
};

/// The body of a whole answer, or nothing.
Task<std::optional<std::string>> ask(ConnectionPool& pool, Origin origin, std::string request) {
  Wake wake;
  const ClientTimes times;
  Connected connected = co_await pool.acquire(origin, times, wake, false);
  if (connected.status != ClientStatus::kDone) co_return std::nullopt;
  std::vector<std::string_view> pieces{request};
  const ClientStatus sent = co_await connected.connection->send(std::move(pieces), times, wake);
  if (sent != ClientStatus::kDone) co_return std::nullopt;
  ResponseHead head;
  const ClientStatus answered = co_await connected.connection->read_head("POST", head, times, wake);
  if (answered != ClientStatus::kDone || head.status != 200) co_return std::nullopt;
  std::string body;
  for (;;) {
    const BodyPiece piece = connected.connection->read_body();
    if (piece.status != ClientStatus::kDone) co_return std::nullopt;
    body.append(piece.bytes);
    if (piece.last) break;
    if (piece.waits) co_await connected.connection->wait_body(times, wake);
  }
  pool.release(std::move(connected.connection));
  co_return body;
}

std::string request_for(std::uint64_t seed, bool with_usage) {
  const std::string body = fmt::format(R"({{"model":"m{}","stream":true,"seed":{}{},"messages":[]}})", seed, seed,
                                       with_usage ? R"(,"stream_options":{"include_usage":true})" : "");
  return fmt::format(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: p\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{}", kKey,
      body.size(), body);
}

void judge(Rig& rig, std::uint64_t seed, bool with_usage, const std::optional<std::string>& got) {
  const RandomStream stream = random_stream(seed);
  std::string direct = with_usage ? stream.with_usage : stream.direct;
  if (!stream.complete) {
    if (stream.open_end) direct.append("\n\n");
    direct.append(error_event("stream_truncated", "The upstream ended the stream before its answer was complete"));
  }
  const auto item = rig.sink.items.find(fmt::format("m{}", seed));
  std::string wrong;
  if (!got || *got != direct) {
    wrong = "the bytes differ";
  } else if (item == rig.sink.items.end()) {
    wrong = "nothing was accounted";
  } else if (item->second.estimated == stream.usage.has_value()) {
    wrong = "estimated is wrong";
  } else if (stream.usage &&
             (item->second.input_tokens != stream.usage->input || item->second.output_tokens != stream.usage->output)) {
    wrong = "the use differs";
  }
  if (!wrong.empty() && rig.failure.empty()) {
    rig.failure = fmt::format("seed {} (usage asked: {}): {}\n got  {}\n want {}", seed, with_usage, wrong,
                              json_quoted(got.value_or("nothing")), json_quoted(direct));
  }
  if (item != rig.sink.items.end()) rig.sink.items.erase(item);
}

Task<void> client(Rig& rig) {
  ConnectionPool pool(rig.loop);
  while (rig.next < rig.last && rig.failure.empty()) {
    const std::uint64_t seed = rig.next++;
    const bool with_usage = seed % 3 == 0;
    std::string request = request_for(seed, with_usage);
    const std::optional<std::string> got = co_await ask(pool, rig.proxy_origin, std::move(request));
    judge(rig, seed, with_usage, got);
  }
  if (--rig.running == 0) rig.loop.stop();
}

}  // namespace

TEST_CASE("A relayed stream is the direct one, and its use is the upstream's") {
  const char* campaign = std::getenv("SENTINEL_CAMPAIGN");
  Rig rig;
  rig.next = 1;
  rig.last = 1 + (campaign != nullptr && std::string_view(campaign) == "1" ? kCampaign : kSample);
  rig.running = kClients;
  for (std::size_t i = 0; i < kClients; ++i) rig.loop.spawn(client(rig));
  rig.loop.run();
  rig.connections.close_idle();
  CHECK(rig.failure == "");
  CHECK(rig.next == rig.last);
  CHECK(rig.upstream.not_asked == 0);
}
