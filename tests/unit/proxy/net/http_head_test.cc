// SPDX-License-Identifier: Apache-2.0
// The table of what is refused because another parser could read it differently.
#include "proxy/net/http_head.h"

#include <string>

#include <catch2/catch.hpp>

using namespace sentinel::proxy;

namespace {

HeadStatus status_of(const std::string& bytes) {
  RequestHead head;
  std::size_t scanned = 0;
  return parse_request_head(bytes, scanned, {}, head).status;
}

std::string request(const std::string& fields) {
  return "POST /v1/x HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

}  // namespace

TEST_CASE("An ordinary request is read") {
  const std::string bytes =
      "POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nX-Empty:\r\nx-b:\t v \t\r\n\r\nrest";
  RequestHead head;
  std::size_t scanned = 0;
  const HeadResult result = parse_request_head(bytes, scanned, {}, head);
  REQUIRE(result.status == HeadStatus::kComplete);
  CHECK(result.size == bytes.size() - 4);
  CHECK(head.method == "POST");
  CHECK(head.path == "/v1/chat/completions");
  CHECK(head.query == "a=b");
  CHECK(head.framing == BodyFraming::kLength);
  CHECK(head.content_length == 12);
  CHECK(head.keep_alive);
  CHECK(head.headers.find("X-B") == "v");
  CHECK(head.headers.find("x-empty") == "");
}

TEST_CASE("A head that arrives byte by byte is complete with its last byte and not before") {
  const std::string bytes = request("Transfer-Encoding: chunked\r\n");
  RequestHead head;
  std::size_t scanned = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    REQUIRE(parse_request_head(std::string_view(bytes).substr(0, size), scanned, {}, head).status ==
            HeadStatus::kIncomplete);
  }
  CHECK(parse_request_head(bytes, scanned, {}, head).status == HeadStatus::kComplete);
  CHECK(head.framing == BodyFraming::kChunked);
}

TEST_CASE("What two parsers could read differently is refused") {
  const std::string bad[] = {
      request("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
      request("Content-Length: 1\r\nContent-Length: 1\r\n"),
      request("Content-Length: 1, 1\r\n"),
      request("Content-Length: +1\r\n"),
      request("Content-Length: 0x1\r\n"),
      request("Content-Length: 1_0\r\n"),
      request("Content-Length: -1\r\n"),
      request("Content-Length:\r\n"),
      request("Content-Length: 99999999999999999999\r\n"),
      request("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
      request("Content-Length : 1\r\n"),
      request("X: a\r\n b\r\n"),
      request("X: a\r\n\tb\r\n"),
      request("X: a\nY: b\r\n"),
      request("X: a\rY: b\r\n"),
      request(std::string("X: a\0b\r\n", 8)),
      request("X: a\x01\r\n"),
      request("X: a\x7f\r\n"),
      request(": a\r\n"),
      request("X\r\n"),
      request("X(: a\r\n"),
      request("Host: b\r\n"),
      "GET / HTTP/1.1\r\n\r\n",
      "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
      "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTX/1.1\r\nHost: a\r\n\r\n",
      "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
      " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
  };
  for (const std::string& bytes : bad) {
    INFO(bytes);
    CHECK(status_of(bytes) == HeadStatus::kBad);
  }
  for (const char* coding : {"identity", "gzip", "gzip, chunked", "chunked, chunked", "chunked;q=1",
                             "\x0b"
                             "chunked",
                             ""}) {
    INFO(coding);
    const HeadStatus status = status_of(request("Transfer-Encoding: " + std::string(coding) + "\r\n"));
    CHECK((status == HeadStatus::kNotSupported || status == HeadStatus::kBad));
  }
}

TEST_CASE("Versions, expectations and sizes have refusals of their own") {
  CHECK(status_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n") == HeadStatus::kBadVersion);
  CHECK(status_of(request("Expect: 200-ok\r\n")) == HeadStatus::kBadExpect);
  CHECK(status_of(request("Expect: 100-continue\r\n")) == HeadStatus::kComplete);
  CHECK(status_of(request("X: " + std::string(40'000, 'a') + "\r\n")) == HeadStatus::kTooLarge);
  CHECK(status_of(std::string(40'000, 'a')) == HeadStatus::kTooLarge);
  std::string many;
  for (int i = 0; i < 101; ++i) many += "X: a\r\n";
  CHECK(status_of(request(many)) == HeadStatus::kTooLarge);
}

TEST_CASE("Connections are kept as the version and the client say") {
  RequestHead head;
  const auto keeps = [&](const std::string& bytes) {
    std::size_t scanned = 0;
    REQUIRE(parse_request_head(bytes, scanned, {}, head).status == HeadStatus::kComplete);
    return head.keep_alive;
  };
  CHECK_FALSE(keeps(request("Connection: Upgrade, close\r\n")));
  CHECK_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  CHECK(keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
}

TEST_CASE("A response says how its body ends") {
  ResponseHead head;
  const auto framing = [&](const std::string& bytes, const char* method = "POST") {
    std::size_t scanned = 0;
    REQUIRE(parse_response_head(bytes, scanned, {}, method, head).status == HeadStatus::kComplete);
    return head.framing;
  };
  CHECK(framing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") == BodyFraming::kLength);
  CHECK(framing("HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\n\r\n") == BodyFraming::kChunked);
  CHECK(framing("HTTP/1.1 200 OK\r\n\r\n") == BodyFraming::kUntilClose);
  CHECK_FALSE(head.keep_alive);
  CHECK(framing("HTTP/1.1 204 No Content\r\n\r\n") == BodyFraming::kNone);
  CHECK(framing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD") == BodyFraming::kNone);
}
