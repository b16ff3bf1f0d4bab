// SPDX-License-Identifier: Apache-2.0
// A program running on a host, seen through its three streams. An interface, so that the exchange with the agent can be
// run over SSH, over a local process, or over a script in tests. One thread at a time.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sentinel {

/// No time limit; a dead peer still ends the wait, by keepalive.
inline constexpr std::chrono::milliseconds kNoLimit = std::chrono::milliseconds::max();

/// How a remote program ended.
struct ExitState {
  std::optional<int> status;  ///< missing: ended by a signal, or the host never said
  std::string signal;         ///< "TERM", without SIG; empty: none

  bool operator==(const ExitState&) const = default;
};

/// One piece of what a remote program wrote.
struct Received {
  enum class Kind {
    kOutput,       ///< bytes of standard output
    kErrorOutput,  ///< bytes of standard error
    kEnd,          ///< both streams have ended; repeated by further reads
    kTimeout,      ///< nothing within the limit; the channel is as before
  };
  Kind kind = Kind::kEnd;
  std::string bytes;
};

/// Errors of all waiting calls, exit code 8 unless named: `ssh.connection-lost` (closed, reset, or silent beyond the
/// keepalive limit), `ssh.interrupted` (exit code 130). An interrupted read or wait_exit may be repeated once the
/// interrupt descriptor is no longer readable; after any other error only destruction makes sense.
class Channel {
 public:
  virtual ~Channel() = default;

  /// Takes all of `bytes`, waiting for the peer's window; what the peer sends meanwhile is kept for `read`, so two
  /// sides that both write can't block each other. `ssh.timeout` when `limit` passes (some bytes may be on their way
  /// then), and `ssh.channel-closed` when the program no longer reads.
  virtual Result<void> write(std::string_view bytes, std::chrono::milliseconds limit = kNoLimit) = 0;

  /// The next piece of either stream, waiting up to `limit`; zero looks without waiting.
  virtual Result<Received> read(std::chrono::milliseconds limit = kNoLimit) = 0;

  /// Ends the program's standard input.
  virtual Result<void> send_eof() = 0;

  /// Waits for the program's end; output not read yet is kept for `read`.
  virtual Result<ExitState> wait_exit(std::chrono::milliseconds limit = kNoLimit) = 0;

  /// Ends the channel from our side without waiting; idempotent.
  virtual void close() = 0;
};

/// Everything a short command said.
struct CommandOutput {
  std::string output;
  std::string error_output;
  ExitState exit;
};

/// Writes `input`, ends it, and collects both streams up to `limit_bytes` in all (`ssh.output-too-large` beyond).
Result<CommandOutput> collect(Channel& channel, std::string_view input, std::chrono::milliseconds limit,
                              std::size_t limit_bytes = 64U << 20);

}  // namespace sentinel
