// SPDX-License-Identifier: Apache-2.0
// sentinel-proxy: the AI proxy. Reads its settings, checks them, and serves until it is told to end.
#include <fmt/format.h>
#include <netdb.h>
#include <nss.h>
#include <signal.h>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>

#include "core/base/environment.h"
#include "core/report/diagnostic.h"
#include "proxy/operation/health_query.h"
#include "proxy/operation/run.h"
#include "proxy/operation/settings.h"
#include "proxy/operation/worker.h"

// What jemalloc reads at its start (jemalloc(3), TUNING); operation/memory sees to it that it happens. Under a
// sanitizer, which brings its own allocator, nobody reads it.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "dirty_decay_ms:10000,muzzy_decay_ms:0";
}

namespace {

using sentinel::ExitCode;

// A static program must not load the host's NSS modules: it crashes there (seen on Debian 12 and 13).
void pin_name_lookups() {
  __nss_configure_lookup("hosts", "files dns");
  for (const char* database : {"passwd", "group", "shadow"}) __nss_configure_lookup(database, "files");
}

ExitCode show(const sentinel::Errors& errors) {
  fmt::print(stderr, "{}", sentinel::render_errors(errors));
  return errors.front().exit;
}

enum class Mode { kServe, kCheck, kHealth };

ExitCode run(const std::string& config_file, Mode mode) {
  const auto source = [config_file] {
    return sentinel::proxy::load_settings(sentinel::environment_variable, config_file);
  };
  const sentinel::proxy::LoadedSettings loaded = source();
  if (!loaded.errors.empty()) return show(loaded.errors);
  if (mode == Mode::kCheck) {
    const sentinel::Result<void> checked = sentinel::proxy::check_files(loaded.settings);
    if (!checked.ok()) return show({checked.error()});
    fmt::print("sentinel-proxy: the configuration is valid\n");
    return ExitCode::kDone;
  }
  if (mode == Mode::kHealth) {
    const sentinel::Result<void> healthy = sentinel::proxy::ask_health(loaded.settings);
    return healthy.ok() ? ExitCode::kDone : show({healthy.error()});
  }
  const sentinel::Result<ExitCode> ended = sentinel::proxy::run_proxy(loaded, source);
  return ended.ok() ? *ended : show({ended.error()});
}

}  // namespace

int main(int argc, char** argv) try {
  pin_name_lookups();
  prctl(PR_SET_DUMPABLE, 0);  // no core file, no ptrace: secrets pass through this process
  signal(SIGPIPE, SIG_IGN);

  CLI::App app("An OpenAI-compatible proxy: authentication, limits, streaming, usage.", "sentinel-proxy");
  std::string config_file;
  bool only_check = false;
  bool only_health = false;
  app.set_version_flag("--version", "sentinel-proxy " SENTINEL_VERSION);
  app.add_option("--config", config_file, "settings as YAML; the environment wins");
  app.add_flag("--check-config", only_check, "check the settings and end");
  app.add_flag("--health", only_health, "ask the proxy that serves with these settings whether it is healthy, and end");
  app.add_flag_callback(
      "--routes",
      [] {
        fmt::print("{}", sentinel::proxy::Endpoint::routes_text());
        throw CLI::Success();
      },
      "print every route, who may ask and where it is served, and end");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  return static_cast<int>(run(config_file, only_check ? Mode::kCheck : only_health ? Mode::kHealth : Mode::kServe));

} catch (const std::exception& failure) {
  fmt::print(stderr, "sentinel-proxy: a bug: {}\n", failure.what());
  return static_cast<int>(ExitCode::kBug);
}
