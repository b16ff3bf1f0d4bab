// SPDX-License-Identifier: Apache-2.0
// Codecs. Secrets travel base64-encoded, since JSON can't carry arbitrary bytes.
#include "core/wire/messages.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/digest.h"
#include "core/model/json_fields.h"

namespace sentinel {
namespace {

constexpr std::size_t kDigestLength = 64;
constexpr char kHoles = 1;
constexpr char kLast = 2;

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

SENTINEL_JSON_FIELDS(Hello, protocol, version, digest, facts, generation, audit_head, transaction)
SENTINEL_JSON_FIELDS(Install, size, sha256)
SENTINEL_JSON_FIELDS(Need, contents)
SENTINEL_JSON_FIELDS(Begin, transaction, observed)
SENTINEL_JSON_FIELDS(Attach, transaction, offset)
SENTINEL_JSON_FIELDS(TransactionName, transaction)
SENTINEL_JSON_FIELDS(Extend, transaction, seconds)
SENTINEL_JSON_FIELDS(RestoreGeneration, generation, request)
SENTINEL_JSON_FIELDS(Ask, topic, name)
SENTINEL_JSON_FIELDS(ReadLogs, app, lines, follow)

Error decode_failure(const std::string& payload) {
  const auto json = parse_json(payload);
  if (!json.ok()) return Error("wire.malformed", "a frame that should hold an error holds no JSON");
  try {
    return json->get<Error>();
  } catch (const nlohmann::json::exception& failure) {
    return Error("wire.malformed", failure.what());
  }
}

std::string encode_content(const ContentRef& reference, std::string_view bytes) {
  std::string out;
  do {
    const std::string_view chunk = bytes.substr(0, kContentChunk);
    bytes.remove_prefix(chunk.size());
    std::string payload = reference.digest;
    payload += static_cast<char>((reference.holes ? kHoles : 0) | (bytes.empty() ? kLast : 0));
    payload += chunk;
    out += encode_frame(FrameType::kContent, payload);
  } while (!bytes.empty());
  return out;
}

Result<std::optional<ContentCollector::Arrived>> ContentCollector::accept(const std::string& payload) {
  if (payload.size() <= kDigestLength || !is_lower_hex(std::string_view(payload).substr(0, kDigestLength))) {
    return Error("wire.malformed", "a content frame has no digest");
  }
  const std::string digest = payload.substr(0, kDigestLength);
  const char flags = payload[kDigestLength];
  if (!digest_.empty() && digest != digest_) return Error("wire.malformed", "chunks of two contents are mixed");
  digest_ = digest;
  bytes_.append(payload, kDigestLength + 1, std::string::npos);
  if (bytes_.size() > kMaxContent) return Error("wire.oversized", "a content is larger than is allowed");
  if ((flags & kLast) == 0) return std::optional<Arrived>();
  if (sha256_hex(bytes_) != digest_) return Error("wire.content-digest", "a content is not what its digest says");
  Arrived arrived{{digest_, (flags & kHoles) != 0, bytes_.size()}, std::move(bytes_)};
  digest_.clear();
  bytes_.clear();
  return std::optional<Arrived>(std::move(arrived));
}

std::string encode_secrets(const SecretValues& values) {
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [name, value] : values) json[name] = base64_encode(value.reveal());
  return encode_frame(FrameType::kSecrets, to_text(json));
}

Result<SecretValues> decode_secrets(const std::string& payload) {
  // Not decode_message: its errors quote the input.
  const auto json = nlohmann::json::parse(payload, nullptr, false);
  if (!json.is_object()) return Error("wire.malformed", "a secrets frame holds no JSON object");
  SecretValues out;
  for (const auto& [name, value] : json.items()) {
    auto bytes = value.is_string() ? base64_decode(value.get<std::string>()) : std::nullopt;
    if (!bytes) return Error("wire.malformed", fmt::format("the value of secret '{}' is not base64", name));
    out.emplace(name, Secret(std::move(*bytes)));
  }
  return out;
}

}  // namespace sentinel
