// SPDX-License-Identifier: Apache-2.0
// One worker: a thread, its loop, and one of everything a request needs. What workers share comes in as SharedState.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "proxy/operation/admin.h"
#include "proxy/operation/user_checks.h"
#include "proxy/pipeline/debug_handler.h"
#include "proxy/pipeline/generation_handler.h"
#include "proxy/pipeline/health.h"
#include "proxy/pipeline/models_handler.h"
#include "proxy/pipeline/passthrough_handler.h"
#include "proxy/pipeline/proxy_service.h"
#include "proxy/upstreams/routed_upstreams.h"
#include "proxy/usage/usage_metrics.h"
#include "proxy/usage/usage_sink.h"

namespace sentinel::proxy {

/// Built by main before the workers, and outliving them. Each member says or is what makes it safe for several threads.
struct SharedState {
  SharedState(const Settings& settings, const Clock& clock, Log& log, std::shared_ptr<const StaticKeys> keys,
              unsigned workers);

  const std::size_t workers;
  const Settings& settings;  ///< as started with
  const Clock& clock;
  Log& log;
  Metrics metrics;
  ProxyMetrics proxy_metrics;
  ProcessState process;
  Network network;
  SharedUserState users;
  CurrentDirectory upstreams;
  UsageMetrics usage_metrics;
  std::unique_ptr<UsageSink> usage;
  DebugFacts debug;
  ResponseCache response_cache;
  AdminCommands* commands = nullptr;  ///< null: no admin socket
};

/// What a reload brings, already checked. Workers share it.
struct Reloaded {
  Settings settings;
  std::shared_ptr<const StaticKeys> keys;
  std::shared_ptr<const UpstreamDirectory> upstreams;
};

/// A listener's requests on one loop: handlers, routes, stages, server. The workers have one, and so have the
/// operator's port and the admin socket, which knows the routes of both and its own.
class Endpoint {
 public:
  enum class Kind { kApi, kOperator, kAdmin };

  Endpoint(Kind kind, Loop& loop, SharedState& shared);

  HttpServer& server() { return server_; }

  /// All routes, a line each: method, path, who may ask, where it is served. docs/openapi.yaml is held
  /// against it.
  static std::string routes_text();

  /// Takes over what can change while serving; requests under way may see some of it. On the loop's thread.
  void apply(const Reloaded& reloaded);

  /// Ends what is under way with errors that clients can read. On the loop's thread.
  void cut() { services_.calls.cut(); }

  /// Before the loop is destroyed.
  void close_idle() { connections_.close_idle(); }

 private:
  struct StatedRoute;

  /// What each kind is made of.
  static const std::vector<StatedRoute>& stated_routes();
  static std::vector<Route> routes_of(Kind kind, Endpoint& self, const Settings& settings);

  Kind kind_;
  ConnectionPool connections_;
  UserChecks users_;
  RoutedUpstreams upstreams_;
  std::unique_ptr<RedisClient> answers_redis_;  ///< null: answers are not kept, or in process only
  std::optional<SharedAnswers> shared_answers_;
  AnswerStore answers_;
  Services services_;
  RedisHealthCheck redis_health_;
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
  AdminHandler admin_;
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

  void start();
  /// Accepts on this socket from now on. From any thread.
  void begin_accepting(Descriptor listener);
  /// From any thread.
  void apply(std::shared_ptr<const Reloaded> reloaded);

  /// Calls `heard` on the worker's thread: it still turns. From any thread.
  template <typename Heard>
  void ask(Heard heard) {
    loop_->post(std::move(heard));
  }

  /// Stops accepting until begin_accepting() is called again; what is under way goes on. From any thread.
  void hold();
  /// Stops accepting, lets requests end for at most that long, then ends the thread. From any thread.
  void drain(std::chrono::milliseconds deadline);

  /// Ends the thread now, whatever is under way. From any thread.
  void stop() { loop_->stop(); }

  bool running() const { return running_; }

  std::size_t connections() { return endpoint_.server().connections(); }

 private:
  Task<void> drain_until(std::chrono::steady_clock::time_point deadline);

  std::size_t slot_;
  std::atomic<bool> running_{false};
  std::unique_ptr<Loop> loop_;
  Endpoint endpoint_;
  std::thread thread_;
};

}  // namespace sentinel::proxy
