// SPDX-License-Identifier: Apache-2.0
// A hand-over: the new process starts in kWaiting, is looked at through its admin socket, and is told to accept; then
// the old one is told to end. For a moment both accept on the same sockets, and nobody is refused.
#include "proxy/operation/service.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <exception>

#include "core/base/environment.h"
#include "core/base/service_manager.h"
#include "proxy/json/cursor.h"
#include "proxy/net/waiter.h"

namespace sentinel::proxy {
namespace {

constexpr std::chrono::milliseconds kLook{20};

/// Read at every reload; a change of any other setting waits for the next start.
constexpr std::string_view kReloadable[] = {"SENTINEL_KEYS_FILE",
                                            "SENTINEL_RATE_LIMIT",
                                            "SENTINEL_MAX_BODY_BYTES",
                                            "SENTINEL_KEEP_ALIVE_SECONDS",
                                            "OPENAI_API_URL",
                                            "OPENAI_API_KEY",
                                            "SENTINEL_UPSTREAMS",
                                            "SENTINEL_MODELS",
                                            "SENTINEL_ATTEMPTS",
                                            "SENTINEL_BREAKER_FAILURES",
                                            "SENTINEL_BREAKER_SECONDS",
                                            "SENTINEL_CONNECT_TIMEOUT_SECONDS",
                                            "SENTINEL_UPSTREAM_IDLE_SECONDS"};

sigset_t our_signals() {
  sigset_t ours;
  sigemptyset(&ours);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ours, number);
  return ours;
}

/// Our signals as they come; hold_signals() keeps them back for whoever reads here.
class Signals final : private EventListener {
 public:
  explicit Signals(Loop& loop) : loop_(loop), heard_(loop) {
    const sigset_t ours = our_signals();
    descriptor_ = Descriptor(::signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC));
    // Without a descriptor left at its start a program has nothing to serve with.
    if (!descriptor_.valid() || !loop_.watch(descriptor_.get(), *this)) std::terminate();
  }

  ~Signals() { loop_.forget(descriptor_.get(), *this); }

  Task<int> next() {
    signalfd_siginfo signal{};
    while (::read(descriptor_.get(), &signal, sizeof signal) != sizeof signal) {
      co_await heard_;
    }
    co_return static_cast<int>(signal.ssi_signo);
  }

 private:
  void happened(std::uint32_t) override { heard_.resume(); }

  Loop& loop_;
  Descriptor descriptor_;
  Suspension heard_;
};

void tell_listening(Log& log, std::string_view purpose, const std::vector<Descriptor>& listeners) {
  for (const Descriptor& listener : listeners) {
    log.event("info", "listening",
              fmt::format(R"("purpose":"{}","address":{})", purpose, json_quoted(listening_address(listener))));
  }
}

std::string monotonic_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000);
}

std::chrono::microseconds watchdog_interval() {
  const std::string text = environment_variable("WATCHDOG_USEC").value_or("");
  std::int64_t microseconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), microseconds);
  return std::chrono::microseconds(microseconds);
}

}  // namespace

Service::Service(SharedState& shared, Listeners listeners, const LoadedSettings& loaded, SettingsSource source)
    : shared_(shared),
      listeners_(std::move(listeners)),
      values_(loaded.values),
      source_(std::move(source)),
      loop_(std::make_unique<Loop>()),
      operator_endpoint_(Endpoint::Kind::kOperator, *loop_, shared) {
  tell_listening(shared_.log, "api", listeners_.api);
  tell_listening(shared_.log, "operator", listeners_.operators);
  if (listeners_.admin) {
    shared_.commands = this;
    admin_endpoint_ = std::make_unique<Endpoint>(Endpoint::Kind::kAdmin, *loop_, shared);
    shared_.log.event(
        "info", "listening",
        fmt::format(R"("purpose":"admin","address":{})", json_quoted(listening_address(*listeners_.admin))));
    admin_endpoint_->server().accept_on(std::move(*listeners_.admin));
  }
}

Service::~Service() {
  operator_endpoint_.close_idle();
  if (admin_endpoint_) admin_endpoint_->close_idle();
  loop_.reset();
}

void Service::hold_signals() {
  const sigset_t ours = our_signals();
  pthread_sigmask(SIG_BLOCK, &ours, nullptr);
}

void Service::run() {
  const std::size_t count = shared_.workers;
  for (std::size_t i = 0; i < count; ++i) workers_.push_back(std::make_unique<Worker>(shared_, i + 1));
  for (auto& worker : workers_) worker->start();
  loop_->spawn(watch_signals());
  if (const auto interval = watchdog_interval(); interval.count() > 0) loop_->spawn(watchdog(interval));
  if (!shared_.settings.accept_on_command) accept();
  notify_service_manager("READY=1\nSTATUS=" + std::string(state_ == State::kWaiting ? "waiting" : "accepting"));
  loop_->run();
  workers_.clear();
}

std::string_view Service::name_of(State state) {
  switch (state) {
    case State::kWaiting: return "waiting";
    case State::kAccepting: return "accepting";
    case State::kHolding: return "holding";
    case State::kDraining: return "draining";
  }
  return "";
}

bool Service::accept() {
  if (state_ == State::kAccepting || state_ == State::kDraining) return state_ == State::kAccepting;
  for (const Descriptor& listener : listeners_.api) {
    for (auto& worker : workers_) {
      Result<Descriptor> own = duplicate(listener);
      if (own.ok()) worker->begin_accepting(std::move(*own));
    }
  }
  for (const Descriptor& listener : listeners_.operators) {
    Result<Descriptor> own = duplicate(listener);
    if (own.ok()) operator_endpoint_.server().accept_on(std::move(*own));
  }
  state_ = State::kAccepting;
  shared_.log.event("info", "accepting");
  notify_service_manager("STATUS=accepting");
  return true;
}

