// SPDX-License-Identifier: Apache-2.0
#include "proxy/operation/worker.h"

#include "proxy/net/waiter.h"
#include "proxy/operation/memory.h"

namespace sentinel::proxy {
namespace {

constexpr std::chrono::milliseconds kDrainLook{20};
/// For the last words to clients whose time is over.
constexpr std::chrono::milliseconds kLastWords{500};

PipelineOptions options_of(const Settings& settings, Endpoint::Kind kind) {
  PipelineOptions options;
  options.most_body = settings.most_body;
  options.first_comment = settings.keep_alive;
  options.comment_interval = settings.keep_alive;
  options.output_guess = settings.output_guess;
  options.passthrough_errors = settings.passthrough_errors;
  // The operator's port is nobody's business in a browser.
  options.cors = settings.cors && kind == Endpoint::Kind::kApi;
  options.passthrough = settings.passthrough;
  switch (settings.response_cache) {
    case ResponseCacheUse::kOff: break;
    case ResponseCacheUse::kUser: options.cache_scope = CacheScope::kUser; break;
    case ResponseCacheUse::kShared: options.cache_scope = CacheScope::kShared; break;
  }
  return options;
}

GenerationShape chat_shape() {
  return {.upstream_path = "/chat/completions", .required = {{"messages", JsonKind::kArray}}, .ask_for_usage = true};
}

GenerationShape completions_shape() {
  return {.upstream_path = "/completions", .required = {{"prompt"}}, .ask_for_usage = true};
}

GenerationShape responses_shape() {
  // Streams end with their usage unasked. The upstream keeps answers under their ids.
  return {.upstream_path = "/responses", .names_state = true, .answer = AnswerMember::kId};
}

GenerationShape embeddings_shape() {
  return {.upstream_path = "/embeddings",
          .required = {{"input"}},
          .may_stream = false,
          .counts_output = false,
          .answer = AnswerMember::kData};
}

DebugFacts debug_facts(const Settings& settings) {
  const BaseUrl& first = settings.upstream.upstreams.front().base;
  DebugFacts facts;
  facts.enabled = settings.debug;
  if (settings.zion_url) facts.zion_api_url = settings.zion_url->origin.text() + settings.zion_url->path;
  facts.jwt_cache_ttl_seconds = settings.profile_ttl.count();
  facts.openai_api_url = first.origin.text() + first.path;
  facts.cache_ttl_seconds = settings.cache_ttl.count();
  return facts;
}

/// A connection of their own, so that no answer stands in the way of limits.
std::unique_ptr<RedisClient> connect_answers(Endpoint::Kind kind, Loop& loop, SharedState& shared) {
  if (shared.settings.response_cache == ResponseCacheUse::kOff || kind == Endpoint::Kind::kOperator) return nullptr;
  return shared.users.connect_redis(loop, shared.settings.redis_time);
}

std::optional<SharedAnswers> shared_answers(RedisClient* redis, SharedState& shared) {
  if (redis == nullptr) return std::nullopt;
  return SharedAnswers(*redis, shared.settings.cache_ttl, shared.users.metrics.degraded.with({"response_cache"}));
}

}  // namespace

SharedState::SharedState(const Settings& settings_, const Clock& clock_, Log& log_,
                         std::shared_ptr<const StaticKeys> keys_, unsigned workers_)
    : workers(workers_),
      settings(settings_),
      clock(clock_),
      log(log_),
      metrics(workers_ + 1),
      proxy_metrics(metrics),
      users(settings_, clock_, log_, metrics, network.names, std::move(keys_)),
      upstreams(make_directory(settings_.upstream)),
      usage_metrics(metrics),
      debug(debug_facts(settings_)),
      response_cache(settings_.response_cache == ResponseCacheUse::kOff ? 0 : settings_.response_cache_bytes,
                     settings_.cache_ttl) {
  debug.redis_connected = [this] { return users.redis_health.connected.load() > 0; };
  debug.profiles = [this] { return DebugFacts::Cache{users.identities.size(), {}}; };
  metrics.gauges_from("sentinel_upstream_circuit_state", "0: closed, 1: half open, 2: open", "upstream",
                      [this] { return upstreams.get()->circuit_states(); });
  metrics.gauge_from("sentinel_response_cache_bytes", "Bytes of kept answers",
                     [this] { return static_cast<double>(response_cache.bytes()); });
  metrics.gauge_from("sentinel_response_cache_entries", "Kept answers",
                     [this] { return static_cast<double>(response_cache.entries()); });
  metrics.gauge_from("sentinel_log_lines_dropped", "Log lines that did not fit into memory",
                     [&log_] { return static_cast<double>(log_.dropped()); });
}

Endpoint::Endpoint(Kind kind, Loop& loop, SharedState& shared)
    : kind_(kind),
      connections_(loop, &shared.network, shared.settings.pool),
      users_(loop, connections_, shared.users),
      upstreams_(shared.upstreams.get()),
      answers_redis_(connect_answers(kind, loop, shared)),
      shared_answers_(shared_answers(answers_redis_.get(), shared)),
      answers_(shared.response_cache, shared_answers_ ? &*shared_answers_ : nullptr),
      services_{users_.authenticator(),
                users_.rate_limiter(),
                users_.reserver(),
                users_.redis(),
                *shared.usage,
                upstreams_,
                connections_,
                shared.proxy_metrics,
                shared.log,
                shared.clock,
                options_of(shared.settings, kind),
                &answers_},
      redis_health_(users_.redis()),
      health_(HealthHandler::Question::kWhole, shared.process,
              users_.redis() == nullptr ? HealthChecks{} : HealthChecks{&redis_health_}),
      // Without Redis everybody is served: nobody should take the traffic away for it, unless asked to.
      ready_(HealthHandler::Question::kReady, shared.process,
             shared.settings.ready_needs_redis ? HealthChecks{&redis_health_} : HealthChecks{}),
      live_(HealthHandler::Question::kLive, shared.process),
      metrics_(shared.metrics),
      debug_cache_(DebugHandler::Question::kCache, shared.debug),
      debug_auth_(DebugHandler::Question::kAuth, shared.debug),
      debug_config_(DebugHandler::Question::kConfig, shared.debug),
      chat_(chat_shape()),
      completions_(completions_shape()),
      responses_(responses_shape()),
      embeddings_(embeddings_shape()),
      models_(ModelsHandler::Question::kList),
      model_(ModelsHandler::Question::kOne),
      admin_(shared.commands),
      routes_(routes_of(kind, *this, shared.settings)),
      service_(services_, routes_),
      server_(loop, service_, shared.settings.server) {}

struct Endpoint::StatedRoute {
  enum On : unsigned { kApi = 1, kOperator = 2, kAdmin = 4, kApiIfSet = 8 };

