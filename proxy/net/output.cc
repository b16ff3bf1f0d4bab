// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/output.h"

#include <algorithm>
#include <span>
#include <utility>

namespace sentinel::proxy {
namespace {

constexpr std::size_t kMostPieces = 64;  // per system call; the kernel's own limit is 1024

}  // namespace

IoStatus Output::send_now() {
  std::size_t first = 0;
  while (first < pieces_.size() && kept_.empty()) {
    const std::size_t count = std::min(kMostPieces, pieces_.size() - first);
    const IoResult sent = stream_.write_some(std::span<const iovec>(pieces_.data() + first, count));
    if (sent.status == IoStatus::kAgain) break;
    if (sent.status != IoStatus::kDone) {
      pieces_.clear();
      return IoStatus::kFailed;
    }
    sent_ += sent.bytes;
    std::size_t taken = sent.bytes;
    while (first < pieces_.size() && taken >= pieces_[first].iov_len) taken -= pieces_[first++].iov_len;
    if (taken > 0) {
      pieces_[first].iov_base = static_cast<char*>(pieces_[first].iov_base) + taken;
      pieces_[first].iov_len -= taken;
    }
  }
  for (; first < pieces_.size(); ++first) {
    kept_.append({static_cast<const char*>(pieces_[first].iov_base), pieces_[first].iov_len});
  }
  pieces_.clear();
  return kept_.empty() ? IoStatus::kDone : IoStatus::kAgain;
}

Task<FlushEnd> Output::flush(WritePatience patience, const bool& stop) {
  StreamDeadline deadline(stream_);
  while (!kept_.empty()) {
    const iovec rest{kept_.data(), kept_.size()};
    const IoResult sent = stream_.write_some(std::span<const iovec>(&rest, 1));
    if (sent.status == IoStatus::kDone) {
      sent_ += sent.bytes;
      kept_.consume(sent.bytes);
      deadline.disarm();
      continue;
    }
    if (sent.status != IoStatus::kAgain || stop) co_return FlushEnd::kFailed;
    const std::chrono::milliseconds made_good((sent_ - std::exchange(counted_, sent_)) * 1000 / patience.rate);
    waited_ = std::max(waited_ - made_good, std::chrono::milliseconds::zero());
    if (deadline.expired() || waited_ >= patience.grace) co_return FlushEnd::kTooSlow;
    deadline.arm(std::min(patience.idle, patience.grace - waited_));
    const auto begun = std::chrono::steady_clock::now();
    co_await stream_.wait_writable();
    waited_ += std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
  }
  kept_.release();
  co_return FlushEnd::kDone;
}

}  // namespace sentinel::proxy
