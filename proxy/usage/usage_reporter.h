// SPDX-License-Identifier: Apache-2.0
// Reports use to the account service, on a thread and a loop of its own. What was tracked is in the journal (when there
// is one) before track() returns; it is summed, sealed into batches, sent, and settled. While the service is away,
// batches wait in Redis, else in the journal, and what isn't sealed goes on being summed, so that memory is bounded by
// users and models, not by the length of the outage.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "proxy/usage/redis_backlog.h"
#include "proxy/usage/usage_delivery.h"
#include "proxy/usage/usage_journal.h"

namespace sentinel::proxy {

class UsageReporter final : public UsageSink {
 public:
  /// When what was written to the journal is forced to the disk.
  enum class Sync { kAlways, kSoon, kNever };

  struct Parts {
    const AccountService& service;
    const Clock& clock;
    Log& log;
    UsageMetrics& metrics;
    Network& network;
    /// A client for the reporter's loop; null: no Redis.
    std::function<std::unique_ptr<RedisClient>(Loop&)> connect_redis;
  };

  UsageReporter(Parts parts, UsageTimes times, std::optional<UsageJournal> journal, Sync sync);
  ~UsageReporter() override;

  void track(UsageItem item) override;

  /// Reports what is left, for at most that long; what can't be reported is kept. Nothing may be tracked any more.
  void finish(std::chrono::milliseconds most);

 private:
  Task<void> run();
  Task<void> send_pending();
  Task<void> send_backlog();
  Task<void> send_redis_backlog(int& calls);
  Task<void> finish_sending();
  /// After an attempt at a batch of this process: what is left is kept, and the batch is settled.
  Task<void> settle(std::string id, DeliveryResult result);
  Task<bool> keep_in_redis(std::vector<UsageBatch> batches);
  Task<void> bury(std::vector<UsageBatch> dead);
  /// Keeps one here, in the journal and in memory.
  void hold(UsageBatch batch);
  std::optional<UsageBatch> seal();
  void adopt();
  void tend_journal();
  void tell_unreported();
  bool past_deadline() const;

  bool keeps_outside() const { return redis_ != nullptr && redis_->ready(); }

  void count_journal(bool written) {
    if (!written) parts_.metrics.journal_errors.add();
  }

  Parts parts_;
  UsageTimes times_;
  Sync sync_;
  std::mutex mutex_;  ///< of what track() touches: pending_ and journal_
  UsageSums pending_;
  std::optional<UsageJournal> journal_;
  std::atomic<bool> called_{false};  ///< the loop has been told that there is a batch's worth
  std::deque<UsageBatch> held_;      ///< to be tried again; in the journal too
  std::size_t synced_ = 0;           ///< of the journal's bytes
  int sealed_ = 0;
  std::string name_;  ///< begins the ids of this process' batches

  std::unique_ptr<Loop> loop_;
  ConnectionPool pool_;
  std::optional<Waiter> wake_;  ///< dies before the loop whose timer it holds
  std::unique_ptr<RedisClient> redis_;
  std::unique_ptr<RedisBacklog> redis_backlog_;
  UsageDelivery delivery_;
  std::chrono::steady_clock::time_point next_retry_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;  ///< the end has begun
  std::thread thread_;
};

}  // namespace sentinel::proxy
