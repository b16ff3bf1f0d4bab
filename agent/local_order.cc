// SPDX-License-Identifier: Apache-2.0
#include "agent/local_order.h"

#include <fmt/format.h>
#include <unistd.h>

#include "agent/begin_transaction.h"
#include "core/base/clock.h"
#include "core/model/transaction_id.h"
#include "core/release/release_plan.h"
#include "core/report/printable.h"
#include "core/system/local_system.h"

namespace sentinel::agent {
namespace {

constexpr std::chrono::hours kLongest{2};  // a rollout ends by its own deadlines long before

Result<AppReleases> app_named(HostState& host, const std::string& name) {
  ReleaseRegistry registry(host.machine, host.directory);
  if (!name.empty()) return registry.read(name);
  SENTINEL_TRY(const auto apps, registry.read());
  if (apps.size() == 1) return apps.front();
  return Error("release.unknown", fmt::format("the host has {} applications", apps.size()),
               "name one with --app; sentinel-agent releases lists them", ExitCode::kUsage);
}

Result<Event> run(const std::string& app_name, const std::string& release) {
  LocalSystem machine;
  HostState host(machine);
  SENTINEL_CHECK(host.directory.prepare(machine));
  SENTINEL_TRY(const auto app, app_named(host, app_name));
  ReleaseOrder wish;
  wish.action = ReleaseOrder::Action::kRollback;
  wish.release.app = app.app;
  wish.release.id = release;
  TransactionOrder order;
  SENTINEL_TRY(order.request.release, complete_order(wish, app));
  order.request.project = app.app;
  order.request.purpose = "rollback to release " + order.request.release->release.id;
  order.request.operator_name = fmt::format("uid {} on the host", getuid());
  order.handover.begin.transaction = new_transaction_id();
  SENTINEL_TRY(auto owner, begin_transaction(host, order));
  SENTINEL_TRY(const auto frame, owner.await(kLongest));
  if (frame.type == FrameType::kFailed) return decode_failure(frame.payload);
  return decode_message<Event>(frame.payload);
}

}  // namespace

ExitCode roll_back_locally(const std::string& app, const std::string& release) {
  const auto result = run(app, release);
  if (!result.ok()) {
    fmt::print(stderr, "sentinel-agent: {}\n", printable_line(result.error().message));
    if (!result.error().hint.empty()) fmt::print(stderr, "  hint: {}\n", printable_line(result.error().hint));
    return result.error().exit;
  }
  fmt::print("{}; release {} is in force\n", result->outcome, result->release);
  for (const auto& error : result->errors) fmt::print(stderr, "sentinel-agent: {}\n", printable_line(error.message));
  for (const auto& line : result->log) fmt::print(stderr, "    {}\n", printable_line(line));
  if (result->outcome == "stuck") return ExitCode::kStuck;
  return result->errors.empty() ? ExitCode::kDone : result->errors.front().exit;
}

}  // namespace sentinel::agent
