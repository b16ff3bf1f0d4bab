// SPDX-License-Identifier: Apache-2.0
// What couldn't be reported, in Redis: the list sentinel:usage:failed that other versions of the proxy read and write.
// A batch is moved to a second list while it is tried, so that a crash loses nothing; one process tries at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/redis/redis_client.h"
#include "proxy/usage/usage_batch.h"

namespace sentinel::proxy {

class RedisBacklog {
 public:
  explicit RedisBacklog(RedisClient& redis);

  /// Each false when Redis didn't take it.
  Task<bool> keep(std::vector<UsageBatch> batches);
  Task<bool> bury(std::vector<UsageBatch> batches);

  /// Becomes, or goes on being, the one that tries, for the next minute. What an earlier one left half-tried comes
  /// back.
  Task<bool> begin();
  /// The next batch, moved aside. Nothing: none is left, or Redis is away.
  Task<std::optional<UsageBatch>> take();
  /// The batch that was taken has been tried: what is left of it goes back, or to the dead. False: it stays aside.
  Task<bool> finish(std::vector<UsageBatch> keep, std::vector<UsageBatch> dead);
  /// Lets others try.
  Task<void> end();

 private:
  Task<bool> put_back(std::vector<std::string> back, std::vector<std::string> dead);
  Task<bool> push(std::string key, std::vector<UsageBatch> batches);

  RedisClient& redis_;
  std::string name_;
};

}  // namespace sentinel::proxy
