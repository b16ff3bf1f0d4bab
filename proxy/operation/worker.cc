// SPDX-License-Identifier: Apache-2.0
#include "proxy/operation/worker.h"

namespace sentinel::proxy {
namespace {

constexpr std::chrono::milliseconds kDrainLook{20};

UpstreamTarget openai_target(const Settings& settings) {
  UpstreamTarget target;
  target.name = "openai";
  target.base = settings.openai_url;
  target.authorization = Secret("Bearer " + settings.openai_key.reveal());
  target.times = {settings.connect, settings.upstream_idle};
  return target;
}

PipelineOptions options_of(const Settings& settings) {
  PipelineOptions options;
  options.most_body = settings.most_body;
  options.first_comment = settings.keep_alive;
  options.comment_interval = settings.keep_alive;
  return options;
}

GenerationShape chat_shape() {
  return {"/chat/completions", {{"messages", JsonKind::kArray}}, true, true};
}

}  // namespace

SharedState::SharedState(const Settings& settings_, const Clock& clock_, Log& log_,
                         std::shared_ptr<const StaticKeys> keys_, unsigned workers)
    : settings(settings_),
      clock(clock_),
      log(log_),
      metrics(workers + 1),
      proxy_metrics(metrics),
      keys(std::move(keys_)) {
  metrics.gauge_from("sentinel_log_lines_dropped", "Log lines that did not fit into memory",
                     [&log_] { return static_cast<double>(log_.dropped()); });
}

Endpoint::Endpoint(Kind kind, Loop& loop, SharedState& shared)
    : connections_(loop),
      authenticator_(shared.keys),
      rate_limiter_(shared.window_counts, shared.clock, shared.settings.rate_limit),
      upstreams_(openai_target(shared.settings)),
      services_{authenticator_, rate_limiter_, shared.usage,
                upstreams_,     connections_,  shared.proxy_metrics,
                shared.log,     shared.clock,  options_of(shared.settings)},
      health_(HealthHandler::Question::kWhole, shared.process),
      ready_(HealthHandler::Question::kReady, shared.process),
      live_(HealthHandler::Question::kLive, shared.process),
      metrics_(shared.metrics),
      chat_(chat_shape()),
      routes_(routes_of(kind, *this)),
      service_(services_, routes_),
      server_(loop, service_, {}) {}

std::vector<Route> Endpoint::routes_of(Kind kind, Endpoint& self) {
  std::vector<Route> routes{
      {"GET", "/health", "health", Access::kOpen, &self.health_},
      {"GET", "/health/ready", "health", Access::kOpen, &self.ready_},
      {"GET", "/health/live", "health", Access::kOpen, &self.live_},
  };
  if (kind == Kind::kOperator) {
    routes.push_back({"GET", "/metrics", "metrics", Access::kOpen, &self.metrics_});
  } else {
    routes.push_back({"POST", "/v1/chat/completions", "chat", Access::kUsers, &self.chat_});
  }
  return routes;
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
  thread_ = std::thread([this] {
    set_worker_slot(slot_);
    loop_->run();
    running_ = false;
  });
}

void Worker::drain(std::chrono::milliseconds deadline) {
  loop_->post([this, deadline] {
    endpoint_.server().drain();
    loop_->spawn(drain_until(std::chrono::steady_clock::now() + deadline));
  });
}

Task<void> Worker::drain_until(std::chrono::steady_clock::time_point deadline) {
  Timer timer(loop_->context().get_executor());
  while (endpoint_.server().connections() > 0 && std::chrono::steady_clock::now() < deadline) {
    timer.expires_after(kDrainLook);
    co_await timer.async_wait(kUseTask);
  }
  loop_->stop();
}

}  // namespace sentinel::proxy
