// SPDX-License-Identifier: Apache-2.0
// Containers as they run, and whether they are what the release in force says.
#include "core/audit/containers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "core/audit/families.h"
#include "core/audit/times.h"

namespace sentinel {
namespace {

using nlohmann::json;

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

/// A container that Docker starts again and again is running and healthy in between.
void judge_restart_loop(const json& container, const std::string& taken_at, Ruling& ruling) {
  const auto restarts = container.at("restarts").get<std::int64_t>();
  if (restarts == 0 || text(container, "state") != "running") return;
  const auto name = text(container, "name");
  const auto started = nanoseconds_of(text(container, "started_at"));
  const auto now = nanoseconds_of(taken_at);
  if (restarts < 0 || !started || !now)
    return ruling.cannot_tell(fmt::format("how often and when {} was started again", name));
  const auto seconds = (*now - *started) / 1'000'000'000;
  const auto what = fmt::format("{} was started again {} time{}, {} s ago the last time", name, restarts,
                                restarts == 1 ? "" : "s", seconds);
  ruling.saw("docker.containers", what, "RestartCount, StartedAt");
  constexpr std::int64_t kLately = 600;
  constexpr std::int64_t kLoop = 3;
  if (seconds >= kLately) return;
  if (restarts >= kLoop) {
    ruling.fault(what);
  } else {
    ruling.doubt(what);
  }
}

/// Limits that add up to more than there is hold nobody back.
void judge_total_memory(const json& containers, std::uint64_t memory_mb, Ruling& ruling) {
  std::int64_t total = 0;
  for (const auto& container : containers) {
    if (text(container, "state") == "running")
      total += std::max<std::int64_t>(0, container.at("memory").get<std::int64_t>());
  }
  if (memory_mb == 0) return ruling.cannot_tell("how much memory the host has");
  const auto limits = static_cast<std::uint64_t>(total >> 20);
  ruling.saw("docker.containers", fmt::format("limits of memory: {} MiB of {} MiB", limits, memory_mb),
             "/proc/meminfo");
  if (limits > memory_mb)
    ruling.fault(fmt::format("the limits of memory add up to {} MiB, and the host has {} MiB", limits, memory_mb));
}

/// Rules over one container by the name of the aspect.
const std::map<std::string, ContainerRule>& container_rules() {
  static const std::map<std::string, ContainerRule> rules{
      {"healthy",
       [](const json& container, const std::string& name, Ruling& ruling) {
         if (container.at("oom_killed").get<bool>()) ruling.fault(fmt::format("{} was killed for its memory", name));
         if (text(container, "state") != "running")
           return ruling.fault(fmt::format("{} is {}, its last exit status {}", name, text(container, "state"),
                                           container.at("exit_code").dump()));
         const auto health = text(container, "health");
         if (health.empty()) {
           ruling.cannot_tell(fmt::format("{} has no health check", name));
           ruling.trap("no-healthcheck", fmt::format("{} runs; nothing says that it works", name),
                       "give it a health check");
         } else if (health != "healthy") {
           ruling.fault(fmt::format("{} is {}", name, health));
         }
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
           if (container.at("config_files").size() > 1 && is_on_loopback_too(container, port)) {
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
         // The other drivers have bounds of their own, or keep nothing here.
         const auto& log = container.at("log");
         if (text(log, "driver") == "json-file" && !log.at("options").contains("max-size"))
           ruling.fault(fmt::format("the log of {} grows without bound", name));
       }},
      {"health-check",
       [](const json& container, const std::string& name, Ruling& ruling) {
         const auto& check = container.at("healthcheck");
         if (check.is_null()) return ruling.fault(fmt::format("{} has no health check", name));
         const auto words = check.at("Test").get<std::vector<std::string>>();
         const auto& last = words.empty() ? std::string() : words.back();
         if (words.empty() || words.front() == "NONE" || last == "true" || last == "exit 0" || last == ":")
           ruling.fault(fmt::format("the health check of {} can't fail", name));
       }},
      {"restarted",
       [](const json& container, const std::string& name, Ruling& ruling) {
         const auto policy = text(container, "restart");
         if (policy != "always" && policy != "unless-stopped")
           ruling.fault(fmt::format("{} is started by nobody after a crash or a boot: restart \"{}\"", name, policy));
       }},
      {"memory-limit",
       [](const json& container, const std::string& name, Ruling& ruling) {
         if (container.at("memory").get<std::int64_t>() <= 0)
           ruling.fault(fmt::format("{} has no limit of memory", name));
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
         judge_capabilities(name, text(process, "cap_bounding"), ruling);
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
         if (tmp.is_null() || tmp.at("type") != "tmpfs")
           return ruling.fault(fmt::format("/tmp of {} is no tmpfs", name));
         const auto options = "," + text(tmp, "options") + ",";
         for (const char* wanted : {"noexec", "nosuid"}) {
           if (options.find(fmt::format(",{},", wanted)) == std::string::npos)
             ruling.fault(fmt::format("/tmp of {} is mounted without {}", name, wanted));
         }
       }},
  };
  return rules;
}

bool belongs(const json& container, const ContainerChoice& choice) {
  const bool of_project = choice.project.empty() || text(container, "project") == choice.project ||
                          container.value("application", "") == choice.project;
  return of_project && (choice.service.empty() || text(container, "service") == choice.service);
}

/// A parameter that is a text or a list of them.
std::vector<std::string> texts(const json& with, const char* key) {
  const auto& value = with.at(key);
  if (value.is_string()) return {value.get<std::string>()};
  return value.get<std::vector<std::string>>();
}

std::string counted(int count) {
  return fmt::format("{} container{}", count, count == 1 ? "" : "s");
}

/// with: {aspect: one or several, project, least, service}
Result<Judged> judge_aspects(const Case& subject) {
  const auto aspects = texts(subject.with(), "aspect");
  const ContainerChoice choice{subject.with().value("project", std::string()),
                               subject.with().value("service", std::string()), subject.with().value("least", 1)};
  Ruling ruling(fmt::format("each container of {}: {}", choice.project.empty() ? "this host" : choice.project,
                            fmt::join(aspects, ", ")));
  SENTINEL_TRY(const int count, judge_containers(subject, aspects, choice, ruling));
  return std::move(ruling).close(counted(count), Persistence::kBoth);
}

/// What runs was made from the one file that was deployed, and that file is still the same: then what a container has
/// is what the model says, whatever else lies beside it. with: {app}
Result<Judged> judge_model(const Case& subject) {
  const auto app = subject.with().at("app").get<std::string>();
  Ruling ruling(
      fmt::format("the containers of {} come from the compose file of the release in force alone; they publish "
                  "on loopback only, with bounded logs and memory",
                  app));
  const auto known = subject.seen("app.compose");
  // What is open to everybody is so, whatever the host knows of releases.
  SENTINEL_CHECK(judge_containers(subject, {"loopback-ports", "bounded-logs", "memory-limit"},
                                  {app, "", known.ok() ? 1 : 0}, ruling));
  if (!known.ok() && !ruling.has_faults()) return known.error();
  if (!known.ok()) return std::move(ruling).close({});
  const auto* release = *known;
  const auto& file = release->at("file");
  const auto path = text(file, "path");
  const auto recorded = text(file, "recorded");
  ruling.saw("app.compose", fmt::format("SHA-256 {}, deployed {}", file.at("found").dump(), recorded), path);
  if (file.at("found").is_null()) {
    ruling.fault(path + " is gone", Persistence::kBootOnly);
  } else if (file.at("found") != recorded) {
    ruling.fault(path + " is not what was deployed: the next start brings another", Persistence::kBootOnly);
  }
  SENTINEL_TRY(const auto* seen, subject.seen("docker.containers"));
  for (const auto& container : seen->at("containers")) {
    // One that ends its streams was made from the file of its own release.
    if (container.value("application", "") != app || text(container, "release") != text(*release, "release")) continue;
    const auto files = container.at("config_files").get<std::vector<std::string>>();
    ruling.saw("docker.containers", fmt::format("made from {}", fmt::join(files, ", ")), text(container, "name"));
    if (files.empty()) {
      ruling.cannot_tell(fmt::format("what {} was made from", text(container, "name")));
    } else if (files.size() > 1) {
      ruling.fault(fmt::format("{} was made from {}", text(container, "name"), fmt::join(files, " and ")));
      ruling.trap("compose-override-appends", "an override file adds ports and can't take any away",
                  "deploy again: a release is started from its own file alone");
    } else if (files.front() != path) {
      ruling.fault(fmt::format("{} was made from {}", text(container, "name"), files.front()));
    }
  }
  return std::move(ruling).close("as deployed", Persistence::kBoth);
}

/// with: {app}
Result<Judged> judge_images(const Case& subject) {
  const auto app = subject.with().at("app").get<std::string>();
  Ruling ruling(fmt::format("the image of {} that was deployed is here, and is what runs", app));
  SENTINEL_TRY(const auto* release, subject.seen("app.compose"));
  SENTINEL_TRY(const auto* seen, subject.seen("docker.containers"));
  const auto recorded = text(*release, "image");
  const auto& found = release->at("found");
  if (found.is_null()) {
    ruling.fault(fmt::format("there is no image {}", text(*release, "tag")));
    return std::move(ruling).close("", Persistence::kBoth);
  }
  const auto id = text(found, "id");
  ruling.saw("app.compose", fmt::format("{} is {}, made {}", text(*release, "tag"), id, text(found, "created")),
             "/run/docker.sock: /images");
  const auto& digests = found.at("digests");
  if (id != recorded && std::find(digests.begin(), digests.end(), recorded) == digests.end())
    ruling.fault(fmt::format("{} is not the image that was deployed, {}", text(*release, "tag"), recorded));
  int count = 0;
  for (const auto& container : seen->at("containers")) {
    if (container.value("application", "") != app || text(container, "release") != text(*release, "release")) continue;
    ++count;
    if (text(container, "image_id") != id)
      ruling.fault(fmt::format("{} runs {}", text(container, "name"), text(container, "image_id")),
                   Persistence::kRuntimeOnly);
  }
  if (count == 0) ruling.fault(fmt::format("no container is of the release {}", text(*release, "release")));
  return std::move(ruling).close(id, Persistence::kBoth);
}

std::vector<ProbeOrder> ask_release(const json& with) {
  return {{"app.compose", {{"app", with.value("app", std::string())}}}, {"docker.containers", json::object()}};
}

}  // namespace

void judge_capabilities(const std::string& who, const std::string& mask, Ruling& ruling) {
  constexpr std::uint64_t kNetBindService = 0x400;  // capabilities(7)
  if (mask.empty() || mask.find_first_not_of("0123456789abcdef") != std::string::npos) {
    ruling.cannot_tell(fmt::format("the capabilities of {} can't be read", who));
  } else if ((std::strtoull(mask.c_str(), nullptr, 16) & ~kNetBindService) != 0) {
    ruling.fault(fmt::format("{} has capabilities: {}", who, mask), Persistence::kRuntimeOnly);
  }
}

Result<int> judge_containers(const Case& subject, const std::vector<std::string>& aspects,
                             const ContainerChoice& choice, Ruling& ruling) {
  std::vector<ContainerRule> rules;
  for (const auto& aspect : aspects) {
    const auto rule = container_rules().find(aspect);
    if (rule == container_rules().end())
      return Error("audit.unseen", fmt::format("nobody knows the aspect '{}'", aspect));
    rules.push_back(rule->second);
  }
  if (rules.empty()) return Error("audit.unseen", "the control names no aspect");
  SENTINEL_TRY(const auto* seen, subject.seen("docker.containers"));
  std::vector<const json*> chosen;
  for (const auto& container : seen->at("containers")) {
    if (!belongs(container, choice)) continue;
    chosen.push_back(&container);
    const auto name = text(container, "name");
    ruling.saw("docker.containers", fmt::format("{}: {} {}", name, text(container, "state"), text(container, "health")),
               subject.origin("docker.containers"));
    for (const auto& rule : rules) rule(container, name, ruling);
  }
  const auto asked = [&](const char* aspect) {
    return std::find(aspects.begin(), aspects.end(), aspect) != aspects.end();
  };
  if (asked("healthy")) {
    judge_shared_ports(chosen, ruling);
    for (const auto* container : chosen) judge_restart_loop(*container, subject.record().taken_at, ruling);
  }
  if (asked("limits")) judge_total_memory(seen->at("containers"), subject.record().facts.memory_mb, ruling);
  const auto count = static_cast<int>(chosen.size());
  if (count < choice.least) ruling.fault(fmt::format("{}, {} wanted", counted(count), choice.least));
  return count;
}

std::vector<Judgement> container_judgements() {
  return {{"compose-model", ask_release, judge_model},
          {"containers",
           [](const json&) {
             return std::vector<ProbeOrder>{{"docker.containers", json::object()}};
           },
           judge_aspects},
          {"release-image", ask_release, judge_images}};
}

}  // namespace sentinel
