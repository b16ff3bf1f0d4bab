// SPDX-License-Identifier: Apache-2.0
#include "core/transport/byte_stream.h"

#include <algorithm>

namespace sentinel {

namespace {

constexpr std::size_t kMostDiagnostics = 64U << 10;

Error as_channel_error(Error error) {
  if (error.code == "ssh.interrupted") error.code = "channel.interrupted";
  return error;
}

}  // namespace

Result<bool> ByteStream::read(std::string& out, std::chrono::milliseconds timeout) {
  const auto begin = std::chrono::steady_clock::now();
  auto left = timeout;
  while (true) {
    auto piece = channel_.read(left);
    if (!piece.ok()) return as_channel_error(std::move(piece).error());
    if (piece->kind == Received::Kind::kEnd) return false;
    if (piece->kind == Received::Kind::kTimeout) {
      return Error("channel.timeout", "the host did not answer in time", {}, ExitCode::kUnreachable);
    }
    if (piece->kind == Received::Kind::kOutput) {
      out += piece->bytes;
      return true;
    }
    diagnostics_ += piece->bytes;
    if (diagnostics_.size() > kMostDiagnostics) diagnostics_.erase(0, diagnostics_.size() - kMostDiagnostics);
    if (timeout != kNoLimit) {
      const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
      left = std::max(timeout - passed, std::chrono::milliseconds::zero());
    }
  }
}

Result<void> ByteStream::write(std::string_view bytes) {
  auto written = channel_.write(bytes);
  if (!written.ok()) return as_channel_error(std::move(written).error());
  return {};
}

}  // namespace sentinel
