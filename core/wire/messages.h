// SPDX-License-Identifier: Apache-2.0
// The payloads of frames that aren't model values themselves, and the encodings of contents and secrets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/model/facts.h"
#include "core/model/json.h"
#include "core/model/plan.h"
#include "core/model/request.h"
#include "core/model/transaction_id.h"
#include "core/wire/frame.h"

namespace sentinel {

/// Raised with any change a peer of the other version would misread.
inline constexpr std::uint32_t kProtocol = 1;

/// The first frame of an agent: who it is and what the host is like.
struct Hello {
  std::uint32_t protocol = kProtocol;
  std::string version;
  std::string digest;  ///< SHA-256 of the agent's own file
  Facts facts;
  std::uint64_t generation = 0;  ///< 0: nothing was ever applied
  std::string audit_head;        ///< digest of the last line of the audit log; empty when there is none
  std::string transaction;       ///< one that is running, waits for a confirmation, or needs recovery; else empty

  bool operator==(const Hello&) const = default;
};

struct Install {
  std::uint64_t size = 0;
  std::string sha256;

  bool operator==(const Install&) const = default;
};

struct Need {
  std::vector<ContentRef> contents;

  bool operator==(const Need&) const = default;
};

/// Applies what was planned last on this connection.
struct Begin {
  std::string transaction;  ///< 32 hex digits, fresh (or a saved plan's own): refused when the journal knows it
  std::string observed;     ///< Plan::observed of the plan the operator saw

  bool operator==(const Begin&) const = default;
};

struct Attach {
  std::string transaction;   ///< empty: the running or the last one
  std::uint64_t offset = 0;  ///< of the event log, in bytes

  bool operator==(const Attach&) const = default;
};

struct TransactionName {
  std::string transaction;

  bool operator==(const TransactionName&) const = default;
};

struct Extend {
  std::string transaction;
  std::uint32_t seconds = 0;

  bool operator==(const Extend&) const = default;
};

struct RestoreGeneration {
  std::uint64_t generation = 0;
  Request request;  ///< host, purpose, operator and timeouts; its resources are replaced by the generation's

  bool operator==(const RestoreGeneration&) const = default;
};

/// topic: "status", "history", "releases" (name: the application), "audit" (name: digest of a line the log held once).
struct Ask {
  std::string topic;
  std::string name;

  bool operator==(const Ask&) const = default;
};

/// Answered with kLogs frames, then kEnd; while `follow` goes on, until the peer leaves.
struct ReadLogs {
  std::string app;
  std::uint32_t lines = 0;  ///< so many of the last ones
  bool follow = false;

  bool operator==(const ReadLogs&) const = default;
};

void to_json(nlohmann::json& json, const Hello& value);
void from_json(const nlohmann::json& json, Hello& value);
void to_json(nlohmann::json& json, const Install& value);
void from_json(const nlohmann::json& json, Install& value);
void to_json(nlohmann::json& json, const Need& value);
void from_json(const nlohmann::json& json, Need& value);
void to_json(nlohmann::json& json, const Begin& value);
void from_json(const nlohmann::json& json, Begin& value);
void to_json(nlohmann::json& json, const Attach& value);
void from_json(const nlohmann::json& json, Attach& value);
void to_json(nlohmann::json& json, const TransactionName& value);
void from_json(const nlohmann::json& json, TransactionName& value);
void to_json(nlohmann::json& json, const Extend& value);
void from_json(const nlohmann::json& json, Extend& value);
void to_json(nlohmann::json& json, const RestoreGeneration& value);
void from_json(const nlohmann::json& json, RestoreGeneration& value);
void to_json(nlohmann::json& json, const Ask& value);
void from_json(const nlohmann::json& json, Ask& value);
void to_json(nlohmann::json& json, const ReadLogs& value);
void from_json(const nlohmann::json& json, ReadLogs& value);

template <typename T>
std::string encode_message(FrameType type, const T& message) {
  return encode_frame(type, to_text(nlohmann::json(message)));
}

/// Payload to message; `wire.malformed` with what was wrong.
template <typename T>
Result<T> decode_message(const std::string& payload) {
  auto json = parse_json(payload);
  if (!json.ok()) return Error("wire.malformed", "a frame holds no JSON: " + json.error().message);
  auto value = decode<T>(*json);
  if (!value.ok()) return Error("wire.malformed", "a frame holds the wrong JSON: " + value.error().message);
  return value;
}

/// The Error in a kFailed frame; when there is none, the error that says so.
Error decode_failure(const std::string& payload);

/// A whole content as kContent frames: 64 hex digits of the digest, one flag byte (1 holes, 2 last), then bytes.
std::string encode_content(const ContentRef& reference, std::string_view bytes);

/// Collects kContent frames; contents whose digest isn't that of their bytes are refused (`wire.content-digest`).
class ContentCollector {
 public:
  struct Arrived {
    ContentRef reference;
    std::string bytes;
  };

  /// The content when this was its last chunk.
  Result<std::optional<Arrived>> accept(const std::string& payload);

 private:
  std::string digest_;
  std::string bytes_;
};

/// Of all contents of one conversation together, in bytes.
inline constexpr std::size_t kMaxContent = 64 * 1024 * 1024;

std::string encode_secrets(const SecretValues& values);
Result<SecretValues> decode_secrets(const std::string& payload);

}  // namespace sentinel
