// SPDX-License-Identifier: Apache-2.0
// Everything that can fail at start happens before the first connection is accepted.
#include "proxy/operation/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "core/base/environment.h"
#include "core/base/file.h"
#include "proxy/json/cursor.h"
#include "proxy/operation/usage_reports.h"

namespace sentinel::proxy {
namespace {

unsigned worker_count(const Settings& settings) {
  return settings.workers != 0 ? settings.workers : std::max(1U, std::thread::hardware_concurrency());
}

/// Read only when somebody is called by https: it costs memory.
Result<std::shared_ptr<TlsTrust>> load_trust(const Settings& settings) {
  const auto& upstreams = settings.upstream.upstreams;
  const bool users = (settings.zion_url && settings.zion_url->origin.tls) ||
                     (settings.jwks && std::holds_alternative<BaseUrl>(settings.jwks->source) &&
                      std::get<BaseUrl>(settings.jwks->source).origin.tls);
  const bool needed =
      users || !settings.ca_file.empty() ||
      std::any_of(upstreams.begin(), upstreams.end(), [](const auto& one) { return one.base.origin.tls; });
  if (!needed) return std::shared_ptr<TlsTrust>();
  return TlsTrust::load(settings.ca_file);
}

Result<std::shared_ptr<TlsTrust>> load_redis_trust(const Settings& settings) {
  if (!settings.redis || !settings.redis->origin.tls) return std::shared_ptr<TlsTrust>();
  return TlsTrust::load(settings.redis_ca_file.empty() ? settings.ca_file : settings.redis_ca_file);
}

}  // namespace

Result<void> check_files(const Settings& settings) {
  SENTINEL_CHECK(load_static_keys(settings.keys_file));
  SENTINEL_CHECK(load_trust(settings));
  SENTINEL_CHECK(load_redis_trust(settings));
  if (settings.jwks && std::holds_alternative<std::string>(settings.jwks->source)) {
    SENTINEL_TRY(const std::string text, read_whole_file(std::get<std::string>(settings.jwks->source)));
    SENTINEL_CHECK(KeySet::parse(text));
  }
  return {};
}

Result<ExitCode> run_proxy(const LoadedSettings& loaded, SettingsSource source) {
  const Settings& settings = loaded.settings;
  SENTINEL_TRY(StaticKeys keys, load_static_keys(settings.keys_file));
  SENTINEL_TRY(std::shared_ptr<TlsTrust> trust, load_trust(settings));
  SENTINEL_TRY(std::shared_ptr<TlsTrust> redis_trust, load_redis_trust(settings));
  SENTINEL_TRY(UsageReports usage, open_usage(settings));
  SENTINEL_TRY(Listeners listeners, open_listeners(settings, environment_variable));

  Service::hold_signals();
  const SystemClock clock;
  Log log(STDOUT_FILENO, clock);
  const unsigned count = worker_count(settings);
  SharedState shared(settings, clock, log, std::make_shared<const StaticKeys>(std::move(keys)), count);
  shared.network.set_trust(std::move(trust));
  shared.users.redis_tools.trust = std::move(redis_trust);
  shared.network.tell_refused = [&log](const Origin& origin, std::string_view reason) {
    log.event("warning", "tls_failed",
              fmt::format(R"("origin":{},"reason":{})", json_quoted(origin.text()), json_quoted(reason)));
  };
  usage.start(shared);
  const std::string_view who = settings.zion_url ? "zion" : settings.jwks ? "jwks" : "static keys";
  log.event("info", "starting",
            fmt::format(R"("version":"{}","workers":{},"authentication":"{}","limits":"{}")", SENTINEL_VERSION, count,
                        who, settings.redis ? "redis" : "in process"));
  {
    Service service(shared, std::move(listeners), loaded, std::move(source));
    service.run();
  }
  usage.finish(shared);
  log.event("info", "stopped");
  return ExitCode::kDone;
}

}  // namespace sentinel::proxy
