// SPDX-License-Identifier: Apache-2.0
// Frames from a peer that may be hostile: any bytes are frames or an error, however they are cut up on their way; a
// frame that was read is written again to the same bytes; a payload is a message or an error, and a message can be
// written and read.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/model/observation.h"
#include "core/wire/messages.h"

namespace {

using namespace sentinel;

void demand(bool holds) {
  if (!holds) std::abort();
}

struct Reading {
  std::vector<Frame> frames;
  std::string error;
  std::string noise;

  bool operator==(const Reading&) const = default;
};

Reading read(std::string_view bytes, std::size_t piece) {
  FrameReader reader(FrameReader::Start::kAtPreamble);
  Reading reading;
  for (std::size_t from = 0; from < bytes.size() && reading.error.empty(); from += piece) {
    reader.feed(bytes.substr(from, piece));
    for (;;) {
      auto frame = reader.next();
      if (!frame.ok()) {
        reading.error = frame.error().code;
        demand(!reading.error.empty() && !frame.error().message.empty());
        break;
      }
      if (!*frame) break;
      demand((*frame)->payload.size() <= kMaxPayload);
      reading.frames.push_back(std::move(**frame));
    }
  }
  reading.noise = reader.noise();
  return reading;
}

template <typename T>
void try_message(const std::string& payload) {
  const auto message = decode_message<T>(payload);
  if (!message.ok()) {
    demand(message.error().code == "wire.malformed");
    return;
  }
  const auto again = decode_message<T>(to_text(nlohmann::json(*message)));
  demand(again.ok() && *again == *message);
}

void try_payload(const Frame& frame, ContentCollector& collector) {
  switch (frame.type) {
    case FrameType::kHello: return try_message<Hello>(frame.payload);
    case FrameType::kNeed: return try_message<Need>(frame.payload);
    case FrameType::kPlan: return try_message<Plan>(frame.payload);
    case FrameType::kFailed: return demand(!decode_failure(frame.payload).message.empty());
    case FrameType::kInstall: return try_message<Install>(frame.payload);
    case FrameType::kRequest: return try_message<Request>(frame.payload);
    case FrameType::kSecrets: (void)decode_secrets(frame.payload); return;
    case FrameType::kContent: (void)collector.accept(frame.payload); return;
    case FrameType::kBegin: return try_message<Begin>(frame.payload);
    case FrameType::kAttach: return try_message<Attach>(frame.payload);
    case FrameType::kConfirm:
    case FrameType::kAbort: return try_message<TransactionName>(frame.payload);
    case FrameType::kExtend: return try_message<Extend>(frame.payload);
    case FrameType::kAsk: return try_message<Ask>(frame.payload);
    case FrameType::kGeneration: return try_message<RestoreGeneration>(frame.payload);
    case FrameType::kAudit: return try_message<AuditRequest>(frame.payload);
    case FrameType::kRecord: return try_message<HostRecord>(frame.payload);
    case FrameType::kReadLogs: return try_message<ReadLogs>(frame.payload);
    case FrameType::kEvents:
    case FrameType::kLogs:
    case FrameType::kEnd:
    case FrameType::kAnswer:
    case FrameType::kAccepted: return;
  }
  demand(false);  // the reader lets no other type through
}

void try_stream(std::string_view bytes) {
  const Reading whole = read(bytes, bytes.size() + 1);
  // Beyond kMaxNoise it depends on the pieces when the reader gives up.
  if (bytes.size() <= kMaxNoise) {
    for (const std::size_t piece : {1, 3, 7}) demand(read(bytes, piece) == whole);
  }
  ContentCollector collector;
  std::string written(kPreamble);
  for (const Frame& frame : whole.frames) {
    try_payload(frame, collector);
    written += encode_frame(frame.type, frame.payload);
  }
  if (!whole.frames.empty()) demand(bytes.substr(whole.noise.size()).starts_with(written));
}

}  // namespace

// The input is tried as a stream and, since lengths hardly ever survive a mutation, line by line as payloads: the first
// byte of a line says of which type.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  try_stream(input);
  std::string framed(kPreamble);
  for (std::size_t from = 0; from < input.size();) {
    const auto to = std::min(input.find('\n', from), input.size());
    const auto line = input.substr(from, to - from);
    const auto type = line.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(line.front() - '@');
    if (is_known(type)) framed += encode_frame(static_cast<FrameType>(type), line.substr(1));
    from = to + 1;
  }
  try_stream(framed);
  return 0;
}