bool Service::hold() {
  if (state_ != State::kAccepting) return state_ != State::kDraining;
  for (auto& worker : workers_) worker->hold();
  operator_endpoint_.server().hold();
  state_ = State::kHolding;
  shared_.log.event("info", "holding");
  notify_service_manager("STATUS=holding");
  return true;
}

void Service::drain() {
  if (state_ == State::kDraining) return;
  state_ = State::kDraining;
  shared_.log.event("info", "draining");
  notify_service_manager("STOPPING=1\nSTATUS=draining");
  shared_.process.draining = true;
  // The workers' copies decide when the sockets end.
  listeners_.api.clear();
  listeners_.operators.clear();
  for (auto& worker : workers_) worker->drain(shared_.settings.drain);
  loop_->spawn(wait_for_workers());
}

std::string Service::state() const {
  return fmt::format(R"({{"state":"{}","version":"{}","pid":{},"connections":{}}})", name_of(state_), SENTINEL_VERSION,
                     ::getpid(), connections());
}

Task<void> Service::watch_signals() {
  Signals signals(*loop_);
  for (;;) {
    const int number = co_await signals.next();
    if (number == SIGHUP) {
      reload();
    } else if (state_ == State::kDraining) {
      // Asked twice: at once, then.
      for (auto& worker : workers_) worker->stop();
    } else {
      drain();
    }
  }
}

Task<void> Service::wait_for_workers() {
  while (any_running()) {
    co_await pause_for(*loop_, kLook);
  }
  if (const std::size_t cut = connections(); cut > 0) {
    shared_.log.event("warning", "connections_cut", fmt::format(R"("connections":{})", cut));
  }
  loop_->stop();
}

Task<void> Service::watchdog(std::chrono::microseconds interval) {
  auto heard = std::make_shared<std::atomic<std::size_t>>(workers_.size());
  while (state_ != State::kDraining) {
    if (heard->load() == workers_.size()) {
      notify_service_manager("WATCHDOG=1");
      heard->store(0);
      for (auto& worker : workers_) worker->ask([heard] { heard->fetch_add(1); });
    }
    co_await pause_for(*loop_, std::chrono::floor<std::chrono::milliseconds>(interval / 4));
  }
  // The end has a deadline of its own.
  for (;;) {
    notify_service_manager("WATCHDOG=1");
    co_await pause_for(*loop_, std::chrono::floor<std::chrono::milliseconds>(interval / 4));
  }
}

void Service::reload() {
  if (state_ == State::kDraining) return;
  notify_service_manager("RELOADING=1\nMONOTONIC_USEC=" + monotonic_microseconds());
  const std::string failed = try_reload();
  if (failed.empty()) {
    shared_.log.event("info", "reloaded");
  } else {
    shared_.log.event("error", "reload_failed", "\"reason\":" + json_quoted(failed));
  }
  notify_service_manager("READY=1");
}

std::string Service::try_reload() {
  LoadedSettings loaded = source_();
  std::string problems;
  for (const Error& error : loaded.errors) problems.append(problems.empty() ? "" : "; ").append(error.message);
  if (!problems.empty()) return problems;
  Result<StaticKeys> keys = load_static_keys(loaded.settings.keys_file);
  if (!keys.ok()) return keys.error().message;
  const bool secure = std::any_of(loaded.settings.upstream.upstreams.begin(), loaded.settings.upstream.upstreams.end(),
                                  [](const UpstreamTarget& one) { return one.base.origin.tls; });
  if (secure && shared_.network.trust() == nullptr) {
    // As started with: SENTINEL_CA_FILE is read only then.
    Result<std::shared_ptr<TlsTrust>> trust = TlsTrust::load(shared_.settings.ca_file);
    if (!trust.ok()) return trust.error().message;
    shared_.network.set_trust(std::move(*trust));
  }
  tell_unchanged(loaded.values);
  auto reloaded = std::make_shared<Reloaded>();
  reloaded->settings = std::move(loaded.settings);
  reloaded->keys = std::make_shared<const StaticKeys>(std::move(*keys));
  reloaded->upstreams = make_directory(reloaded->settings.upstream);
  shared_.upstreams.set(reloaded->upstreams);
  for (auto& worker : workers_) worker->apply(reloaded);
  if (admin_endpoint_) admin_endpoint_->apply(*reloaded);
  return {};
}

void Service::tell_unchanged(const std::map<std::string, std::string>& values) {
  const auto look = [&](const std::string& name) {
    if (std::find(std::begin(kReloadable), std::end(kReloadable), name) != std::end(kReloadable)) return;
    const auto before = values_.find(name);
    const auto now = values.find(name);
    const bool same = (before == values_.end()) == (now == values.end()) &&
                      (before == values_.end() || before->second == now->second);
    if (!same) shared_.log.event("warning", "restart_needed", "\"setting\":" + json_quoted(name));
  };
  for (const auto& [name, value] : values_) look(name);
  for (const auto& [name, value] : values) {
    if (!values_.contains(name)) look(name);
  }
}

bool Service::any_running() const {
  return std::any_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->running(); });
}

std::size_t Service::connections() const {
  std::size_t sum = 0;
  for (const auto& worker : workers_) sum += worker->connections();
  return sum;
}

}  // namespace sentinel::proxy
