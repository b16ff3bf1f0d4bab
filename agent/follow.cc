// SPDX-License-Identifier: Apache-2.0
// Conversation's relay of events: from the log file, which outlives the transaction's process, to the peer. When that process
// dies, the recovery appends to the same file, so following simply goes on.
#include <poll.h>

#include "agent/conversation.h"
#include "agent/event_follower.h"
#include "core/engine/journal.h"
#include "core/engine/lease.h"

namespace sentinel::agent {
namespace {

constexpr int kLookInterval = 25;  // ms between looks at the log
// Between a transaction's death and its recovery systemd needs a moment; longer without anybody at work means nobody comes.
constexpr std::chrono::seconds kAbandonedAfter{20};
// Without a journal there is nothing to recover, so nobody will come.
constexpr std::chrono::seconds kNeverBegunAfter{2};

bool has_journal(HostState& host, const std::string& transaction) {
  const auto summary = journal::load(host.machine, host.directory, transaction);
  return !summary.ok() || summary->phase != journal::Summary::Phase::kEmpty;
}

}  // namespace

Result<bool> Conversation::take_peer_frames(std::optional<LocalConnection>& owner) {
  SENTINEL_TRY(const bool open, peer_.receive());
  if (!open) {
    owner.reset();
    return false;
  }
  for (;;) {
    SENTINEL_TRY(const auto frame, peer_.next());
    if (!frame) return true;
    if (frame->type != FrameType::kAbort && frame->type != FrameType::kExtend) {
      return Error("wire.malformed", "only abort and extend may come while events are followed");
    }
    // A transaction that has ended meanwhile says so by its result event; the request itself needs no answer.
    static_cast<void>(pass_on(*frame));
  }
}

Result<void> Conversation::follow(const std::string& transaction, std::uint64_t offset, std::optional<LocalConnection> owner) {
  EventFollower follower(host_.directory.events(transaction), offset);
  auto last_sign_of_life = clock_.since_boot();
  auto next_lease_look = last_sign_of_life;
  for (;;) {
    std::string ending;  // what the transaction's process said at its end
    pollfd waiting[2] = {{peer_.fd(), POLLIN, 0}, {owner ? owner->fd() : -1, POLLIN, 0}};
    ::poll(waiting, 2, kLookInterval);
    if (waiting[0].revents != 0) {
      SENTINEL_TRY(const bool open, take_peer_frames(owner));
      if (!open) return {};
    }
    if (owner && waiting[1].revents != 0) {
      SENTINEL_TRY(const bool open, owner->receive());
      SENTINEL_TRY(const auto frame, owner->next());
      if (frame && frame->type == FrameType::kFailed) return peer_.send(encode_frame(frame->type, frame->payload));
      if (frame && frame->type == FrameType::kEnd) ending = frame->payload;
      if (!open) owner.reset();
    }
    SENTINEL_TRY(const auto lines, follower.take());
    if (!lines.empty()) SENTINEL_CHECK(peer_.send(encode_frame(FrameType::kEvents, lines)));
    if (follower.ended()) return {};
    if (!ending.empty()) return peer_.send(encode_frame(FrameType::kEvents, ending + "\n"));
    const auto now = clock_.since_boot();
    if (owner || !lines.empty()) last_sign_of_life = now;
    if (!owner && now >= next_lease_look) {
      next_lease_look = now + std::chrono::milliseconds(500);
      const auto holder = Lease::holder(host_.directory.lease());
      if (holder.ok() && *holder) last_sign_of_life = now;
      if (now - last_sign_of_life > kNeverBegunAfter && !has_journal(host_, transaction)) {
        return Error("engine.recovered", "the transaction's process ended before it changed anything");
      }
      if (now - last_sign_of_life > kAbandonedAfter) {
        return Error("transaction.abandoned", "the transaction's process died and nothing has taken over",
                     "run 'sentinel-agent recover' on the host", ExitCode::kStuck);
      }
    }
  }
}

}  // namespace sentinel::agent
