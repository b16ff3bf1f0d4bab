// SPDX-License-Identifier: Apache-2.0
// Running a short command over any Channel.
#include "core/transport/channel.h"

#include <fmt/format.h>

namespace sentinel {

Result<CommandOutput> collect(Channel& channel, std::string_view input, std::chrono::milliseconds limit,
                              std::size_t limit_bytes) {
  // A program that ends without reading all of its input has still said something worth having.
  if (auto written = channel.write(input, limit); !written.ok() && written.error().code != "ssh.channel-closed") {
    return std::move(written).error();
  }
  SENTINEL_CHECK(channel.send_eof());
  CommandOutput all;
  const auto deadline =
      std::chrono::steady_clock::now() + std::min(limit, std::chrono::milliseconds(std::chrono::hours(24 * 365)));
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    SENTINEL_TRY(const Received piece, channel.read(std::max(left, std::chrono::milliseconds::zero())));
    if (piece.kind == Received::Kind::kEnd) break;
    if (piece.kind == Received::Kind::kTimeout) {
      return Error{"ssh.timeout", "the command did not end in time", {}, ExitCode::kUnreachable};
    }
    (piece.kind == Received::Kind::kOutput ? all.output : all.error_output) += piece.bytes;
    if (all.output.size() + all.error_output.size() > limit_bytes) {
      return Error{"ssh.output-too-large",
                   fmt::format("the command wrote more than {} bytes", limit_bytes),
                   {},
                   ExitCode::kUnreachable};
    }
  }
  SENTINEL_TRY(all.exit, channel.wait_exit(limit));
  return all;
}

}  // namespace sentinel
