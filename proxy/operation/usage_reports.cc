// SPDX-License-Identifier: Apache-2.0
#include "proxy/operation/usage_reports.h"

#include <fmt/format.h>

#include "proxy/json/cursor.h"
#include "proxy/usage/usage_reporter.h"
#include "proxy/usage/usage_totals.h"

namespace sentinel::proxy {
namespace {

/// Of a Redis command that no request waits for.
constexpr std::chrono::milliseconds kRedisTime{1000};
/// The last reports, once everything else has ended; a call under way may take its own time beyond.
constexpr std::chrono::milliseconds kFinish{4000};

}  // namespace

Result<UsageReports> open_usage(const Settings& settings) {
  if (!settings.zion_url || settings.state_directory.empty()) return UsageReports(std::nullopt);
  SENTINEL_TRY(UsageJournal journal, UsageJournal::open(settings.state_directory + "/usage"));
  return UsageReports(std::move(journal));
}

void UsageReports::start(SharedState& shared) {
  if (!shared.settings.zion_url) {
    auto totals = std::make_unique<UsageTotals>();
    totals_ = totals.get();
    shared.usage = std::move(totals);
    return;
  }
  if (!journal_) {
    shared.log.event("warning", "usage_not_durable",
                     R"("reason":"no SENTINEL_STATE_DIRECTORY: what isn't reported yet is lost with the process")");
  }
  UsageReporter::Parts parts{shared.users.account_service,
                             shared.clock,
                             shared.log,
                             shared.usage_metrics,
                             shared.network,
                             [users = &shared.users](Loop& loop) { return users->connect_redis(loop, kRedisTime); }};
  auto reporter = std::make_unique<UsageReporter>(std::move(parts), shared.settings.usage_times, std::move(journal_),
                                                  shared.settings.usage_sync);
  reporter_ = reporter.get();
  shared.usage = std::move(reporter);
}

void UsageReports::finish(SharedState& shared) {
  if (reporter_ != nullptr) reporter_->finish(kFinish);
  if (totals_ == nullptr) return;
  for (const auto& [key, total] : totals_->totals()) {
    shared.log.event("info", "usage",
                     fmt::format(R"("email":{},"model":{},"input_tokens":{},"output_tokens":{},"requests":{})",
                                 json_quoted(key.first), json_quoted(key.second), total.input_tokens,
                                 total.output_tokens, total.requests));
  }
}

}  // namespace sentinel::proxy
