// SPDX-License-Identifier: Apache-2.0
// One worker's connection to Redis. Commands are pipelined and each has a deadline. Asking never fails otherwise than
// by "no answer", and while Redis is away it costs nothing: the connection counts as there only between an answered
// PING and the first trouble, and coming back is tried in the background, ever more rarely.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/dial.h"
#include "proxy/net/output.h"
#include "proxy/net/waiter.h"
#include "proxy/redis/redis_address.h"
#include "proxy/redis/redis_reply.h"

namespace sentinel::proxy {

struct RedisTimes {
  std::chrono::milliseconds command{20};      ///< from asking to the reply
  std::chrono::milliseconds connect{1000};    ///< of connecting, and again of the greeting
  std::chrono::milliseconds first_pause{50};  ///< before the second attempt; doubles
  std::chrono::milliseconds longest_pause{2000};
};

/// What all workers' clients have in common to be looked at. Any thread.
struct RedisHealth {
  std::atomic<int> connected{0};  ///< clients that could ask now
  std::atomic<std::uint64_t> timeouts{0};
  std::atomic<std::uint64_t> connections{0};  ///< made
};

using RedisCommand = std::vector<std::string>;

/// A Lua script; run by its digest, so that its text travels once.
struct RedisScript {
  explicit RedisScript(std::string text);

  std::string text;
  std::string digest;  ///< SHA-1 in hex, as EVALSHA takes it
};

class RedisClient {
 public:
  /// `told` hears of the connection coming (true) and going, with a reason, and of TLS that fails, once for each
  /// reason; may be empty.
  using Told = std::function<void(bool connected, std::string_view reason)>;

  RedisClient(Loop& loop, DialTools tools, const RedisAddress& address, RedisTimes times, RedisHealth& health,
              Told told);
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;

  /// The reply, which may be an error of Redis; nothing when there was none in time. Worker's thread.
  Task<std::optional<RedisReply>> ask(RedisCommand command);
  /// `words` are the count of keys, the keys, and the arguments.
  Task<std::optional<RedisReply>> run(const RedisScript& script, std::vector<std::string> words);
  /// Sends without waiting; lost when Redis is away, or takes in more slowly than it is told.
  void tell(RedisCommand command);

  bool ready() const { return ready_; }

 private:
  struct Asking;
  struct Connected;

  Task<void> keep_connected();
  /// From the connection's first byte to its end; the reason it ended.
  Task<std::string_view> serve(Stream& stream);
  bool transmit(const RedisCommand& command);
  /// Takes in what has arrived. Empty: go on; otherwise why the connection can't be used further.
  std::string_view look();
  bool take(RedisReply reply);
  void break_off();
  void set_ready(bool ready, std::string_view reason);

  Loop& loop_;
  DialTools tools_;
  RedisAddress address_;
  RedisTimes times_;
  RedisHealth& health_;
  Told told_;
  Stream* stream_ = nullptr;  ///< of the connection, while there is one
  Output* out_ = nullptr;
  std::unique_ptr<RedisReader> reader_;
  std::deque<Asking*> asking_;  ///< in the order of the replies; null: nobody waits any more
  int greeting_left_ = 0;       ///< replies of AUTH, SELECT and PING that are still due
  int timeouts_ = 0;            ///< in a row
  bool ready_ = false;
  bool broken_ = false;
};

}  // namespace sentinel::proxy
