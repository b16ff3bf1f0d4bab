// SPDX-License-Identifier: Apache-2.0
// Frames between sentinelctl and the agent, and between the agent's session and its transaction. The format is
// docs/formats/wire.md: a preamble once per direction of the agent, then u32 length (big endian), u8 type, payload.
// What arrives is input from a peer that may be hostile: sizes are checked before anything is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sentinel {

/// Said by the agent before its first frame, so that what a login shell prints before it can be told apart.
inline constexpr std::string_view kPreamble{"\0SNTL/1\n", 8};
/// More than this before the preamble is not noise any more.
inline constexpr std::size_t kMaxNoise = 64 * 1024;
/// Of one frame's payload. Contents travel in chunks, so only a plan with many diffs comes near.
inline constexpr std::size_t kMaxPayload = 8 * 1024 * 1024;
inline constexpr std::size_t kContentChunk = 256 * 1024;

enum class FrameType : std::uint8_t {
  // agent to sentinelctl
  kHello = 1,    ///< Hello
  kNeed = 2,     ///< contents the host lacks: answered with kContent frames and the same question again
  kPlan = 3,     ///< Plan, the answer to kRequest and kGeneration
  kEvents = 4,   ///< raw bytes of the event log
  kEnd = 5,      ///< the event log has ended
  kFailed = 6,   ///< Error; the conversation goes on unless it was a protocol error
  kAnswer = 7,   ///< JSON, the answer to kAsk
  kAccepted = 8, ///< {}: kConfirm, kExtend or kAbort was taken
  kRecord = 9,   ///< HostRecord, the answer to kAudit
  kLogs = 10,    ///< raw bytes of an application's log, whole lines; kEnd follows when there is no more
  // sentinelctl to agent
  kInstall = 16,     ///< Install, followed by exactly size raw bytes: the successor of this agent
  kRequest = 17,     ///< Request: plan this
  kSecrets = 18,     ///< JSON object name -> base64 value; kept in memory only until a transaction begins
  kContent = 19,     ///< one chunk of a content, see encode_content_chunk
  kBegin = 20,       ///< Begin: apply what was planned last
  kAttach = 21,      ///< Attach: follow a transaction from a byte offset of its event log
  kConfirm = 22,     ///< TransactionName: the operator is in again
  kExtend = 23,      ///< Extend
  kAbort = 24,       ///< TransactionName: revert, please
  kAsk = 25,         ///< Ask: a read-only question
  kGeneration = 26,  ///< RestoreGeneration: plan the way back to that generation
  kAudit = 27,       ///< AuditRequest: look, and say what was seen
  kReadLogs = 28,    ///< ReadLogs: what the release in force logged
};

/// A type this protocol version knows.
bool is_known(std::uint8_t type);

struct Frame {
  FrameType type = FrameType::kFailed;
  std::string payload;

  bool operator==(const Frame&) const = default;
};

std::string encode_frame(FrameType type, std::string_view payload);

/// Cuts a byte stream into frames. Feed what arrives, take what is whole.
class FrameReader {
 public:
  enum class Start { kAtPreamble, kAtFrame };

  explicit FrameReader(Start start) : in_preamble_(start == Start::kAtPreamble) {}

  void feed(std::string_view bytes) { buffer_.append(bytes); }

  /// The next whole frame; nothing when more bytes are needed. Errors: `wire.noise` (no preamble within kMaxNoise),
  /// `wire.oversized`, `wire.unknown-type`; after one the stream can't be used any more.
  Result<std::optional<Frame>> next();

  /// What came before the preamble (a login shell's chatter), for messages.
  const std::string& noise() const { return noise_; }
  /// Bytes fed and not yet taken as frames (raw bytes that follow kInstall).
  std::string take_rest();

 private:
  Result<bool> pass_preamble();

  bool in_preamble_;
  std::string buffer_;
  std::size_t start_ = 0;
  std::string noise_;
};

}  // namespace sentinel
