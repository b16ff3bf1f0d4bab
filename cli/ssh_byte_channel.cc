// SPDX-License-Identifier: Apache-2.0
// Only the last part of what a program says on stderr is kept: it is for one message.
#include "cli/ssh_byte_channel.h"

#include <algorithm>

namespace sentinel {
namespace {

constexpr std::size_t kMaxDiagnostics = 16 * 1024;

void append_bounded(std::string& text, const std::string& bytes) {
  text += bytes;
  if (text.size() > kMaxDiagnostics) text.erase(0, text.size() - kMaxDiagnostics);
}

}  // namespace

Result<bool> SshByteChannel::read(std::string& out, std::chrono::milliseconds timeout) {
  using Clock = std::chrono::steady_clock;
  if (!arrived_.empty()) {
    out += arrived_;
    arrived_.clear();
    return true;
  }
  const auto start = Clock::now();
  auto left = timeout;
  for (;;) {
    SENTINEL_TRY(const auto received, channel_.read(left));
    switch (received.kind) {
      case Received::Kind::kOutput: out += received.bytes; return true;
      case Received::Kind::kEnd: return false;
      case Received::Kind::kTimeout: return Error("channel.timeout", "the host said nothing in time", "", ExitCode::kUnreachable);
      case Received::Kind::kErrorOutput: append_bounded(diagnostics_, received.bytes); break;
    }
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    if (timeout != kNoLimit) left = std::max(timeout - passed, std::chrono::milliseconds(0));
  }
}

Result<void> SshByteChannel::write(std::string_view bytes) { return channel_.write(bytes); }

void SshByteChannel::keep_alive() {
  for (;;) {
    const auto received = channel_.read(std::chrono::milliseconds(0));
    if (!received.ok()) return;
    if (received->kind == Received::Kind::kOutput) {
      arrived_ += received->bytes;
    } else if (received->kind == Received::Kind::kErrorOutput) {
      append_bounded(diagnostics_, received->bytes);
    } else {
      return;
    }
  }
}

}  // namespace sentinel
