// SPDX-License-Identifier: Apache-2.0
// Frames survive any cut of the byte stream; what a hostile peer sends is an error that comes before memory is spent.
#include <catch2/catch.hpp>

#include <random>

#include "core/base/digest.h"
#include "core/wire/messages.h"

namespace sentinel {

TEST_CASE("frames come out whole wherever the stream is cut") {
  std::string stream = "motd\r\nlast login\n";
  stream += kPreamble;
  const std::vector<Frame> frames{{FrameType::kHello, "{}"}, {FrameType::kEvents, ""}, {FrameType::kPlan, std::string(70000, 'x')}};
  for (const auto& frame : frames) stream += encode_frame(frame.type, frame.payload);
  std::mt19937 random(20261121);
  for (int round = 0; round < 50; ++round) {
    FrameReader reader(FrameReader::Start::kAtPreamble);
    std::vector<Frame> seen;
    std::size_t at = 0;
    while (at < stream.size()) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 5000, stream.size() - at);
      reader.feed(std::string_view(stream).substr(at, size));
      at += size;
      for (;;) {
        auto frame = reader.next();
        REQUIRE(frame.ok());
        if (!*frame) break;
        seen.push_back(**frame);
      }
    }
    CHECK(seen == frames);
    CHECK(reader.noise() == "motd\r\nlast login\n");
  }
}

TEST_CASE("an announced size above the limit is refused before the payload arrives") {
  FrameReader reader(FrameReader::Start::kAtFrame);
  reader.feed(std::string("\xff\xff\xff\xff\x01", 5));
  CHECK(reader.next().error().code == "wire.oversized");
}

TEST_CASE("an unknown frame type is refused") {
  FrameReader reader(FrameReader::Start::kAtFrame);
  reader.feed(std::string("\0\0\0\0\x0f", 5));
  CHECK(reader.next().error().code == "wire.unknown-type");
}

TEST_CASE("endless chatter before the preamble is refused") {
  FrameReader reader(FrameReader::Start::kAtPreamble);
  reader.feed(std::string(kMaxNoise + 100, 'x'));
  CHECK(reader.next().error().code == "wire.noise");
}

TEST_CASE("a content of several chunks arrives whole and a wrong digest is refused") {
  const std::string bytes(kContentChunk * 2 + 17, 'y');
  const ContentRef reference{sha256_hex(bytes), true, bytes.size()};
  FrameReader reader(FrameReader::Start::kAtFrame);
  reader.feed(encode_content(reference, bytes));
  ContentCollector collector;
  std::optional<ContentCollector::Arrived> arrived;
  int chunks = 0;
  for (auto frame = reader.next(); frame.ok() && *frame; frame = reader.next()) {
    auto result = collector.accept((*frame)->payload);
    REQUIRE(result.ok());
    arrived = *result;
    ++chunks;
  }
  CHECK(chunks == 3);
  REQUIRE(arrived.has_value());
  CHECK(arrived->reference == reference);
  CHECK(arrived->bytes == bytes);
  ContentCollector other;
  CHECK(other.accept(std::string(64, 'a') + '\x02' + "text").error().code == "wire.content-digest");
  CHECK(other.accept("short").error().code == "wire.malformed");
}

TEST_CASE("secrets of any bytes survive the wire and malformed ones are refused without quoting them") {
  SecretValues values;
  values.emplace("A", Secret(std::string("\0\xff\n\"'$", 6)));
  values.emplace("B", Secret(""));
  const std::string frame = encode_secrets(values);
  const auto back = decode_secrets(frame.substr(5));
  REQUIRE(back.ok());
  CHECK(*back == values);
  const auto error = decode_secrets(R"({"A":"hunter2!"})").error();
  CHECK(error.code == "wire.malformed");
  CHECK(error.message.find("hunter2") == std::string::npos);
}

TEST_CASE("transaction ids are 32 hex digits and fresh") {
  CHECK(is_transaction_id(new_transaction_id()));
  CHECK(new_transaction_id() != new_transaction_id());
  CHECK_FALSE(is_transaction_id("../../etc/passwd"));
  CHECK_FALSE(is_transaction_id(std::string(32, 'G')));
}

}  // namespace sentinel
