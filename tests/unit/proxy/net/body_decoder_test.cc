// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/body_decoder.h"

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

using namespace sentinel::proxy;

namespace {

struct Decoded {
  BodyStatus status = BodyStatus::kMore;
  std::string body;
  std::string rest;
};

/// Feeds `text` in pieces of that size.
Decoded decode(const std::string& text, std::size_t piece) {
  BodyDecoder decoder(BodyFraming::kChunked, 0);
  Decoded decoded;
  for (std::size_t at = 0; at < text.size() && decoded.status == BodyStatus::kMore; at += piece) {
    std::string bytes = text.substr(at, piece);
    const BodyResult result = decoder.decode(bytes.data(), bytes.size());
    decoded.status = result.status;
    decoded.body.append(bytes, 0, result.body);
    if (result.status == BodyStatus::kComplete)
      decoded.rest = bytes.substr(result.consumed) + text.substr(std::min(text.size(), at + piece));
  }
  return decoded;
}

}  // namespace

TEST_CASE("A chunked body is the same in pieces of any size") {
  const std::string text = "5\r\nhello\r\nA;ext=1\r\n, 10 bytes\r\n1\r\n!\r\n0\r\nTrailer: x\r\n\r\nNEXT";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const Decoded decoded = decode(text, piece);
    INFO(piece);
    CHECK(decoded.status == BodyStatus::kComplete);
    CHECK(decoded.body == "hello, 10 bytes!");
    CHECK(decoded.rest == "NEXT");
  }
}

TEST_CASE("Chunk lines are strict") {
  for (const char* text :
       {"5\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n",
        "1_0\r\nhello", "\r\n", ";a\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r\n0\n\n",
        "0\r\n folded\r\n\r\n", "0\r\nA: b\n\r\n", "5;a\x01\r\nhello", "1234567890abcdef0\r\n", "0\r\n\rX"}) {
    INFO(text);
    CHECK(decode(text, 1).status == BodyStatus::kBad);
    CHECK(decode(text, 1000).status == BodyStatus::kBad);
  }
}

TEST_CASE("Endless extensions and trailers are refused") {
  CHECK(decode("1;" + std::string(10'000, 'a'), 100).status == BodyStatus::kBad);
  CHECK(decode("0\r\n" + std::string(10'000, 'a'), 100).status == BodyStatus::kBad);
}
