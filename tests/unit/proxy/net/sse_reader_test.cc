// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/sse_reader.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace sentinel::proxy;

namespace {

struct Read {
  std::string raw;
  std::vector<std::string> data;
};

Read read(const std::string& text, std::size_t piece, std::size_t most = 1 << 20) {
  SseReader reader(most);
  Read seen;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    const std::string bytes = text.substr(at, piece);
    for (const SseEvent& event : reader.feed(bytes)) {
      seen.raw.append(event.raw);
      if (!event.data.empty()) seen.data.emplace_back(event.data);
    }
  }
  seen.raw.append(reader.take_incomplete());
  return seen;
}

}  // namespace

TEST_CASE("Events are found, and no byte is lost, however the stream is cut") {
  const std::string text =
      ": comment\n\ndata: one\n\ndata:two\r\n\r\ndata: three\rdata:  four\r\revent: x\ndata\ndata: \xff\n\n\r\n\ndata: "
      "[DONE]\n\ndata: cut";
  const std::vector<std::string> expected{"one", "two", "three\n four", "\n\xff", "[DONE]"};
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    INFO(piece);
    const Read seen = read(text, piece);
    CHECK(seen.raw == text);
    CHECK(seen.data == expected);
  }
}

TEST_CASE("An event beyond the bound is passed on and no longer looked at") {
  const std::string text = "data: small\n\ndata: " + std::string(5000, 'x') + "\n\ndata: after\n\n";
  const Read seen = read(text, 64, 1000);
  CHECK(seen.raw == text);
  CHECK(seen.data == std::vector<std::string>{"small"});
}