  Route route;  ///< its handler is each endpoint's own
  unsigned on;
  Handler& (*handler)(Endpoint&);
};

const std::vector<Endpoint::StatedRoute>& Endpoint::stated_routes() {
  using S = StatedRoute;
  constexpr unsigned kEverywhere = S::kApi | S::kOperator | S::kAdmin;
  constexpr unsigned kOperators = S::kApiIfSet | S::kOperator | S::kAdmin;
  constexpr unsigned kUsers = S::kApi | S::kAdmin;
  static const std::vector<S> kRoutes{
      {{"GET", "/health", "health", Access::kOpen}, kEverywhere, [](auto& e) -> Handler& { return e.health_; }},
      {{"GET", "/health/ready", "health", Access::kOpen}, kEverywhere, [](auto& e) -> Handler& { return e.ready_; }},
      {{"GET", "/health/live", "health", Access::kOpen}, kEverywhere, [](auto& e) -> Handler& { return e.live_; }},
      {{"GET", "/metrics", "metrics", Access::kOpen}, kOperators, [](auto& e) -> Handler& { return e.metrics_; }},
      {{"GET", "/debug/cache", "debug", Access::kOpen}, kOperators, [](auto& e) -> Handler& { return e.debug_cache_; }},
      {{"GET", "/debug/auth/*", "debug", Access::kOpen}, kOperators, [](auto& e) -> Handler& { return e.debug_auth_; }},
      {{"GET", "/debug/config", "debug", Access::kOpen},
       kOperators,
       [](auto& e) -> Handler& { return e.debug_config_; }},
      {{"GET", "/admin/state", "admin", Access::kOpen}, S::kAdmin, [](auto& e) -> Handler& { return e.admin_; }},
      {{"POST", "/admin/accept", "admin", Access::kOpen}, S::kAdmin, [](auto& e) -> Handler& { return e.admin_; }},
      {{"POST", "/admin/hold", "admin", Access::kOpen}, S::kAdmin, [](auto& e) -> Handler& { return e.admin_; }},
      {{"POST", "/admin/drain", "admin", Access::kOpen}, S::kAdmin, [](auto& e) -> Handler& { return e.admin_; }},
      {{"POST", "/v1/chat/completions", "chat"}, kUsers, [](auto& e) -> Handler& { return e.chat_; }},
      {{"POST", "/v1/completions", "completions"}, kUsers, [](auto& e) -> Handler& { return e.completions_; }},
      {{"POST", "/v1/responses", "responses"}, kUsers, [](auto& e) -> Handler& { return e.responses_; }},
      {{"POST", "/v1/embeddings", "embeddings"}, kUsers, [](auto& e) -> Handler& { return e.embeddings_; }},
      {{"GET", "/v1/models", "models"}, kUsers, [](auto& e) -> Handler& { return e.models_; }},
      {{"GET", "/v1/models/*", "models"}, kUsers, [](auto& e) -> Handler& { return e.model_; }},
      {{"*", "/v1/*", "passthrough"}, kUsers, [](auto& e) -> Handler& { return e.passthrough_; }},
  };
  return kRoutes;
}

std::vector<Route> Endpoint::routes_of(Kind kind, Endpoint& self, const Settings& settings) {
  unsigned on = StatedRoute::kAdmin;
  if (kind == Kind::kOperator) on = StatedRoute::kOperator;
  if (kind == Kind::kApi) on = StatedRoute::kApi | (settings.operator_on_api ? StatedRoute::kApiIfSet : 0U);
  std::vector<Route> routes;
  for (const StatedRoute& stated : stated_routes()) {
    if ((stated.on & on) == 0) continue;
    routes.push_back(stated.route);
    routes.back().handler = &stated.handler(self);
  }
  return routes;
}

std::string Endpoint::routes_text() {
  std::string text;
  for (const StatedRoute& stated : stated_routes()) {
    text.append(stated.route.method).append(" ").append(stated.route.path);
    text.append(stated.route.access == Access::kUsers ? " users" : " open");
    if ((stated.on & StatedRoute::kApi) != 0) text.append(" api");
    if ((stated.on & StatedRoute::kOperator) != 0) text.append(" operator");
    if ((stated.on & StatedRoute::kAdmin) != 0) text.append(" admin");
    text.push_back('\n');
  }
  return text;
}

void Endpoint::apply(const Reloaded& reloaded) {
  users_.apply(reloaded.keys, reloaded.settings.rate_limit);
  upstreams_.replace(reloaded.upstreams);
  services_.options = options_of(reloaded.settings, kind_);
}

Worker::Worker(SharedState& shared, std::size_t slot)
    : slot_(slot), loop_(std::make_unique<Loop>()), endpoint_(Endpoint::Kind::kApi, *loop_, shared) {}

Worker::~Worker() {
  loop_->stop();
  if (thread_.joinable()) thread_.join();
  // Suspended tasks refer to the endpoint: they go first.
  endpoint_.close_idle();
  loop_.reset();
}

void Worker::start() {
  running_ = true;
  loop_->spawn(give_memory_back(*loop_));
  thread_ = std::thread([this] {
    set_worker_slot(slot_);
    loop_->run();
    running_ = false;
  });
}

void Worker::begin_accepting(Descriptor listener) {
  // Handlers that are posted must be copyable.
  auto shared = std::make_shared<Descriptor>(std::move(listener));
  loop_->post([this, shared] { endpoint_.server().accept_on(std::move(*shared)); });
}

void Worker::hold() {
  loop_->post([this] { endpoint_.server().hold(); });
}

void Worker::apply(std::shared_ptr<const Reloaded> reloaded) {
  loop_->post([this, reloaded] { endpoint_.apply(*reloaded); });
}

void Worker::drain(std::chrono::milliseconds deadline) {
  loop_->post([this, deadline] {
    endpoint_.server().drain();
    loop_->spawn(drain_until(std::chrono::steady_clock::now() + deadline));
  });
}

Task<void> Worker::drain_until(std::chrono::steady_clock::time_point deadline) {
  while (endpoint_.server().connections() > 0 && std::chrono::steady_clock::now() < deadline) {
    co_await pause_for(*loop_, kDrainLook);
  }
  endpoint_.cut();
  const auto end = std::chrono::steady_clock::now() + kLastWords;
  while (endpoint_.server().connections() > 0 && std::chrono::steady_clock::now() < end) {
    co_await pause_for(*loop_, kDrainLook);
  }
  loop_->stop();
}

}  // namespace sentinel::proxy
