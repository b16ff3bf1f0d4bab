// SPDX-License-Identifier: Apache-2.0
// Whether an upstream is worth asking. Failures in a row open the breaker; after a while one request at a time may try,
// and the first that succeeds closes it. Only what is the upstream's own fault is told to it as a failure.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>

namespace sentinel::proxy {

/// Shared by the workers; any thread.
class Breaker {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Rules {
    unsigned failures = 10;                  ///< in a row
    std::chrono::milliseconds open{30'000};  ///< then nobody asks for that long
  };

  enum class State { kClosed, kOpen, kTrial };

  explicit Breaker(Rules rules) : rules_(rules) {}

  /// Whether an attempt may begin. Each that was admitted is ended by exactly one of the three below.
  bool admit(Time now);
  void succeeded();
  void failed(Time now);
  /// It ended without telling anything about the upstream.
  void abandoned();

  /// The upstream asked to be left alone until then.
  void rest(Time until);

  /// How long nobody will be admitted; nothing: somebody would be.
  std::optional<std::chrono::milliseconds> closed_for(Time now) const;
  State state() const;

 private:
  Rules rules_;
  mutable std::mutex mutex_;
  unsigned failures_ = 0;
  State state_ = State::kClosed;
  Time open_until_{};
  Time rest_until_{};
};

}  // namespace sentinel::proxy
