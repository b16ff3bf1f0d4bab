// SPDX-License-Identifier: Apache-2.0
#include "proxy/usage/usage_reporter.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/base/digest.h"
#include "proxy/json/cursor.h"

namespace sentinel::proxy {
namespace {

constexpr std::size_t kMostRows = UsageJournal::kMostRows;
constexpr int kMostCalls = 50;  ///< of one look at what was kept
constexpr std::size_t kRewriteAt = std::size_t{4} << 20;

}  // namespace

UsageReporter::UsageReporter(Parts parts, UsageTimes times, std::optional<UsageJournal> journal, Sync sync)
    : parts_(std::move(parts)),
      times_(times),
      sync_(sync),
      journal_(std::move(journal)),
      name_(to_hex(random_bytes(12))),
      loop_(std::make_unique<Loop>()),
      pool_(*loop_, &parts_.network),
      wake_(std::in_place, *loop_),
      redis_(parts_.connect_redis(*loop_)),
      delivery_({*loop_, pool_, parts_.service, parts_.clock, parts_.log, parts_.metrics}, times),
      next_retry_(std::chrono::steady_clock::now()) {
  if (redis_ != nullptr) redis_backlog_ = std::make_unique<RedisBacklog>(*redis_);
  loop_->spawn(run());
  thread_ = std::thread([this] { loop_->run(); });
}

UsageReporter::~UsageReporter() {
  finish(std::chrono::milliseconds(0));
}

void UsageReporter::track(UsageItem item) {
  const UsageRow row = row_of(item);
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    if (journal_) {
      count_journal(journal_->append_item(row));
      if (sync_ == Sync::kAlways) count_journal(journal_->sync());
    }
    pending_.add(row);
    parts_.metrics.pending = pending_.size();
    full = pending_.size() >= kMostRows;
  }
  if (full && !called_.exchange(true)) {
    loop_->post([this] { wake_->wake(); });
  }
}

void UsageReporter::finish(std::chrono::milliseconds most) {
  if (!thread_.joinable()) return;
  loop_->post([this, most] {
    deadline_ = std::chrono::steady_clock::now() + most;
    wake_->wake();
  });
  thread_.join();
  pool_.close_idle();
  wake_.reset();
  loop_.reset();
}

bool UsageReporter::past_deadline() const {
  return deadline_ && std::chrono::steady_clock::now() >= *deadline_;
}

Task<void> UsageReporter::run() {
  adopt();
  for (;;) {
    co_await wake_->wait(times_.flush);
    called_ = false;
    if (deadline_) break;
    // What was kept goes first: what the new use leaves to be kept has had its attempt, and waits for the next look.
    if (delivery_.open_for_calls() && (std::chrono::steady_clock::now() >= next_retry_ || !delivery_.closed())) {
      next_retry_ = std::chrono::steady_clock::now() + times_.retry;
      adopt();
      co_await send_backlog();
    }
    if (!deadline_) co_await send_pending();
    tend_journal();
  }
  co_await finish_sending();
  tend_journal();
  tell_unreported();
  loop_->stop();
}

std::optional<UsageBatch> UsageReporter::seal() {
  const std::lock_guard lock(mutex_);
  UsageBatch batch{fmt::format("{}-{}", name_, sealed_), 0, 0, pending_.take(kMostRows)};
  parts_.metrics.pending = pending_.size();
  if (batch.rows.empty()) return std::nullopt;
  ++sealed_;
  if (journal_) count_journal(journal_->append_sealed(batch));
  return batch;
}

Task<void> UsageReporter::send_pending() {
  // While nothing can be sent and there is no Redis to keep it, it goes on being summed up.
  while (delivery_.open_for_calls() || keeps_outside()) {
    std::optional<UsageBatch> batch = seal();
    if (!batch) co_return;
    const std::string id = batch->id;
    DeliveryResult result = co_await delivery_.deliver(std::move(*batch));
    co_await settle(id, std::move(result));
  }
}

Task<void> UsageReporter::settle(std::string id, DeliveryResult result) {
  co_await bury(std::move(result.dead));
  bool same_held = false;
  const bool kept = co_await keep_in_redis(result.keep);
  if (!kept) {
    for (UsageBatch& batch : result.keep) {
      same_held = same_held || batch.id == id;
      hold(std::move(batch));
    }
  }
  if (same_held) co_return;
  const std::lock_guard lock(mutex_);
  if (journal_) count_journal(journal_->append_done(id));
}

Task<bool> UsageReporter::keep_in_redis(std::vector<UsageBatch> batches) {
  if (batches.empty()) co_return true;
  if (redis_backlog_ == nullptr) co_return false;
  const bool kept = co_await redis_backlog_->keep(std::move(batches));
  co_return kept;
}

void UsageReporter::hold(UsageBatch batch) {
  {
    const std::lock_guard lock(mutex_);
    if (journal_) count_journal(journal_->append_batch(batch));
  }
  held_.push_back(std::move(batch));
  parts_.metrics.backlog = held_.size();
}

