// SPDX-License-Identifier: Apache-2.0
#include "proxy/usage/usage_delivery.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/net/waiter.h"

namespace sentinel::proxy {
namespace {

constexpr std::string_view kPath = "/api/v1/usage/external/batch-increment";

/// The call itself was wrong, not the moment: 401 and 403 are about our key, 408 and 429 about the moment.
bool refuses_contents(int code) {
  return code >= 400 && code < 500 && code != 401 && code != 403 && code != 404 && code != 408 && code != 429;
}

}  // namespace

std::int64_t UsageDelivery::now_ms() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(parts_.clock.now().time_since_epoch()).count();
}

bool UsageDelivery::open_for_calls() const {
  return closed() || std::chrono::steady_clock::now() - opened_ >= times_.open;
}

Task<void> UsageDelivery::wait_for_turn() {
  for (;;) {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> passed = now - std::exchange(turns_at_, now);
    turns_ = std::min(kCallsPerSecond, turns_ + passed.count() * kCallsPerSecond);
    if (turns_ >= 1) break;
    co_await pause_for(parts_.loop, std::chrono::milliseconds(50));
  }
  turns_ -= 1;
}

void UsageDelivery::succeeded() {
  if (!closed()) parts_.log.event("info", "usage_circuit_closed");
  failures_ = 0;
  last_success_ = now_ms();
  parts_.metrics.circuit = 0;
}

void UsageDelivery::failed(const std::string& outcome) {
  ++failures_;
  parts_.log.event("warning", "usage_report_failed", fmt::format(R"("outcome":"{}")", outcome));
  if (closed()) return;
  if (failures_ == kMostFailures) parts_.log.event("error", "usage_circuit_open");
  opened_ = std::chrono::steady_clock::now();
  parts_.metrics.circuit = 2;
}

DeliveryResult UsageDelivery::after_failure(UsageBatch batch) {
  // An outage is nobody's fault: only who fails while others get through comes nearer to being put aside.
  if (batch.tried_at != 0 && last_success_ > batch.tried_at) ++batch.attempts;
  batch.tried_at = now_ms();
  if (batch.attempts >= kMostAttempts) return {{}, {std::move(batch)}};
  return {{std::move(batch)}, {}};
}

DeliveryResult UsageDelivery::after_refusal(UsageBatch batch) {
  // Nothing of it was billed. One row may have spoilt it for the others: from now on each goes alone.
  DeliveryResult result;
  ++batch.attempts;
  batch.tried_at = now_ms();
  if (batch.rows.size() == 1) {
    (batch.attempts >= kMostAttempts ? result.dead : result.keep).push_back(std::move(batch));
    return result;
  }
  int number = 0;
  for (UsageRow& row : batch.rows) {
    result.keep.push_back({fmt::format("{}.{}", batch.id, number++), batch.attempts, batch.tried_at, {std::move(row)}});
  }
  return result;
}

DeliveryResult UsageDelivery::after_answer(const UsageBatch& batch, const std::string& body) {
  std::optional<std::vector<UsageRow>> refused = refused_rows(batch, body);
  if (!refused) {
    // It was taken; what the service says beside that can't be read, and asking again could bill twice.
    parts_.log.event("warning", "usage_answer_unreadable", fmt::format(R"("batch":"{}")", batch.id));
    refused.emplace();
  }
  parts_.metrics.success.add(batch.rows.size() - refused->size());
  parts_.metrics.failed.add(refused->size());
  DeliveryResult result;
  if (refused->empty()) return result;
  UsageBatch rest{batch.id + ".r", batch.attempts + 1, now_ms(), std::move(*refused)};
  (rest.attempts >= kMostAttempts ? result.dead : result.keep).push_back(std::move(rest));
  return result;
}

Task<DeliveryResult> UsageDelivery::deliver(UsageBatch batch) {
  if (!open_for_calls()) co_return after_failure(std::move(batch));
  co_await wait_for_turn();
  if (!closed()) parts_.metrics.circuit = 1;
  FetchRequest request = parts_.service.as_proxy("POST", kPath, batch_request(batch));
  request.fields += fmt::format("Idempotency-Key: {}\r\n", batch.id);
  const FetchAnswer answer = co_await fetch(parts_.loop, parts_.pool, std::move(request));
  if (answer.good()) {
    succeeded();
    co_return after_answer(batch, answer.body);
  }
  parts_.metrics.failed.add(batch.rows.size());
  if (answer.status == ClientStatus::kDone && refuses_contents(answer.code)) {
    succeeded();
    parts_.log.event("warning", "usage_batch_refused",
                     fmt::format(R"("batch":"{}","outcome":"{}")", batch.id, answer.outcome()));
    co_return after_refusal(std::move(batch));
  }
  failed(answer.outcome());
  co_return after_failure(std::move(batch));
}

}  // namespace sentinel::proxy
