// SPDX-License-Identifier: Apache-2.0
// The main thread serves the operator's port and waits for signals; everything else happens in the workers.
#include "proxy/operation/run.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include <boost/asio/signal_set.hpp>

#include "proxy/json/cursor.h"
#include "proxy/net/listen.h"
#include "proxy/operation/worker.h"

namespace sentinel::proxy {
namespace {

using Signals = asio::basic_signal_set<Executor>;
using Workers = std::vector<std::unique_ptr<Worker>>;

constexpr std::chrono::milliseconds kLook{20};

unsigned worker_count(const Settings& settings) {
  return settings.workers != 0 ? settings.workers : std::max(1U, std::thread::hardware_concurrency());
}

void tell_listening(Log& log, std::string_view purpose, const Descriptor& listener) {
  log.event("info", "listening",
            fmt::format(R"("purpose":"{}","address":{})", purpose, json_quoted(listening_address(listener))));
}

/// Until a signal asks for the end and the workers have come to it.
Task<void> wait_for_end(Loop& loop, SharedState& shared, Workers& workers) {
  Signals signals(loop.context(), SIGTERM, SIGINT);
  co_await signals.async_wait(kUseTask);
  shared.log.event("info", "draining");
  shared.process.draining = true;
  for (auto& worker : workers) worker->drain(shared.settings.drain);
  Timer timer(loop.context().get_executor());
  while (std::any_of(workers.begin(), workers.end(), [](const auto& worker) { return worker->running(); })) {
    timer.expires_after(kLook);
    co_await timer.async_wait(kUseTask);
  }
  loop.stop();
}

void tell_totals(SharedState& shared) {
  for (const auto& [key, total] : shared.usage.totals()) {
    shared.log.event("info", "usage",
                     fmt::format(R"("email":{},"model":{},"input_tokens":{},"output_tokens":{},"requests":{})",
                                 json_quoted(key.first), json_quoted(key.second), total.input_tokens,
                                 total.output_tokens, total.requests));
  }
}

}  // namespace

Result<void> check_files(const Settings& settings) {
  SENTINEL_CHECK(load_static_keys(settings.keys_file));
  return {};
}

Result<ExitCode> run_proxy(const Settings& settings) {
  SENTINEL_TRY(StaticKeys keys, load_static_keys(settings.keys_file));
  SENTINEL_TRY(Descriptor api, listen_tcp(settings.host, settings.port));
  SENTINEL_TRY(Descriptor operator_listener, listen_tcp(settings.operator_host, settings.operator_port));

  const SystemClock clock;
  Log log(STDOUT_FILENO, clock);
  const unsigned count = worker_count(settings);
  SharedState shared(settings, clock, log, std::make_shared<const StaticKeys>(std::move(keys)), count);
  log.event("info", "starting",
            fmt::format(R"("version":"{}","workers":{},"authentication":"static keys","limits":"in process")",
                        SENTINEL_VERSION, count));
  tell_listening(log, "api", api);
  tell_listening(log, "operator", operator_listener);

  Workers workers;
  for (unsigned i = 0; i < count; ++i) {
    workers.push_back(std::make_unique<Worker>(shared, i + 1));
    SENTINEL_TRY(Descriptor own, duplicate(api));
    workers.back()->accept_on(std::move(own));
  }
  api.close();  // the workers' copies decide when the socket ends
  auto loop = std::make_unique<Loop>();
  Endpoint operator_endpoint(Endpoint::Kind::kOperator, *loop, shared);
  operator_endpoint.server().accept_on(std::move(operator_listener));
  loop->spawn(wait_for_end(*loop, shared, workers));
  for (auto& worker : workers) worker->start();
  loop->run();

  operator_endpoint.close_idle();
  loop.reset();
  workers.clear();
  tell_totals(shared);
  log.event("info", "stopped");
  return ExitCode::kDone;
}

}  // namespace sentinel::proxy
