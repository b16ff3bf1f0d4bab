// SPDX-License-Identifier: Apache-2.0
// The agent's own pieces on this machine: following a log that grows, and the talk over the local socket.
#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <thread>

#include <catch2/catch.hpp>

#include "agent/control_server.h"
#include "agent/event_follower.h"
#include "core/base/digest.h"
#include "core/engine/state_directory.h"
#include "core/model/json.h"
#include "core/system/local_system.h"
#include "core/wire/messages.h"

namespace sentinel::agent {
namespace {

std::string line_of(Event::Type type) {
  Event event;
  event.type = type;
  return to_text(nlohmann::json(event)) + "\n";
}

void append(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::app) << text;
}

}  // namespace

TEST_CASE("a follower hands on whole lines only, from any offset, and knows the end") {
  const std::string path = "/tmp/sentinel-events-" + to_hex(random_bytes(8));
  EventFollower follower(path, 0);
  CHECK(follower.take().value().empty());
  const std::string first = line_of(Event::Type::kPhase);
  append(path, first + R"({"type":)");
  CHECK(follower.take().value() == first);
  CHECK_FALSE(follower.ended());
  append(path, "1}\n");
  CHECK(follower.take().value() == "{\"type\":1}\n");
  append(path, line_of(Event::Type::kResult));
  CHECK_FALSE(follower.take().value().empty());
  CHECK(follower.ended());
  EventFollower late(path, first.size());
  CHECK(late.take().value().starts_with("{\"type\":1}\n"));
  CHECK(late.ended());
  ::unlink(path.c_str());
}

TEST_CASE(
    "a transaction's ear takes a hand-over, an extension and an abort, and judges confirmations by their session") {
  LocalSystem machine;
  SystemClock clock;
  const std::string id = new_transaction_id();
  auto server = ControlServer::open(id, machine, clock);
  REQUIRE(server.ok());
  // Catch2's assertions belong to one thread: the owner says what went wrong.
  auto owner = std::async(std::launch::async, [&]() -> std::string {
    auto connection = LocalConnection::connect(StateDirectory{}.socket(id));
    if (!connection.ok()) return connection.error().message;
    Request request;
    request.host = "web-1";
    SecretValues secrets;
    secrets.emplace("A", Secret("x"));
    const ContentRef reference{sha256_hex("content"), false, 7};
    const auto sent = connection->send(
        encode_message(FrameType::kRequest, request) + encode_secrets(secrets) + encode_content(reference, "content") +
        encode_message(FrameType::kBegin, Handover{{id, "digest"}, "192.0.2.1", {"22"}}));
    if (!sent.ok()) return sent.error().message;
    const auto end = connection->await(std::chrono::seconds(20));
    if (!end.ok()) return end.error().message;
    return end->type == FrameType::kEnd ? "" : "not the frame of the end";
  });
  auto received = (*server)->receive_handover(std::chrono::seconds(10));
  REQUIRE(received.ok());
  CHECK(received->request.host == "web-1");
  CHECK(received->secrets.at("A") == Secret("x"));
  CHECK(received->contents.at(0).bytes == "content");
  CHECK(received->handover.operator_address == "192.0.2.1");
  (*server)->serve([] { FAIL("the owner has not gone"); });
  (*server)->mark_activated();

  auto visitor = LocalConnection::connect(StateDirectory{}.socket(id));
  REQUIRE(visitor.ok());
  REQUIRE(visitor->send(encode_message(FrameType::kConfirm, TransactionName{id})).ok());
  auto reply = visitor->await(std::chrono::seconds(10));
  REQUIRE(reply.ok());
  CHECK(decode_failure(reply->payload).code == "confirm.not-waiting");

  REQUIRE(visitor->send(encode_message(FrameType::kExtend, Extend{id, 30})).ok());
  REQUIRE(visitor->await(std::chrono::seconds(10)).ok());
  const auto now = clock.since_boot();
  auto waited = (*server)->wait_for_confirmation(now, now + std::chrono::seconds(1));
  CHECK(waited.answer == Control::Answer::kExtended);
  CHECK(waited.deadline > now + std::chrono::seconds(20));
  waited = (*server)->wait_for_confirmation(now, clock.since_boot() + std::chrono::milliseconds(10));
  CHECK(waited.answer == Control::Answer::kExpired);

  REQUIRE(visitor->send(encode_message(FrameType::kAbort, TransactionName{id})).ok());
  REQUIRE(visitor->await(std::chrono::seconds(10)).ok());
  CHECK((*server)->abort_requested());
  (*server)->finish(encode_message(FrameType::kEnd, Event{}));
  CHECK(owner.get().empty());
}

TEST_CASE("an owner that leaves before the activation abandons the transaction") {
  LocalSystem machine;
  SystemClock clock;
  const std::string id = new_transaction_id();
  std::promise<void> abandoned;
  auto server = ControlServer::open(id, machine, clock);
  REQUIRE(server.ok());
  {
    auto connection = LocalConnection::connect(StateDirectory{}.socket(id));
    REQUIRE(connection.ok());
    REQUIRE(connection
                ->send(encode_message(FrameType::kRequest, Request{}) +
                       encode_message(FrameType::kBegin, Handover{{id, ""}, "", {}}))
                .ok());
    REQUIRE((*server)->receive_handover(std::chrono::seconds(10)).ok());
    (*server)->serve([&] { abandoned.set_value(); });
  }
  CHECK(abandoned.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready);
  CHECK_FALSE((*server)->abort_requested());
}

}  // namespace sentinel::agent
