// SPDX-License-Identifier: Apache-2.0
// Waiting on a stream: no edge is lost, the peer's end neither, whatever was read in between; and who may end a wait.
#include "proxy/net/stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "proxy/net/output.h"
#include "proxy/net/waiter.h"

namespace sentinel::proxy {
namespace {

constexpr std::chrono::milliseconds kLong{60'000};

struct Pair {
  Pair() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    stream.emplace(loop, Descriptor(ends[0]));
    peer = Descriptor(ends[1]);
  }

  void say(std::string_view bytes) const {
    REQUIRE(::write(peer.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }

  /// Runs until the task has ended.
  template <typename Body>
  void run(Body body) {
    loop.spawn(body(*this));
    loop.run();
  }

  Loop loop;
  std::optional<Stream> stream;
  Descriptor peer;
};

/// What a reader sees that waits whenever there is nothing, up to the peer's end.
Task<std::string> read_all(Stream& stream, std::size_t room) {
  std::string seen;
  std::array<char, 64> bytes{};
  for (;;) {
    if (stream.may_read()) {
      const IoResult read = stream.read_some({bytes.data(), room});
      if (read.status == IoStatus::kDone) {
        seen.append(bytes.data(), read.bytes);
        continue;
      }
      if (read.status != IoStatus::kAgain) break;
    }
    co_await stream.wait_readable();
  }
  co_return seen;
}

Task<void> hear_the_end(Pair& pair) {
  const std::string seen = co_await read_all(*pair.stream, 64);
  CHECK(seen == "last words");
  pair.loop.stop();
}

Task<void> hear_piece_by_piece(Pair& pair) {
  const std::string seen = co_await read_all(*pair.stream, 4);
  CHECK(seen == "twelve bytes");
  pair.loop.stop();
}

Task<void> talk_and_listen(Pair& pair) {
  std::array<char, 64> bytes{};
  for (int round = 0; round < 100; ++round) {
    pair.say("x");
    co_await pair.stream->wait_readable();
    const IoResult read = pair.stream->read_some(bytes);
    REQUIRE(read.status == IoStatus::kDone);
    REQUIRE(read.bytes == 1);
    REQUIRE_FALSE(pair.stream->may_read());
  }
  pair.loop.stop();
}

Task<void> be_interrupted(Pair& pair) {
  StreamDeadline deadline(*pair.stream);
  deadline.arm(std::chrono::milliseconds(1));
  const WaitResult first = co_await pair.stream->wait_readable();
  CHECK(first == WaitResult::kInterrupted);
  CHECK(deadline.expired());
  // Asked before the wait: the next one ends, the one after it waits again.
  pair.stream->interrupt();
  const WaitResult second = co_await pair.stream->wait_readable();
  CHECK(second == WaitResult::kInterrupted);
  pair.say("x");
  const WaitResult third = co_await pair.stream->wait_readable();
  CHECK(third == WaitResult::kReady);
  pair.loop.stop();
}

Task<void> close_while_waiting(Pair& pair) {
  const WaitResult waited = co_await pair.stream->wait_readable();
  CHECK(waited == WaitResult::kInterrupted);
  pair.loop.stop();
}

Task<void> fill_and_wait(Pair& pair) {
  const std::string much(std::size_t{1} << 20, 'm');
  Output out(*pair.stream);
  out.add(much);
  REQUIRE(out.send_now() == IoStatus::kAgain);
  std::size_t taken = 0;
  std::thread reader([&] {
    std::array<char, 65536> bytes{};
    while (taken < much.size()) {
      const ssize_t got = ::recv(pair.peer.get(), bytes.data(), bytes.size(), 0);
      if (got > 0) taken += static_cast<std::size_t>(got);
    }
  });
  const bool stop = false;
  const FlushEnd flushed = co_await out.flush({}, stop);
  reader.join();
  CHECK(flushed == FlushEnd::kDone);
  CHECK(taken == much.size());
  pair.loop.stop();
}

struct Watching {
  static void gone(void* self) { static_cast<Watching*>(self)->left = true; }

  bool left = false;
};

Task<void> watch_a_client(Pair& pair) {
  Watching watching;
  {
    const PeerWatch watch(*pair.stream, &Watching::gone, &watching);
    pair.peer.close();
    while (!watching.left) co_await pause_for(pair.loop, std::chrono::milliseconds(1));
  }
  CHECK(watching.left);
  pair.loop.stop();
}

Task<void> wait_for_another_thread(Pair& pair) {
  Waiter waiter(pair.loop);
  std::thread other([&] { pair.loop.post([&] { waiter.wake(); }); });
  const bool woken = co_await waiter.wait(kLong);
  other.join();
  CHECK(woken);
  // A waiter that nobody wakes says so.
  const bool again = co_await waiter.wait(std::chrono::milliseconds(1));
  CHECK_FALSE(again);
  pair.loop.stop();
}

Task<void> watch_one_that_has_left(Pair& pair) {
  pair.peer.close();
  // Long enough for the loop to hear of it while nobody watches.
  co_await pause_for(pair.loop, std::chrono::milliseconds(1));
  REQUIRE(pair.stream->may_read());
  Watching watching;
  const PeerWatch watch(*pair.stream, &Watching::gone, &watching);
  CHECK(watching.left);
  pair.loop.stop();
}

struct Ending {
  explicit Ending(bool& told) : ended(told) {}

  ~Ending() { ended = true; }

  bool& ended;
};

Task<void> wait_for_ever(Pair& pair, bool& ended) {
  const Ending ending(ended);
  Stream own(pair.loop, Descriptor(::dup(pair.stream->descriptor())));
  pair.loop.stop();
  co_await own.wait_readable();
  FAIL("nothing was said");
}

}  // namespace

TEST_CASE("what came with the peer's end is read, and then the end") {
  Pair pair;
  pair.say("last words");
  pair.peer.close();
  pair.run(hear_the_end);
}

TEST_CASE("what doesn't fit into one read is no edge of its own") {
  Pair pair;
  pair.say("twelve bytes");
  pair.peer.close();
  pair.run(hear_piece_by_piece);
}

TEST_CASE("each word is heard once, and a read that took it all leaves nothing to try") {
  Pair pair;
  pair.run(talk_and_listen);
}

TEST_CASE("a wait can be ended, also before it has begun") {
  Pair pair;
  pair.run(be_interrupted);
}

TEST_CASE("a stream that is closed ends its wait") {
  Pair pair;
  pair.loop.post([&] { pair.loop.post([&] { pair.stream->close(); }); });
  pair.run(close_while_waiting);
}

TEST_CASE("a full stream is written on when there is room again") {
  Pair pair;
  pair.run(fill_and_wait);
}

TEST_CASE("a client that leaves is noticed while its answer is made") {
  Pair pair;
  pair.run(watch_a_client);
}

TEST_CASE("a client that left before anybody watched is noticed too") {
  Pair pair;
  pair.run(watch_one_that_has_left);
}

TEST_CASE("a waiter is woken from another thread by way of the loop, or by time") {
  Pair pair;
  pair.run(wait_for_another_thread);
}

TEST_CASE("a task that waits when its loop ends is destroyed with what it holds") {
  bool ended = false;
  {
    Pair pair;
    pair.loop.spawn(wait_for_ever(pair, ended));
    pair.loop.run();
    CHECK_FALSE(ended);
  }
  CHECK(ended);
}

}  // namespace sentinel::proxy
