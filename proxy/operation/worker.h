// SPDX-License-Identifier: Apache-2.0
// One worker: a thread, its loop, and one of everything a request needs. What workers share comes in as SharedState.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "proxy/auth/static_keys.h"
#include "proxy/limits/local_rate_limiter.h"
#include "proxy/operation/settings.h"
#include "proxy/pipeline/debug_handler.h"
#include "proxy/pipeline/generation_handler.h"
#include "proxy/pipeline/health.h"
#include "proxy/pipeline/models_handler.h"
#include "proxy/pipeline/passthrough_handler.h"
#include "proxy/pipeline/proxy_service.h"
#include "proxy/upstreams/single_upstream.h"
#include "proxy/usage/usage_totals.h"

namespace sentinel::proxy {

/// Built by main before the workers, and outliving them. Each member says or is what makes it safe for several threads.
struct SharedState {
  SharedState(const Settings& settings, const Clock& clock, Log& log, std::shared_ptr<const StaticKeys> keys,
              unsigned workers);

  const Settings& settings;
  const Clock& clock;
  Log& log;
  Metrics metrics;
  ProxyMetrics proxy_metrics;
  ProcessState process;
  std::shared_ptr<const StaticKeys> keys;
  WindowCounts window_counts;
  UsageTotals usage;
  DebugFacts debug;
  ResponseCache response_cache;
};

/// A listener's requests on one loop: handlers, routes, stages, server. The workers have one, and so has the operator's
/// port.
class Endpoint {
 public:
  enum class Kind { kApi, kOperator };

  Endpoint(Kind kind, Loop& loop, SharedState& shared);

  HttpServer& server() { return server_; }

  /// Before the loop is destroyed.
  void close_idle() { connections_.close_idle(); }

 private:
  static std::vector<Route> routes_of(Kind kind, Endpoint& self, const Settings& settings);

  ConnectionPool connections_;
  StaticKeyAuthenticator authenticator_;
  LocalRateLimiter rate_limiter_;
  SingleUpstream upstreams_;
  Services services_;
  HealthHandler health_;
  HealthHandler ready_;
  HealthHandler live_;
  MetricsHandler metrics_;
  DebugHandler debug_cache_;
  DebugHandler debug_auth_;
  DebugHandler debug_config_;
  GenerationHandler chat_;
  GenerationHandler completions_;
  GenerationHandler responses_;
  GenerationHandler embeddings_;
  ModelsHandler models_;
  ModelsHandler model_;
  PassthroughHandler passthrough_;
  std::vector<Route> routes_;
  ProxyService service_;
  HttpServer server_;
};

class Worker {
 public:
  /// `slot`: its place among the metrics' slots.
  Worker(SharedState& shared, std::size_t slot);
  /// Ends the thread.
  ~Worker();

  /// Accepts on this socket, once started. Before start() only.
  void accept_on(Descriptor listener) { endpoint_.server().accept_on(std::move(listener)); }

  void start();
  /// Stops accepting, lets requests end for at most that long, then ends the thread. From any thread.
  void drain(std::chrono::milliseconds deadline);

  bool running() const { return running_; }

 private:
  Task<void> drain_until(std::chrono::steady_clock::time_point deadline);

  std::size_t slot_;
  std::atomic<bool> running_{false};
  std::unique_ptr<Loop> loop_;
  Endpoint endpoint_;
  std::thread thread_;
};

}  // namespace sentinel::proxy
