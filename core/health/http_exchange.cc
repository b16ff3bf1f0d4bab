// SPDX-License-Identifier: Apache-2.0
// Asio with one operation at a time and a deadline over each; Beast reads the answer. Exceptions end in this file.
// Names are looked up in a thread of their own, because getaddrinfo has no time limit: one that hangs is left behind.
#include "core/health/http_exchange.h"

#include <fmt/format.h>
#include <netdb.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

namespace sentinel {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;
using Protocol = asio::generic::stream_protocol;
using Endpoints = std::vector<Protocol::endpoint>;
using std::chrono::milliseconds;

/// A limit with the words for when it is over.
class Deadline {
 public:
  explicit Deadline(milliseconds limit) : limit_(limit), end_(SteadyClock::now() + limit) {}

  SteadyClock::time_point end() const { return end_; }

  Error passed(const std::string& while_doing) const {
    return Error("http.timeout", fmt::format("{} took longer than {} ms", while_doing, limit_.count()));
  }

 private:
  milliseconds limit_;
  SteadyClock::time_point end_;
};

/// What the thread of a lookup and who waits for it share.
struct Lookup {
  std::mutex mutex;
  std::condition_variable done_changed;
  bool done = false;
  int status = 0;
  Endpoints endpoints;
};

void look_up_now(Lookup& lookup, const std::string& host, std::uint16_t port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int status = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &list);
  const std::lock_guard lock(lookup.mutex);
  for (const addrinfo* each = list; status == 0 && each != nullptr; each = each->ai_next) {
    lookup.endpoints.emplace_back(each->ai_addr, each->ai_addrlen, IPPROTO_TCP);
  }
  if (list != nullptr) ::freeaddrinfo(list);
  lookup.status = status;
  lookup.done = true;
  lookup.done_changed.notify_all();
}

Result<Endpoints> look_up(const std::string& host, std::uint16_t port, const Deadline& deadline) {
  error_code failure;
  const auto address = asio::ip::make_address(host, failure);
  if (!failure) return Endpoints{asio::ip::tcp::endpoint(address, port)};
  const auto lookup = std::make_shared<Lookup>();
  std::thread([lookup, host, port] { look_up_now(*lookup, host, port); }).detach();
  std::unique_lock lock(lookup->mutex);
  if (!lookup->done_changed.wait_until(lock, deadline.end(), [&] { return lookup->done; })) {
    return deadline.passed("looking up " + host);
  }
  if (lookup->status != 0) {
    return Error("http.lookup", fmt::format("no address for {}: {}", host, ::gai_strerror(lookup->status)));
  }
  return lookup->endpoints;
}

/// One connection, one operation at a time.
class Connection {
 public:
  explicit Connection(const Deadline& deadline) : deadline_(deadline), socket_(io_) {}

  Protocol::socket& socket() { return socket_; }

  /// Starts an operation with `start(handler)` and runs it to its end; nothing when `until` came first.
  template <typename Start>
  std::optional<error_code> run(SteadyClock::time_point until, Start start) {
    std::optional<error_code> outcome;
    start([&outcome](error_code code, auto&&...) { outcome = code; });
    io_.restart();
    io_.run_until(until);
    if (outcome) return outcome;
    error_code ignored;
    socket_.close(ignored);
    io_.restart();
    io_.run();  // the cancelled operation's handler
    return std::nullopt;
  }

  /// Each address gets an equal part of the time left, so that one that swallows packets doesn't use up the others'
  /// time.
  Result<void> connect(const Endpoints& endpoints, const std::string& place) {
    Error last("http.connect", "no address for " + place);
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
      const auto now = SteadyClock::now();
      const auto left = static_cast<long>(endpoints.size() - i);
      error_code ignored;
      socket_.close(ignored);
      const auto code = run(now + (deadline_.end() - now) / left,
                            [&](auto handler) { socket_.async_connect(endpoints[i], handler); });
      if (code && !*code) return {};
      if (code) last = Error("http.connect", fmt::format("{}: {}", place, code->message()));
      if (!code) last = deadline_.passed("connecting to " + place);
    }
    return last;
  }

  const Deadline& deadline() const { return deadline_; }

 private:
  const Deadline& deadline_;
  asio::io_context io_;
  Protocol::socket socket_;
};

using Message = http::request<http::string_body>;

