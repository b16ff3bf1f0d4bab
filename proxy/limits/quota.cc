// SPDX-License-Identifier: Apache-2.0
#include "proxy/limits/quota.h"

#include <fmt/format.h>

#include "core/model/json.h"

namespace sentinel::proxy {
namespace {

using Json = nlohmann::json;

/// While the service is away, between questions about one user.
constexpr std::chrono::seconds kTryAgain{5};

void tighten(const Json& limit, const char* name, std::optional<Allowance>& into) {
  const auto found = limit.find(name);
  if (found == limit.end() || !found->is_object()) return;
  const auto number = [&](const char* member) -> std::optional<std::int64_t> {
    const auto value = found->find(member);
    if (value == found->end() || !value->is_number()) return std::nullopt;
    return static_cast<std::int64_t>(value->get<double>());
  };
  const std::optional<std::int64_t> most = number("limit");
  const std::optional<std::int64_t> used = number("used");
  if (!most || *most < 0 || !used) return;
  if (!into || *most - *used < into->limit - into->used) into = Allowance{*most, *used};
}

std::optional<Quota> read_limits(const Json& limits) {
  if (!limits.is_array()) return std::nullopt;
  Quota quota;
  for (const Json& limit : limits) {
    if (!limit.is_object()) return std::nullopt;
    tighten(limit, "aiInputTokens", quota.input);
    tighten(limit, "aiOutputTokens", quota.output);
    tighten(limit, "aiRequests", quota.requests);
  }
  return quota;
}

std::int64_t seconds_of(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

std::optional<Allowance> Quota::exhausted() const {
  for (const std::optional<Allowance>& allowance : {input, output, requests}) {
    if (allowance && allowance->used >= allowance->limit) return allowance;
  }
  return std::nullopt;
}

std::optional<Quota> quota_of_answer(const std::string& body, std::string& limits_text) {
  const Result<Json> json = parse_json(body);
  if (!json.ok() || !json->is_object() || !json->contains("data")) return std::nullopt;
  const Json& data = (*json)["data"];
  if (!data.is_object() || !data.contains("limits")) return std::nullopt;
  limits_text = to_text(data["limits"]);
  return read_limits(data["limits"]);
}

std::optional<Quota> quota_of_limits(const std::string& text) {
  const Result<Json> json = parse_json(text);
  if (!json.ok()) return std::nullopt;
  return read_limits(*json);
}

std::optional<QuotaTable::Known> QuotaTable::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(id);
  if (found == known_.end()) return std::nullopt;
  return found->second;
}

void QuotaTable::keep(const std::string& id, Known known, Time now) {
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMost)
    std::erase_if(known_, [now](const auto& entry) { return entry.second.fresh_until < now; });
  if (known_.size() >= kMost) known_.erase(known_.begin());
  known_[id] = std::move(known);
}

void QuotaTable::add(const std::string& id, TokenNeed tokens, std::int64_t requests) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(id);
  if (found == known_.end()) return;
  Quota& quota = found->second.quota;
  if (quota.input) quota.input->used += tokens.input;
  if (quota.output) quota.output->used += tokens.output;
  if (quota.requests) quota.requests->used += requests;
}

class QuotaReserver::Held final : public Reservation {
 public:
  Held(QuotaTable& table, std::string id, TokenNeed need, std::unique_ptr<Reservation> inner)
      : table_(table), id_(std::move(id)), need_(need), inner_(std::move(inner)) {
    table_.add(id_, need_, 1);
  }

  ~Held() override {
    if (!settled_) table_.add(id_, {-need_.input, -need_.output}, -1);
  }

  void settle(TokenNeed used) override {
    settled_ = true;
    table_.add(id_, {used.input - need_.input, used.output - need_.output}, 0);
    if (inner_ != nullptr) inner_->settle(used);
  }

 private:
  QuotaTable& table_;
  std::string id_;
  TokenNeed need_;
  std::unique_ptr<Reservation> inner_;
  bool settled_ = false;
};

Task<ReserveOutcome> QuotaReserver::reserve(const Identity& identity, TokenNeed need) {
  const QuotaTable::Time now = parts_.clock.now();
  std::optional<QuotaTable::Known> known = parts_.table.find(identity.id);
  if (!known || now >= known->fresh_until) {
    const auto work = [&] { return look_up(identity.id); };
    co_await questions_.run(parts_.loop, identity.id, parts_.service.timeout * 2, work);
    known = parts_.table.find(identity.id);
  }
  if (known) {
    const std::optional<Allowance> exhausted = known->quota.exhausted();
    if (exhausted) {
      co_return LimitRefusal{LimitRefusal::Limit::kQuota, exhausted->limit, exhausted->used, 0, seconds_of(now)};
    }
  }
  ReserveOutcome outcome = co_await parts_.inner.reserve(identity, need);
  if (std::holds_alternative<LimitRefusal>(outcome)) co_return std::move(outcome);
  co_return std::make_unique<Held>(parts_.table, identity.id, need,
                                   std::get<std::unique_ptr<Reservation>>(std::move(outcome)));
}

Task<bool> QuotaReserver::look_in_redis(std::string key, std::string id) {
  RedisCommand command{"GET", key};
  const std::optional<RedisReply> reply = co_await parts_.redis->ask(std::move(command));
  if (!reply || !reply->is(RedisReply::Kind::kString)) co_return false;
  const std::optional<Quota> quota = quota_of_limits(reply->text);
  if (!quota) co_return false;
  // Others go on using what they cached, so this is looked at again sooner than what the service said itself.
  const QuotaTable::Time now = parts_.clock.now();
  parts_.table.keep(id, {*quota, now + std::min<std::chrono::seconds>(ttl_, kTryAgain)}, now);
  co_return true;
}

Task<bool> QuotaReserver::look_up(std::string id) {
  const std::string key = "sentinel:limits:" + id;
  FetchRequest request = parts_.service.as_proxy("GET", "/api/v1/limits/external/" + percent_encoded(id), "");
  const FetchAnswer answer = co_await fetch(parts_.loop, parts_.pool, std::move(request));
  parts_.metrics.service.with({"limits", answer.outcome()}).add();
  const QuotaTable::Time now = parts_.clock.now();
  std::string limits;
  const std::optional<Quota> quota = answer.good() ? quota_of_answer(answer.body, limits) : std::nullopt;
  if (quota) {
    parts_.table.keep(id, {*quota, now + ttl_}, now);
    if (parts_.redis != nullptr && ttl_.count() > 0) {
      parts_.redis->tell({"SETEX", key, std::to_string(ttl_.count()), limits});
    }
    co_return true;
  }
  // Away: what was known goes on to count; what another instance knew is better than nothing.
  std::optional<QuotaTable::Known> known = parts_.table.find(id);
  if (known) {
    known->fresh_until = now + kTryAgain;
    parts_.table.keep(id, *known, now);
    co_return true;
  }
  if (parts_.redis != nullptr) {
    const bool found = co_await look_in_redis(key, id);
    if (found) co_return true;
  }
  parts_.table.keep(id, {Quota{}, now + kTryAgain}, now);
  co_return false;
}

}  // namespace sentinel::proxy
