// SPDX-License-Identifier: Apache-2.0
// The bytes of a journal: records to lines and back, and the decision between a torn tail and damage. See
// docs/formats/journal.md.
#include "core/engine/journal_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/base/digest.h"
#include "core/engine/journal.h"
#include "core/model/json.h"
#include "core/model/json_fields.h"
#include "core/model/kind_codec.h"

namespace sentinel {

template <>
inline constexpr std::string_view kind_name<journal::Begin> = "begin";
template <>
inline constexpr std::string_view kind_name<journal::Intent> = "intent";
template <>
inline constexpr std::string_view kind_name<journal::Done> = "done";
template <>
inline constexpr std::string_view kind_name<journal::EffectPaid> = "effect-paid";
template <>
inline constexpr std::string_view kind_name<journal::RolloutPhase> = "rollout-phase";
template <>
inline constexpr std::string_view kind_name<journal::GuardArmed> = "guard-armed";
template <>
inline constexpr std::string_view kind_name<journal::Activated> = "activated";
template <>
inline constexpr std::string_view kind_name<journal::AwaitConfirm> = "await-confirm";
template <>
inline constexpr std::string_view kind_name<journal::Confirmed> = "confirmed";
template <>
inline constexpr std::string_view kind_name<journal::Commit> = "commit";
template <>
inline constexpr std::string_view kind_name<journal::RevertBegin> = "revert-begin";
template <>
inline constexpr std::string_view kind_name<journal::RevertedStep> = "reverted-step";
template <>
inline constexpr std::string_view kind_name<journal::FilesRestored> = "files-restored";
template <>
inline constexpr std::string_view kind_name<journal::RevertEnd> = "revert-end";
template <>
inline constexpr std::string_view kind_name<journal::Closed> = "closed";

namespace journal {
namespace {

constexpr std::string_view kMagic = "sentinel-journal ";
constexpr std::size_t kLengthDigits = 8;
constexpr std::size_t kCheckDigits = 16;
constexpr std::size_t kHeader = kLengthDigits + 1 + kCheckDigits + 1;  // "llllllll cccccccccccccccc "

std::string checksum(const std::string& chain, std::string_view payload) {
  Sha256 sum;
  sum.update(chain);
  sum.update(payload);
  return sum.finish_hex().substr(0, kCheckDigits);
}

std::optional<std::size_t> parse_length(std::string_view digits) {
  std::size_t value = 0;
  for (const char c : digits) {
    if (c >= '0' && c <= '9') {
      value = value * 16 + static_cast<std::size_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value * 16 + static_cast<std::size_t>(c - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

struct Line {
  std::string_view payload;
  std::string check;
  std::size_t size = 0;
};

// The record that begins `rest`, when it is whole and its checksum holds.
std::optional<Line> intact_line(std::string_view rest, const std::string& chain) {
  if (rest.size() < kHeader) return std::nullopt;
  const auto length = parse_length(rest.substr(0, kLengthDigits));
  if (!length || *length > rest.size() - kHeader) return std::nullopt;
  const std::size_t size = kHeader + *length + 1;
  if (rest.size() < size || rest[size - 1] != '\n') return std::nullopt;
  if (rest[kLengthDigits] != ' ' || rest[kHeader - 1] != ' ') return std::nullopt;
  const auto payload = rest.substr(kHeader, *length);
  auto check = checksum(chain, payload);
  if (rest.substr(kLengthDigits + 1, kCheckDigits) != check) return std::nullopt;
  return Line{payload, std::move(check), size};
}

// True when `rest` can be what a power cut leaves of one append: the beginning of a line, or a line whose blocks were
// not all written (they read as zeros). JSON holds neither newline nor NUL, so a newline before the end means that
// something follows.
bool is_torn(std::string_view rest) {
  const auto newline = rest.find('\n');
  if (newline != std::string_view::npos && newline + 1 != rest.size()) return false;
  if (rest.find('\0') != std::string_view::npos) return true;
  if (newline != std::string_view::npos) return false;
  if (rest.size() < kHeader) return true;
  const auto length = parse_length(rest.substr(0, kLengthDigits));
  return length && rest.size() < kHeader + *length + 1;
}

Error corrupt(std::size_t offset, const std::string& what) {
  return Error("journal.corrupt", fmt::format("the journal is damaged at byte {}: {}", offset, what),
               "nothing was touched; look at the host, put right what the transaction left, then move the journal's "
               "directory away",
               ExitCode::kStuck);
}

}  // namespace

SENTINEL_JSON_FIELDS(Begin, transaction, request, agent, boot_id, started, deadline_ns, base_generation,
                     operator_address, states)
SENTINEL_JSON_FIELDS(Intent, step, id, undo, irreversible, effects)
SENTINEL_JSON_FIELDS(Done, step)
SENTINEL_JSON_FIELDS(EffectPaid, effect)
SENTINEL_JSON_FIELDS(RolloutPhase, phase, former)
SENTINEL_JSON_FIELDS(GuardArmed, deadline_ns)
SENTINEL_JSON_FIELDS(Activated, since_boot_ns)
SENTINEL_JSON_FIELDS(AwaitConfirm, deadline_ns)
SENTINEL_JSON_FIELDS(Confirmed, by)
SENTINEL_JSON_FIELDS(Commit, generation, changed, time)
SENTINEL_JSON_FIELDS(RevertBegin, why, exit)
SENTINEL_JSON_FIELDS(RevertedStep, step)
SENTINEL_JSON_FIELDS(FilesRestored, boot_id)
SENTINEL_JSON_FIELDS(RevertEnd, left)
SENTINEL_JSON_FIELDS(Closed, outcome)

void to_json(nlohmann::json& json, const Record& value) {
  encode_kind(json, value);
}

void from_json(const nlohmann::json& json, Record& value) {
  value = decode_kind<Record>(json);
}

std::string first_line() {
  return std::string(kMagic) + "1\n";
}

std::string line_of(const Record& record, std::string& chain) {
  nlohmann::json json;
  to_json(json, record);
  return frame(to_text(json), chain);
}

std::string frame(std::string_view payload, std::string& chain) {
  chain = checksum(chain, payload);
  return fmt::format("{:08x} {} {}\n", payload.size(), chain, payload);
}

Result<Reading> read(const std::string& bytes) {
  Reading reading;
  const auto first = first_line();
  if (bytes.size() < first.size() && first.compare(0, bytes.size(), bytes) == 0) return reading;
  if (!bytes.starts_with(first)) {
    if (!bytes.starts_with(kMagic)) return corrupt(0, "it does not begin with the signature");
    return Error("journal.version", "the journal was written in a format this agent does not know",
                 "use the agent that wrote it, or a newer one", ExitCode::kStuck);
  }
  std::size_t offset = first.size();
  while (offset < bytes.size()) {
    const auto rest = std::string_view(bytes).substr(offset);
    const auto line = intact_line(rest, reading.chain);
    if (!line) {
      if (is_torn(rest)) break;
      return corrupt(offset, "the record's length or checksum is wrong");
    }
    const auto json = parse_json(std::string(line->payload));
    if (!json.ok()) return corrupt(offset, json.error().message);
    auto record = decode<Record>(*json);
    if (!record.ok()) return corrupt(offset, record.error().message);
    reading.records.push_back(std::move(record).value());
    reading.chain = line->check;
    offset += line->size;
  }
  reading.valid_bytes = offset;
  return reading;
}

bool is_closed(const std::string& bytes) {
  if (bytes.size() < 2 || bytes.back() != '\n') return false;
  const auto last = bytes.rfind('\n', bytes.size() - 2);
  if (last == std::string::npos || last == 0) return false;
  // The checksum continues the one that the record before it begins with.
  const auto before = bytes.rfind('\n', last - 1);
  if (before == std::string::npos || last - before < kHeader) return false;
  const auto chain = bytes.substr(before + 1 + kLengthDigits + 1, kCheckDigits);
  const auto line = intact_line(std::string_view(bytes).substr(last + 1), chain);
  if (!line) return false;
  const auto json = parse_json(std::string(line->payload));
  return json.ok() && json->is_object() && json->contains(std::string(kind_name<Closed>));
}

}  // namespace journal
}  // namespace sentinel
