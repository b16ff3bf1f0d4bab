// SPDX-License-Identifier: Apache-2.0
// pread from the offset; only whole lines are handed on, so a reader never sees half an event.
#include "agent/event_follower.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/model/json.h"
#include "core/wire/frame.h"

namespace sentinel::agent {

Result<std::string> EventFollower::take() {
  if (!file_.valid()) {
    file_ = Descriptor(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file_.valid()) {
      if (errno == ENOENT) return std::string();
      return system_error(errno, "open", path_);
    }
  }
  std::string bytes;
  char buffer[32 * 1024];
  while (bytes.size() < kContentChunk) {
    const ssize_t got = ::pread(file_.get(), buffer, sizeof buffer, static_cast<off_t>(offset_ + bytes.size()));
    if (got < 0) return system_error(errno, "read", path_);
    if (got == 0) break;
    bytes.append(buffer, static_cast<std::size_t>(got));
  }
  const auto end = bytes.rfind('\n');
  if (end == std::string::npos) return std::string();
  bytes.resize(end + 1);
  offset_ += bytes.size();
  const auto last_line = bytes.rfind('\n', end - (end > 0 ? 1 : 0));
  const auto last = parse_json(bytes.substr(last_line == std::string::npos || last_line == end ? 0 : last_line + 1));
  if (last.ok()) {
    const auto event = decode<Event>(*last);
    ended_ = event.ok() && event->type == Event::Type::kResult;
  }
  return bytes;
}

}  // namespace sentinel::agent