Result<Message> message_of(const HttpRequest& request, const HttpUrl& url) {
  const auto unfit = [](std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos;
  };
  Message out;
  out.version(11);
  out.method_string(request.method);
  out.target(url.target);
  const bool usual_port = url.port == (url.tls ? 443 : 80);
  const std::string host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  out.set(http::field::host, usual_port ? host : fmt::format("{}:{}", host, url.port));
  out.set(http::field::user_agent, "sentinel-agent/" SENTINEL_VERSION);
  out.set(http::field::accept, "*/*");
  for (const auto& [name, value] : request.headers) {
    if (name.empty() || unfit(name) || name.find_first_of(" :") != std::string::npos || unfit(value)) {
      return Error("http.header", fmt::format("the header '{}' can't be sent", name), {}, ExitCode::kUsage);
    }
    out.set(name, value);
  }
  out.set(http::field::connection, "close");
  out.body() = request.body;
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") out.prepare_payload();
  return out;
}

template <typename Stream>
Result<HttpReply> converse(Connection& connection, Stream& stream, Message& message) {
  const Deadline& deadline = connection.deadline();
  auto code = connection.run(deadline.end(), [&](auto handler) { http::async_write(stream, message, handler); });
  if (!code) return deadline.passed("sending the request");
  // A server may answer and close before it has read all of it: what it said is worth more than that.
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMostHttpBody);
  parser.skip(message.method() == http::verb::head);
  code = connection.run(deadline.end(), [&](auto handler) { http::async_read(stream, buffer, parser, handler); });
  if (!code) {
    return deadline.passed(parser.is_header_done() ? fmt::format("status {}, but its body", parser.get().result_int())
                                                   : std::string("the answer"));
  }
  if (*code) return Error("http.answer", "no whole HTTP answer: " + code->message());
  return HttpReply{parser.get().result_int(), std::move(parser.get().body())};
}

Result<HttpReply> converse_tls(Connection& connection, const HttpUrl& url, const std::string& ca_file,
                               Message& message) {
  asio::ssl::context trust(asio::ssl::context::tls_client);
  error_code failure;
  if (ca_file.empty()) {
    trust.set_default_verify_paths(failure);
  } else {
    trust.load_verify_file(ca_file, failure);
  }
  if (failure) return Error("http.tls", fmt::format("certificates of {}: {}", ca_file, failure.message()));
  trust.set_verify_mode(asio::ssl::verify_peer);
  asio::ssl::stream<Protocol::socket&> stream(connection.socket(), trust);
  error_code is_name;
  asio::ip::make_address(url.host, is_name);
  SSL* const tls = stream.native_handle();
  const bool named =
      is_name ? SSL_set_tlsext_host_name(tls, url.host.c_str()) == 1 && SSL_set1_host(tls, url.host.c_str()) == 1
              : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), url.host.c_str()) == 1;
  if (!named) return Error("http.tls", fmt::format("no certificate can be for '{}'", url.host));
  SSL_set_min_proto_version(tls, TLS1_2_VERSION);
  const Deadline& deadline = connection.deadline();
  const auto code = connection.run(
      deadline.end(), [&](auto handler) { stream.async_handshake(asio::ssl::stream_base::client, handler); });
  if (!code) return deadline.passed("the TLS handshake");
  if (*code) {
    const long verified = SSL_get_verify_result(tls);
    const std::string why = verified == X509_V_OK ? code->message() : X509_verify_cert_error_string(verified);
    return Error("http.tls", fmt::format("TLS with {}: {}", url.host, why));
  }
  return converse(connection, stream, message);
}

Result<HttpReply> exchange(const HttpRequest& request, const Deadline& deadline) {
  SENTINEL_TRY(const auto url, parse_http_url(request.url));
  SENTINEL_TRY(auto message, message_of(request, url));
  Connection connection(deadline);
  if (request.socket.empty()) {
    SENTINEL_TRY(const auto endpoints, look_up(url.host, url.port, deadline));
    SENTINEL_CHECK(connection.connect(endpoints, fmt::format("{} port {}", url.host, url.port)));
  } else {
    SENTINEL_CHECK(connection.connect({asio::local::stream_protocol::endpoint(request.socket)}, request.socket));
  }
  return url.tls ? converse_tls(connection, url, request.ca_file, message)
                 : converse(connection, connection.socket(), message);
}

}  // namespace

Result<HttpReply> exchange_http(const HttpRequest& request, milliseconds limit) try {
  return exchange(request, Deadline(limit));

} catch (const std::exception& failure) {
  return Error("http.answer", std::string("no HTTP answer: ") + failure.what());
}

Result<void> connect_tcp(const std::string& host, std::uint16_t port, milliseconds limit) try {
  const Deadline deadline(limit);
  SENTINEL_TRY(const auto endpoints, look_up(host, port, deadline));
  Connection connection(deadline);
  return connection.connect(endpoints, fmt::format("{} port {}", host, port));

} catch (const std::exception& failure) {
  return Error("http.connect", failure.what());
}

}  // namespace sentinel
