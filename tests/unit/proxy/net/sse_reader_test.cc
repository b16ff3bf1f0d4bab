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
  if (const std::optional<SseEvent> last = reader.finish_last()) {
    seen.raw.append(last->raw);
    if (!last->data.empty()) seen.data.emplace_back(last->data);
  }
  return seen;
}

}  // namespace

TEST_CASE("Events are found, and no byte is lost, however the stream is cut") {
  const std::string text =
      ": comment\n\ndata: one\n\ndata:two\r\n\r\ndata: three\rdata:  four\r\revent: x\ndata\ndata: \xff\n\n\r\n\ndata: "
      "[DONE]\n\ndata: cut";
  const std::vector<std::string> expected{"one", "two", "three\n four", "\n\xff", "[DONE]", "cut"};
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

TEST_CASE("A byte order mark before the first event is no part of it") {
  CHECK(read("\xEF\xBB\xBF"
             "data: one\n\n\xEF\xBB\xBF"
             "data: two\n\n",
             1)
            .data == std::vector<std::string>{"one"});
}

TEST_CASE("The LF that ends an event begun with its CR is told from an event") {
  SseReader reader;
  CHECK(reader.feed("data: x\r\n\r").size() == 1);
  const std::vector<SseEvent>& tail = reader.feed("\ndata: y\n\n");
  REQUIRE(tail.size() == 2);
  CHECK(tail[0].tail);
  CHECK(tail[0].raw == "\n");
  CHECK_FALSE(tail[1].tail);
}
