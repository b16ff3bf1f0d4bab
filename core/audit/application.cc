// SPDX-License-Identifier: Apache-2.0
// The application: the release in force, its environment, how its process is confined, and who starts it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/audit/containers.h"
#include "core/audit/families.h"
#include "core/audit/ruling.h"

namespace sentinel {
namespace {

using nlohmann::json;

/// with: {app}
Result<Judged> judge_release(const Case& subject) {
  SENTINEL_TRY(const auto* app, subject.seen("app"));
  Ruling ruling("a release is in force, owned by root, and nobody else can change it");
  const auto& home = app->at("home");
  const auto origin = subject.origin("app");
  if (!home.at("exists").get<bool>()) ruling.fault(origin + " is not there");
  ruling.saw("app",
             fmt::format("{} {} {}", home.at("owner").get<std::string>(), home.at("group").get<std::string>(),
                         home.at("mode").get<std::string>()),
             origin);
  const auto& current = app->at("current");
  ruling.saw("app", "current -> " + current.at("target").get<std::string>(), origin + "/current");
  if (!current.at("exists").get<bool>()) ruling.fault("no release is in force");
  const auto& changeable = app->at("changeable");
  if (!changeable.empty()) {
    ruling.fault(fmt::format("{} can change {}{}", changeable.front().at("who").get<std::string>(),
                             changeable.front().at("path").get<std::string>(),
                             changeable.size() > 1 ? fmt::format(" and {} more", changeable.size() - 1) : ""));
  }
  return std::move(ruling).close("release " + app->at("release").get<std::string>(), Persistence::kBoth);
}

bool in_containers(const json& with) {
  return with.value("runtime", std::string("systemd")) == "compose";
}

/// The environment of what runs: of the release's own process, or of its container.
Result<json> running_environment(const Case& subject, const json& app) {
  if (!in_containers(subject.with())) return app.at("main_environment");
  SENTINEL_TRY(const auto* seen, subject.seen("docker.containers"));
  for (const auto& container : seen->at("containers")) {
    if (container.at("application") == subject.with().at("app") && container.at("release") == app.at("release"))
      return container.at("environment");
  }
  return json::object();
}

/// with: {app, runtime: systemd | compose, required: [NAME]}. The file of the release, and what the process really has.
Result<Judged> judge_environment(const Case& subject) {
  SENTINEL_TRY(const auto* app, subject.seen("app"));
  Ruling ruling("the environment holds real values, only root reads it, and the process that runs has the same");
  const auto& file = app->at("environment");
  if (file.is_null()) {
    ruling.fault("the release in force has no environment file");
    return std::move(ruling).close("", Persistence::kBoth);
  }
  const auto path = file.at("path").get<std::string>();
  const auto mode = file.at("mode").get<std::string>();
  ruling.saw("app", fmt::format("{} {}", file.at("owner").get<std::string>(), mode), path);
  if (file.at("owner") != "root" || (mode != "0400" && mode != "0600"))
    ruling.fault(fmt::format("{} is {} {}", path, file.at("owner").get<std::string>(), mode));
  const auto& values = file.at("values");
  SENTINEL_TRY(const auto running, running_environment(subject, *app));
  for (const auto& name : subject.with().value("required", json::array())) {
    if (!values.contains(name.get<std::string>())) ruling.fault(fmt::format("{} is not set", name.get<std::string>()));
  }
  for (const auto& [name, shape] : values.items()) {
    ruling.saw("app", fmt::format("{}: {} characters", name, shape.at("length").get<int>()), path);
    if (shape.at("placeholder").get<bool>()) ruling.fault(fmt::format("{} still has a placeholder", name));
    if (running.empty()) continue;
    if (!running.contains(name)) {
      ruling.fault(fmt::format("the process that runs has no {}", name), Persistence::kRuntimeOnly);
    } else if (running.at(name).at("fingerprint") != shape.at("fingerprint")) {
      ruling.fault(fmt::format("the process that runs has another {}", name), Persistence::kRuntimeOnly);
      ruling.trap("environment-not-reloaded", fmt::format("{} was changed after the process had started", name),
                  "deploy again: a release takes today's secrets when it starts");
    }
  }
  return std::move(ruling).close(fmt::format("{} values", values.size()), Persistence::kBoth);
}

/// with: {app, runtime, aspect: no-new-privileges | capabilities | read-only-root | private-tmp}
Result<Judged> judge_confinement(const Case& subject) {
  const auto aspect = subject.with().at("aspect").get<std::string>();
  if (in_containers(subject.with())) {
    const auto app = subject.with().at("app").get<std::string>();
    Ruling ruling(fmt::format("each container of {}: {}", app, aspect));
    SENTINEL_CHECK(judge_containers(subject, {aspect}, {app, "", 1}, ruling));
    return std::move(ruling).close("so it is", Persistence::kRuntimeOnly);
  }
  SENTINEL_TRY(const auto* app, subject.seen("app"));
  const auto& main = app->at("main");
  if (main.is_null()) return Error("audit.unseen", "no process of the application runs");
  Ruling ruling(fmt::format("the application's process: {}", aspect));
  const auto origin = fmt::format("/proc/{}/status", main.at("pid").get<int>());
  if (aspect == "no-new-privileges") {
    ruling.saw("app", "NoNewPrivs " + main.at("no_new_privs").get<std::string>(), origin);
    if (main.at("no_new_privs") != "1") ruling.fault("it may gain privileges", Persistence::kRuntimeOnly);
  } else if (aspect == "capabilities") {
    const auto bounding = main.at("cap_bounding").get<std::string>();
    const auto effective = main.at("cap_effective").get<std::string>();
    ruling.saw("app", fmt::format("CapBnd {}, CapEff {}", bounding, effective), origin);
    for (const auto& mask : {bounding, effective}) judge_capabilities("it", mask, ruling);
  } else if (aspect == "read-only-root") {
    const auto& value = main.at("root_read_only");
    if (!value.is_boolean()) ruling.cannot_tell("its root mount can't be seen");
    ruling.saw("app", fmt::format("root mount read-only: {}", value.dump()), "mountinfo");
    if (value == false) ruling.fault("it can write to its root file system", Persistence::kRuntimeOnly);
  } else if (aspect == "private-tmp") {
    const auto& tmp = main.at("tmp");
    ruling.saw("app", "/tmp " + tmp.dump(), "mountinfo");
    if (tmp.is_null() || tmp.at("shared").get<bool>())
      ruling.fault("its /tmp is the host's", Persistence::kRuntimeOnly);
  } else {
    return Error("audit.unseen", fmt::format("nobody knows the aspect '{}'", aspect));
  }
  return std::move(ruling).close("so it is", Persistence::kRuntimeOnly);
}

/// with: {app, runtime}. Systemd or the engine starts it again, never both.
Result<Judged> judge_restarts(const Case& subject) {
  const auto name = subject.with().at("app").get<std::string>();
  SENTINEL_TRY(const auto* app, subject.seen("app"));
  const auto unit = app->at("unit").get<std::string>();
  const auto restart = app->at("restart").get<std::string>();
  Ruling ruling("one thing alone starts the application again after a crash and at boot");
  ruling.saw("app", fmt::format("Restart={}, {}", restart, app->at("enabled").get<std::string>()), unit);
  if (in_containers(subject.with())) {
    SENTINEL_CHECK(judge_containers(subject, {"restarted"}, {name, "", 1}, ruling));
    if (app->at("active") == "active" || app->at("enabled") == "enabled")
      ruling.fault(fmt::format("{} starts it too", unit));
  } else if (restart != "on-failure" && restart != "always") {
    ruling.fault(fmt::format("{} has Restart={}", unit, restart));
  }
  return std::move(ruling).close("so it is", Persistence::kBoth);
}

std::vector<ProbeOrder> ask_app(const json& with) {
  std::vector<ProbeOrder> out{{"app", {{"app", with.value("app", std::string())}}}};
  if (in_containers(with)) out.push_back({"docker.containers", json::object()});
  return out;
}

}  // namespace

std::vector<Judgement> application_judgements() {
  return {{"app-confined", ask_app, judge_confinement},
          {"app-environment", ask_app, judge_environment},
          {"app-release", ask_app, judge_release},
          {"app-restarts", ask_app, judge_restarts}};
}

}  // namespace sentinel