Task<void> UsageReporter::bury(std::vector<UsageBatch> dead) {
  if (dead.empty()) co_return;
  for (const UsageBatch& batch : dead) {
    parts_.metrics.dead.add(batch.rows.size());
    parts_.log.event("error", "usage_dead_letter",
                     fmt::format(R"("batch":"{}","rows":{})", batch.id, batch.rows.size()));
  }
  if (redis_backlog_ != nullptr) {
    const bool kept = co_await redis_backlog_->bury(dead);
    if (kept) co_return;
  }
  const std::lock_guard lock(mutex_);
  for (const UsageBatch& batch : dead) {
    if (journal_ && journal_->bury(batch)) continue;
    parts_.metrics.dropped.add(batch.rows.size());
    parts_.log.event("error", "usage_dropped", fmt::format(R"("batch":{})", json_quoted(batch_text(batch))));
  }
}

Task<void> UsageReporter::send_backlog() {
  int calls = kMostCalls;
  for (std::size_t left = held_.size(); left > 0 && calls > 0 && delivery_.open_for_calls(); --left, --calls) {
    UsageBatch batch = std::move(held_.front());
    held_.pop_front();
    const std::string id = batch.id;
    DeliveryResult result = co_await delivery_.deliver(std::move(batch));
    co_await settle(id, std::move(result));
    parts_.metrics.backlog = held_.size();
    if (deadline_) co_return;
  }
  if (redis_backlog_ != nullptr && redis_->ready()) co_await send_redis_backlog(calls);
}

Task<void> UsageReporter::send_redis_backlog(int& calls) {
  const auto now = parts_.clock.now().time_since_epoch();
  const std::int64_t begun = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  for (; calls > 0 && !deadline_ && delivery_.open_for_calls(); --calls) {
    const bool ours = co_await redis_backlog_->begin();
    if (!ours) co_return;
    std::optional<UsageBatch> batch = co_await redis_backlog_->take();
    if (!batch) break;
    if (batch->tried_at >= begun) {  // once around: what comes now has had its turn
      std::vector<UsageBatch> back{std::move(*batch)};
      std::vector<UsageBatch> none;
      co_await redis_backlog_->finish(std::move(back), std::move(none));
      break;
    }
    DeliveryResult result = co_await delivery_.deliver(std::move(*batch));
    for (const UsageBatch& dead : result.dead) parts_.metrics.dead.add(dead.rows.size());
    // When this isn't heard, the batch stays aside, and is tried again under the same id.
    co_await redis_backlog_->finish(std::move(result.keep), std::move(result.dead));
  }
  co_await redis_backlog_->end();
}

Task<void> UsageReporter::finish_sending() {
  while (!past_deadline() && delivery_.closed()) {
    std::optional<UsageBatch> batch = seal();
    if (!batch) break;
    const std::string id = batch->id;
    DeliveryResult result = co_await delivery_.deliver(std::move(*batch));
    co_await settle(id, std::move(result));
  }
  // What can't be sent any more goes where the next process, or another instance, finds it.
  while (keeps_outside()) {
    std::optional<UsageBatch> batch = seal();
    if (!batch) break;
    const std::string id = batch->id;
    DeliveryResult kept{{std::move(*batch)}, {}};
    co_await settle(id, std::move(kept));
  }
  for (std::size_t left = held_.size(); left > 0 && keeps_outside(); --left) {
    DeliveryResult kept{{std::move(held_.front())}, {}};
    held_.pop_front();
    const std::string id = kept.keep.front().id;
    co_await settle(id, std::move(kept));
  }
}

void UsageReporter::adopt() {
  if (!journal_) return;
  for (UsageJournal::Orphan& orphan : journal_->orphans()) {
    parts_.log.event("info", "usage_journal_adopted",
                     fmt::format(R"("batches":{},"damaged":{})", orphan.batches.size(), orphan.damaged));
    for (UsageBatch& batch : orphan.batches) {
      const bool known = std::any_of(held_.begin(), held_.end(), [&](const auto& held) { return held.id == batch.id; });
      if (!known) hold(std::move(batch));
    }
    const std::lock_guard lock(mutex_);
    if (journal_->sync()) ::unlink(orphan.path.c_str());
  }
}

void UsageReporter::tend_journal() {
  if (!journal_) return;
  std::size_t size = 0;
  {
    const std::lock_guard lock(mutex_);
    if (journal_->size() > kRewriteAt) {
      const JournalContents contents{pending_, {held_.begin(), held_.end()}, 0};
      count_journal(journal_->rewrite(contents));
      synced_ = journal_->size();
    }
    size = journal_->size();
  }
  // Without the lock: workers go on writing meanwhile, and only this thread ever changes which file it is.
  if (sync_ != Sync::kSoon || std::exchange(synced_, size) == size) return;
  count_journal(journal_->sync());
}

void UsageReporter::tell_unreported() {
  const std::lock_guard lock(mutex_);
  if (journal_) {
    if (pending_.empty() && held_.empty()) {
      journal_->remove();
    } else {
      count_journal(journal_->sync());
    }
    return;
  }
  // Nothing but the log is left to keep it.
  const auto tell = [this](const UsageRow& row) {
    parts_.metrics.dropped.add();
    parts_.log.event("error", "usage_dropped", fmt::format(R"("row":{})", row_text(row)));
  };
  pending_.for_each(tell);
  for (const UsageBatch& batch : held_) {
    for (const UsageRow& row : batch.rows) tell(row);
  }
}

}  // namespace sentinel::proxy
