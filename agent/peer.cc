// SPDX-License-Identifier: Apache-2.0
// The session's stdin and stdout. Writing waits as long as the peer takes; a peer that is gone is an error.
#include <errno.h>
#include <unistd.h>

#include "agent/conversation.h"

namespace sentinel::agent {

Peer::Peer() : reader_(FrameReader::Start::kAtFrame) {}

Result<void> Peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (done < 0) {
      if (errno == EINTR) continue;
      return system_error(errno, "write to", "the session");
    }
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return {};
}

Result<bool> Peer::receive() {
  char buffer[64 * 1024];
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got > 0) {
      reader_.feed({buffer, static_cast<std::size_t>(got)});
      return true;
    }
    if (got == 0) return false;
    if (errno == EINTR) continue;
    return system_error(errno, "read from", "the session");
  }
}

Result<std::string> Peer::receive_raw(std::uint64_t size) {
  std::string bytes = reader_.take_rest();
  char buffer[64 * 1024];
  while (bytes.size() < size) {
    const ssize_t got = ::read(STDIN_FILENO, buffer, std::min<std::uint64_t>(sizeof buffer, size - bytes.size()));
    if (got == 0) return Error("wire.closed", "the session ended in the middle of an upload");
    if (got < 0) {
      if (errno == EINTR) continue;
      return system_error(errno, "read from", "the session");
    }
    bytes.append(buffer, static_cast<std::size_t>(got));
  }
  if (bytes.size() > size) return Error("wire.malformed", "more bytes came than were announced");
  return bytes;
}

}  // namespace sentinel::agent
