// SPDX-License-Identifier: Apache-2.0
// The application: the release in force, its environment, how its process is confined, and its containers.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>

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

/// with: {app, required: [NAME]}. The file of the release, and what the process really has.
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
  const auto& running = app->at("main_environment");
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

/// with: {app, aspect: no-new-privileges | capabilities | read-only-root | private-tmp}
Result<Judged> judge_confinement(const Case& subject) {
  const auto aspect = subject.with().at("aspect").get<std::string>();
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
    // 0x400 is CAP_NET_BIND_SERVICE, the one that may stay (capabilities(7)).
    for (const auto& mask : {bounding, effective}) {
      const auto bits = std::strtoull(mask.c_str(), nullptr, 16);
      if (mask.empty() || mask.find_first_not_of("0123456789abcdef") != std::string::npos)
        ruling.cannot_tell("the capabilities can't be read");
      if ((bits & ~0x400ULL) != 0)
        ruling.fault(fmt::format("it has capabilities: {}", mask), Persistence::kRuntimeOnly);
    }
  } else if (aspect == "read-only-root") {
    const auto& value = main.at("root_read_only");
    if (value.is_null()) ruling.cannot_tell("its root mount can't be seen");
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

using ContainerRule = std::function<void(const json& container, const std::string& name, Ruling& ruling)>;

std::string text(const json& object, const char* key) {
  return object.at(key).get<std::string>();
}

bool is_on_loopback(const json& port) {
  const auto address = text(port, "host_ip");
  return address.starts_with("127.") || address == "::1";
}

/// Whether the container publishes the same port of its own on loopback.
bool is_on_loopback_too(const json& container, const json& port) {
  const auto& ports = container.at("ports");
  return std::any_of(ports.begin(), ports.end(), [&](const json& other) {
    return text(other, "container") == text(port, "container") && is_on_loopback(other);
  });
}

/// Several containers of one service that want the same port of the host: only one of them gets it.
void judge_shared_ports(const std::vector<const json*>& containers, Ruling& ruling) {
  std::map<std::pair<std::string, std::string>, int> wanted;
  for (const auto* container : containers) {
    std::set<std::string> ports;
    for (const auto& port : container->at("ports")) ports.insert(text(port, "host_port"));
    for (const auto& port : ports) {
      if (!port.empty() && port != "0") ++wanted[{text(*container, "service"), port}];
    }
  }
  for (const auto& [what, count] : wanted) {
    if (count < 2 || what.first.empty()) continue;
    ruling.trap(
        "replicas-one-port",
        fmt::format("{} containers of {} want port {} of the host, and one gets it", count, what.first, what.second),
        "publish no port of a service with replicas; let the web server reach them by their network");
  }
}

/// Rules over one container by the name of the aspect.
const std::map<std::string, ContainerRule>& container_rules() {
  static const std::map<std::string, ContainerRule> rules{
      {"healthy",
       [](const json& container, const std::string& name, Ruling& ruling) {
         if (text(container, "state") != "running")
           return ruling.fault(fmt::format("{} is {}", name, text(container, "state")));
         const auto health = text(container, "health");
         if (health.empty()) {
           ruling.cannot_tell(fmt::format("{} has no health check", name));
           ruling.trap("no-healthcheck", fmt::format("{} runs; nothing says that it works", name),
                       "give it a health check");
         } else if (health != "healthy") {
           ruling.fault(fmt::format("{} is {}", name, health));
         }
         if (container.at("oom_killed").get<bool>()) ruling.fault(fmt::format("{} was killed for its memory", name));
       }},
      {"loopback-ports",
       [](const json& container, const std::string& name, Ruling& ruling) {
         for (const auto& port : container.at("ports")) {
           if (is_on_loopback(port)) continue;
           const auto address = text(port, "host_ip");
           ruling.fault(fmt::format("{} publishes {} on {}", name, text(port, "host_port"),
                                    address.empty() ? "every address" : address));
           ruling.trap("docker-publishes-past-ufw",
                       fmt::format("{} is reachable whatever ufw says", text(port, "host_port")),
                       "publish it on 127.0.0.1 only");
           if (container.at("config_files").get<int>() > 1 && is_on_loopback_too(container, port)) {
             ruling.trap("compose-override-appends",
                         fmt::format("{} was made of several compose files: what a later one publishes on loopback is "
                                     "added to what an earlier one publishes on {}",
                                     name, address.empty() ? "every address" : address),
                         "bind the port to 127.0.0.1 in the one file, or write ports: !override (Compose 2.24)");
           }
         }
       }},
      {"limits",
       [](const json& container, const std::string& name, Ruling& ruling) {
         for (const char* limit : {"memory", "cpus", "pids"}) {
           if (container.at(limit).get<std::int64_t>() <= 0)
             ruling.fault(fmt::format("{} has no limit of {}", name, limit));
         }
       }},
      {"bounded-logs",
       [](const json& container, const std::string& name, Ruling& ruling) {
         if (!container.at("log").at("options").contains("max-size"))
           ruling.fault(fmt::format("the log of {} grows without bound", name));
       }},
      {"health-check",
       [](const json& container, const std::string& name, Ruling& ruling) {
         if (container.at("healthcheck").is_null()) ruling.fault(fmt::format("{} has no health check", name));
       }},
      {"no-new-privileges",
       [](const json& container, const std::string& name, Ruling& ruling) {
         const auto& process = container.at("process");
         if (process.is_null()) return ruling.cannot_tell(fmt::format("{} has no process", name));
         if (process.at("no_new_privs") != "1")
           ruling.fault(fmt::format("{} may gain privileges", name), Persistence::kRuntimeOnly);
       }},
      {"capabilities",
       [](const json& container, const std::string& name, Ruling& ruling) {
         const auto& process = container.at("process");
         if (container.at("privileged").get<bool>()) return ruling.fault(fmt::format("{} is privileged", name));
         if (process.is_null()) return ruling.cannot_tell(fmt::format("{} has no process", name));
         const auto mask = text(process, "cap_bounding");
         if ((std::strtoull(mask.c_str(), nullptr, 16) & ~0x400ULL) != 0)
           ruling.fault(fmt::format("{} has capabilities: {}", name, mask));
       }},
      {"read-only-root",
       [](const json& container, const std::string& name, Ruling& ruling) {
         if (!container.at("read_only").get<bool>())
           ruling.fault(fmt::format("{} can write to its root file system", name));
       }},
      {"private-tmp",
       [](const json& container, const std::string& name, Ruling& ruling) {
         const auto& process = container.at("process");
         if (process.is_null()) return ruling.cannot_tell(fmt::format("{} has no process", name));
         const auto& tmp = process.at("tmp");
         if (tmp.is_null() || tmp.at("type") != "tmpfs") ruling.fault(fmt::format("/tmp of {} is no tmpfs", name));
       }},
  };
  return rules;
}

/// with: {aspect, project (of Compose, or the application whose release it is), least: number of containers there have
/// to be, service}
Result<Judged> judge_containers(const Case& subject) {
  const auto aspect = subject.with().at("aspect").get<std::string>();
  const auto rule = container_rules().find(aspect);
  if (rule == container_rules().end())
    return Error("audit.unseen", fmt::format("nobody knows the aspect '{}'", aspect));
  SENTINEL_TRY(const auto* seen, subject.seen("docker.containers"));
  const auto project = subject.with().value("project", std::string());
  const auto service = subject.with().value("service", std::string());
  const auto least = subject.with().value("least", 1);
  Ruling ruling(fmt::format("each container of {}: {}", project.empty() ? "this host" : project, aspect));
  std::vector<const json*> chosen;
  for (const auto& container : seen->at("containers")) {
    if (!project.empty() && text(container, "project") != project && container.value("application", "") != project)
      continue;
    if (!service.empty() && text(container, "service") != service) continue;
    chosen.push_back(&container);
    const auto name = text(container, "name");
    ruling.saw("docker.containers", fmt::format("{}: {} {}", name, text(container, "state"), text(container, "health")),
               subject.origin("docker.containers"));
    rule->second(container, name, ruling);
  }
  if (aspect == "healthy") judge_shared_ports(chosen, ruling);
  const auto count = static_cast<int>(chosen.size());
  if (count < least) ruling.fault(fmt::format("{} container{}, {} wanted", count, count == 1 ? "" : "s", least));
  return std::move(ruling).close(fmt::format("{} container{}", count, count == 1 ? "" : "s"), Persistence::kBoth);
}

std::vector<ProbeOrder> ask_app(const json& with) {
  return {{"app", {{"app", with.value("app", std::string())}}}};
}

}  // namespace

std::vector<Judgement> application_judgements() {
  return {{"app-confined", ask_app, judge_confinement},
          {"app-environment", ask_app, judge_environment},
          {"app-release", ask_app, judge_release},
          {"containers",
           [](const json&) {
             return std::vector<ProbeOrder>{{"docker.containers", json::object()}};
           },
           judge_containers}};
}

}  // namespace sentinel
