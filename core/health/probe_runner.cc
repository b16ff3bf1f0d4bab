// SPDX-License-Identifier: Apache-2.0
// Each kind of target gives what was seen, or the error that says why not; one place turns both into an answer.
#include "core/health/probe_runner.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/health/http_exchange.h"
#include "core/health/remote_probes.h"

namespace sentinel {
namespace {

using std::chrono::milliseconds;

template <typename Target>
Result<std::string> ask_over_http(const Target& target, milliseconds limit) {
  SENTINEL_TRY(const auto reply, exchange_http(request_of(target), limit));
  return read_answer(target, reply);
}

Result<std::string> ask(const HttpProbe& probe, Reader&, milliseconds limit) {
  return ask_over_http(probe, limit);
}

Result<std::string> ask(const ContainerProbe& probe, Reader&, milliseconds limit) {
  return ask_over_http(probe, limit);
}

Result<std::string> ask(const PrometheusProbe& probe, Reader&, milliseconds limit) {
  return ask_over_http(probe, limit);
}

Result<std::string> ask(const TcpProbe& probe, Reader&, milliseconds limit) {
  SENTINEL_CHECK(connect_tcp(probe.host, probe.port, limit));
  return fmt::format("port {} accepts", probe.port);
}

Result<std::string> ask(const CommandProbe& probe, Reader& machine, milliseconds limit) {
  CommandLine command;
  command.argv = probe.argv;
  command.timeout = limit;
  SENTINEL_TRY(const auto result, machine.query(command));
  if (result.status != 0) return Error("health.unhealthy", result.reason());
  return std::string("status 0");
}

Result<std::string> ask(const UnitProbe& probe, Reader& machine, milliseconds limit) {
  CommandLine command;
  command.argv = {"systemctl", "show", "--property=LoadState,ActiveState,SubState", "--", probe.unit};
  command.timeout = limit;
  SENTINEL_TRY(const auto result, machine.query(command));
  if (result.status != 0) return Error("health.unhealthy", "systemctl: " + result.reason());
  std::string state = result.output;
  if (state.ends_with('\n')) state.pop_back();
  std::replace(state.begin(), state.end(), '\n', ' ');
  const std::string seen = fmt::format("{}: {}", probe.unit, state.empty() ? "systemctl said nothing" : state);
  // "activating" and "reloading" are not yet, or not sure to be, up.
  if (result.output.find("ActiveState=active\n") == std::string::npos) return Error("health.unhealthy", seen);
  return seen;
}

}  // namespace

ProbeAnswer LocalProbeRunner::run(const Probe& probe, milliseconds limit) {
  const auto begin = std::chrono::steady_clock::now();
  const auto allowed = std::min(limit, milliseconds(probe.timeout_ms));
  const auto seen = std::visit([&](const auto& target) { return ask(target, machine_, allowed); }, probe.target);
  const auto took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
  return {probe.name, seen.ok(), seen.ok() ? *seen : seen.error().message, static_cast<std::uint32_t>(took.count())};
}

}  // namespace sentinel
