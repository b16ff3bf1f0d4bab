// SPDX-License-Identifier: Apache-2.0
// The document goes to stdout and progress to stderr: a line each time a probe's answer changes, so that a CI log says
// what was waited for. A configuration with a mistake ends before the first question.
#include "agent/verify.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "core/base/file.h"
#include "core/health/gate.h"
#include "core/health/http_exchange.h"
#include "core/model/json.h"
#include "core/report/diagnostic.h"
#include "core/report/gate_report.h"
#include "core/report/printable.h"
#include "core/system/local_system.h"

namespace sentinel::agent {
namespace {

std::uint32_t milliseconds_of(double seconds) {
  return static_cast<std::uint32_t>(seconds * 1000);
}

Result<HealthSettings> read_settings(const std::string& path) {
  SENTINEL_TRY(const auto text, read_whole_file(path, 1U << 20));
  SENTINEL_TRY(const auto json, parse_json(text));
  return decode<HealthSettings>(json);
}

Result<void> check(const Probe& probe) {
  std::string url;
  if (const auto* http = std::get_if<HttpProbe>(&probe.target)) url = http->url;
  if (const auto* query = std::get_if<PrometheusProbe>(&probe.target)) url = query->url;
  const auto* command = std::get_if<CommandProbe>(&probe.target);
  if (command != nullptr && command->argv.empty()) return Error("verify.no-command", "its list of words is empty");
  if (url.empty() && !std::holds_alternative<HttpProbe>(probe.target)) return {};
  SENTINEL_CHECK(parse_http_url(url));
  return {};
}

Result<HealthSettings> settings_of(const VerifyOptions& options) {
  HealthSettings out;
  if (!options.config.empty()) {
    auto read = read_settings(options.config);
    if (!read.ok()) return std::move(read).error().during("reading " + options.config);
    out = std::move(read).value();
  }
  for (const auto& url : options.urls) {
    Probe probe;
    // A query may hold a key, and the name goes into logs.
    probe.name = url.substr(0, url.find('?'));
    HttpProbe target;
    target.url = url;
    probe.target = target;
    out.probes.push_back(std::move(probe));
  }
  if (out.probes.empty()) return Error("verify.nothing", "there is nothing to ask", "name --url or --config");
  if (options.deadline_seconds) out.gate.deadline_ms = milliseconds_of(*options.deadline_seconds);
  for (auto& probe : out.probes) {
    if (options.interval_seconds) probe.interval_ms = milliseconds_of(*options.interval_seconds);
    if (options.successes) probe.successes = *options.successes;
    // The query of a URL that is wrong isn't shown, but which probe it is.
    if (auto good = check(probe); !good.ok()) return std::move(good).error().during("reading probe " + probe.name);
  }
  return out;
}

}  // namespace

ExitCode verify(const VerifyOptions& options) {
  const auto settings = settings_of(options);
  if (!settings.ok()) {
    fmt::print(stderr, "{}", render_error(settings.error()));
    if (options.json) fmt::print("{}\n", document_line(failure_document({settings.error()})));
    return ExitCode::kUsage;
  }
  LocalSystem machine;
  LocalProbeRunner runner(machine);
  SystemClock clock;
  std::map<std::string, std::string> said;
  GateHooks hooks;
  hooks.on_answer = [&](const Probe& probe, const ProbeAnswer& answer) {
    if (said[probe.name] == answer.reason) return;
    said[probe.name] = answer.reason;
    fmt::print(stderr, "{}: {}\n", printable_line(probe.name), printable_line(answer.reason));
  };
  const GateVerdict verdict = await_healthy(settings->probes, settings->gate, runner, clock, hooks);
  if (options.json) {
    fmt::print("{}\n", document_line(gate_document(verdict)));
  } else {
    fmt::print("{}", gate_text(verdict));
  }
  if (!options.junit.empty()) {
    const std::string path = std::filesystem::absolute(options.junit).string();
    const auto written =
        replace_file(path, junit_text(verdict, "sentinel-agent verify"), {::geteuid(), ::getegid(), 0644});
    if (!written.ok()) {
      fmt::print(stderr, "{}", render_error(written.error()));
      return verdict.healthy ? ExitCode::kFailed : ExitCode::kRolledBack;
    }
  }
  return verdict.healthy ? ExitCode::kDone : ExitCode::kRolledBack;
}

}  // namespace sentinel::agent
