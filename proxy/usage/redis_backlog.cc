// SPDX-License-Identifier: Apache-2.0
#include "proxy/usage/redis_backlog.h"

#include "core/base/digest.h"

namespace sentinel::proxy {
namespace {

constexpr std::string_view kFailed = "sentinel:usage:failed";
constexpr std::string_view kProcessing = "sentinel:usage:processing";
constexpr std::string_view kDead = "sentinel:usage:dead";
constexpr std::string_view kHolder = "sentinel:usage:holder";

/// KEYS: holder, processing, failed. ARGV: our name, ms. What lies aside when somebody begins was left by one who died.
const RedisScript& begin_script() {
  static const RedisScript script(
      "local holder = redis.call('GET', KEYS[1])\n"
      "if holder and holder ~= ARGV[1] then return 0 end\n"
      "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
      "local entry = redis.call('RPOP', KEYS[2])\n"
      "while entry do\n"
      "  redis.call('LPUSH', KEYS[3], entry)\n"
      "  entry = redis.call('RPOP', KEYS[2])\n"
      "end\n"
      "return 1\n");
  return script;
}

/// KEYS: failed, processing. The entries at the head that belong to one batch. One of another version stands alone.
const RedisScript& take_script() {
  static const RedisScript script(
      "local function batch_of(entry)\n"
      "  local ok, value = pcall(cjson.decode, entry)\n"
      "  return ok and type(value) == 'table' and type(value.batch) == 'string' and value.batch or nil\n"
      "end\n"
      "local taken = {}\n"
      "local batch\n"
      "while #taken < 1000 do\n"
      "  local head = redis.call('LINDEX', KEYS[1], 0)\n"
      "  if not head then break end\n"
      "  local its = batch_of(head)\n"
      "  if #taken > 0 and (its == nil or its ~= batch) then break end\n"
      "  batch = its\n"
      "  redis.call('LPOP', KEYS[1])\n"
      "  redis.call('RPUSH', KEYS[2], head)\n"
      "  taken[#taken + 1] = head\n"
      "  if its == nil then break end\n"
      "end\n"
      "return taken\n");
  return script;
}

/// KEYS: processing, failed, dead, holder. ARGV: our name, how many go back, those, and those that are dead. Who was
/// taken for dead himself touches nothing any more.
const RedisScript& finish_script() {
  static const RedisScript script(
      "if redis.call('GET', KEYS[4]) ~= ARGV[1] then return 0 end\n"
      "local back = tonumber(ARGV[2])\n"
      "for i = 3, #ARGV do redis.call('RPUSH', i <= back + 2 and KEYS[2] or KEYS[3], ARGV[i]) end\n"
      "return redis.call('DEL', KEYS[1])\n");
  return script;
}

std::vector<std::string> entries_of_all(const std::vector<UsageBatch>& batches) {
  std::vector<std::string> entries;
  for (const UsageBatch& batch : batches) {
    for (std::string& entry : entries_of(batch)) entries.push_back(std::move(entry));
  }
  return entries;
}

bool is_integer(const std::optional<RedisReply>& reply) {
  return reply && reply->is(RedisReply::Kind::kInteger);
}

}  // namespace

RedisBacklog::RedisBacklog(RedisClient& redis) : redis_(redis), name_(to_hex(random_bytes(8))) {}

Task<bool> RedisBacklog::push(std::string key, std::vector<UsageBatch> batches) {
  RedisCommand command{"RPUSH", std::move(key)};
  for (std::string& entry : entries_of_all(batches)) command.push_back(std::move(entry));
  if (command.size() == 2) co_return true;
  const std::optional<RedisReply> reply = co_await redis_.ask(std::move(command));
  co_return is_integer(reply);
}

Task<bool> RedisBacklog::keep(std::vector<UsageBatch> batches) {
  const bool kept = co_await push(std::string(kFailed), std::move(batches));
  co_return kept;
}

Task<bool> RedisBacklog::bury(std::vector<UsageBatch> batches) {
  const bool kept = co_await push(std::string(kDead), std::move(batches));
  co_return kept;
}

Task<bool> RedisBacklog::begin() {
  std::vector<std::string> words{"3",    std::string(kHolder), std::string(kProcessing), std::string(kFailed), name_,
                                 "60000"};
  const std::optional<RedisReply> reply = co_await redis_.run(begin_script(), std::move(words));
  co_return is_integer(reply) && reply->integer == 1;
}

Task<std::optional<UsageBatch>> RedisBacklog::take() {
  for (;;) {
    std::vector<std::string> words{"2", std::string(kFailed), std::string(kProcessing)};
    const std::optional<RedisReply> reply = co_await redis_.run(take_script(), std::move(words));
    if (!reply || !reply->is(RedisReply::Kind::kArray) || reply->elements.empty()) co_return std::nullopt;
    std::vector<std::string> entries;
    for (const RedisReply& element : reply->elements) entries.push_back(element.text);
    std::optional<UsageBatch> batch = batch_of_entries(entries);
    if (batch) co_return batch;
    // Nobody can bill what nobody can read, but somebody may look at it.
    const bool buried = co_await put_back({}, std::move(entries));
    if (!buried) co_return std::nullopt;
  }
}

Task<bool> RedisBacklog::put_back(std::vector<std::string> back, std::vector<std::string> dead) {
  std::vector<std::string> words{
      "4",   std::string(kProcessing),   std::string(kFailed), std::string(kDead), std::string(kHolder),
      name_, std::to_string(back.size())};
  words.insert(words.end(), back.begin(), back.end());
  words.insert(words.end(), dead.begin(), dead.end());
  const std::optional<RedisReply> reply = co_await redis_.run(finish_script(), std::move(words));
  co_return is_integer(reply) && reply->integer == 1;
}

Task<bool> RedisBacklog::finish(std::vector<UsageBatch> keep, std::vector<UsageBatch> dead) {
  const bool done = co_await put_back(entries_of_all(keep), entries_of_all(dead));
  co_return done;
}

Task<void> RedisBacklog::end() {
  RedisCommand command{"EVAL", "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end", "1",
                       std::string(kHolder), name_};
  co_await redis_.ask(std::move(command));
}

}  // namespace sentinel::proxy
