// SPDX-License-Identifier: Apache-2.0
// Everything that can fail at start happens before the first connection is accepted.
#include "proxy/operation/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "core/base/environment.h"
#include "proxy/json/cursor.h"

namespace sentinel::proxy {
namespace {

unsigned worker_count(const Settings& settings) {
  return settings.workers != 0 ? settings.workers : std::max(1U, std::thread::hardware_concurrency());
}

void tell_totals(SharedState& shared) {
  for (const auto& [key, total] : shared.usage.totals()) {
    shared.log.event("info", "usage",
                     fmt::format(R"("email":{},"model":{},"input_tokens":{},"output_tokens":{},"requests":{})",
                                 json_quoted(key.first), json_quoted(key.second), total.input_tokens,
                                 total.output_tokens, total.requests));
  }
}

/// Read only when somebody is called by https: it costs memory.
Result<std::shared_ptr<TlsTrust>> load_trust(const Settings& settings) {
  const auto& upstreams = settings.upstream.upstreams;
  const bool needed = !settings.ca_file.empty() || std::any_of(upstreams.begin(), upstreams.end(),
                                                               [](const auto& one) { return one.base.origin.tls; });
  if (!needed) return std::shared_ptr<TlsTrust>();
  return TlsTrust::load(settings.ca_file);
}

}  // namespace

Result<void> check_files(const Settings& settings) {
  SENTINEL_CHECK(load_static_keys(settings.keys_file));
  SENTINEL_CHECK(load_trust(settings));
  return {};
}

Result<ExitCode> run_proxy(const LoadedSettings& loaded, SettingsSource source) {
  const Settings& settings = loaded.settings;
  SENTINEL_TRY(StaticKeys keys, load_static_keys(settings.keys_file));
  SENTINEL_TRY(std::shared_ptr<TlsTrust> trust, load_trust(settings));
  SENTINEL_TRY(Listeners listeners, open_listeners(settings, environment_variable));

  Service::hold_signals();
  const SystemClock clock;
  Log log(STDOUT_FILENO, clock);
  const unsigned count = worker_count(settings);
  SharedState shared(settings, clock, log, std::make_shared<const StaticKeys>(std::move(keys)), count);
  shared.network.trust = std::move(trust);
  shared.network.tell_refused = [&log](const Origin& origin, std::string_view reason) {
    log.event("warning", "tls_failed",
              fmt::format(R"("origin":{},"reason":{})", json_quoted(origin.text()), json_quoted(reason)));
  };
  log.event("info", "starting",
            fmt::format(R"("version":"{}","workers":{},"authentication":"static keys","limits":"in process")",
                        SENTINEL_VERSION, count));
  {
    Service service(shared, std::move(listeners), loaded, std::move(source));
    service.run();
  }
  tell_totals(shared);
  log.event("info", "stopped");
  return ExitCode::kDone;
}

}  // namespace sentinel::proxy
