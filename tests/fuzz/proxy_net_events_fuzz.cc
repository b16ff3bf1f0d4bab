// SPDX-License-Identifier: Apache-2.0
// The reader of server-sent events: no byte is lost or invented, and however the stream is cut, the same events with
// the same data come out.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/sse_reader.h"

using namespace sentinel::proxy;

namespace {

struct Seen {
  std::string bytes;
  std::vector<std::string> data;
  bool oversized = false;
};

void take(Seen& seen, const SseEvent& event) {
  seen.bytes.append(event.raw);
  if (!event.tail) seen.data.emplace_back(event.data);
}

Seen read_in(std::string_view bytes, std::uint8_t first, std::uint8_t rest) {
  Seen seen;
  SseReader reader(256);
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size = std::min<std::size_t>(bytes.size() - at, at == 0 ? 1 + first : 1 + rest % 13);
    const std::string piece(bytes.substr(at, size));
    for (const SseEvent& event : reader.feed(piece)) take(seen, event);
    at += size;
  }
  if (const auto last = reader.finish_last()) take(seen, *last);
  seen.oversized = reader.oversized();
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Seen cut = read_in(bytes, data[0], data[1]);
  if (cut.bytes != bytes) std::abort();
  const Seen dripping = read_in(bytes, 0, 0);
  if (dripping.bytes != bytes) std::abort();
  // Where an event outgrows the reader depends on how much arrives at a time; behind that nothing is looked at.
  if (!cut.oversized && !dripping.oversized && cut.data != dripping.data) std::abort();
  return 0;
}
