// SPDX-License-Identifier: Apache-2.0
// Docker, asked by its Engine API (https://docs.docker.com/reference/api/engine/), not by its command lines, whose
// output changes shape between versions and hides containers that have ended.
// docker.engine:     {version, api, storage, live_restore, security: [text], warnings: [text], cgroup, swarm, compose:
//                     {path or package: version}}
// docker.containers: {containers: [see container_of]}; environments by the shape of their values
// app.compose:       {release: the one in force, file: {path, recorded: SHA-256 when it was deployed, found: now |
// null},
//                     image: id or name by digest as deployed, tag, found: {id, digests: [name], created} | null}
#include <fmt/format.h>

#include <array>
#include <sstream>
#include <utility>

#include "core/base/digest.h"
#include "core/checks/families.h"
#include "core/checks/fetch.h"
#include "core/checks/process_facts.h"
#include "core/checks/secret_shape.h"
#include "core/model/json.h"
#include "core/model/release.h"
#include "core/resources/dpkg_status.h"

namespace sentinel {
namespace {

using nlohmann::json;

constexpr const char* kSocket = "/run/docker.sock";
constexpr std::array kPlugins{"/usr/libexec/docker/cli-plugins/docker-compose",
                              "/usr/lib/docker/cli-plugins/docker-compose",
                              "/usr/local/lib/docker/cli-plugins/docker-compose", "/usr/local/bin/docker-compose"};
constexpr std::array kComposePackages{"docker-compose-plugin", "docker-compose-v2", "docker-compose"};
constexpr std::size_t kMostContainers = 200;

Result<json> get(const Inquiry& inquiry, const std::string& path) {
  return fetch_json("http://docker" + path, inquiry.text("socket", kSocket));
}

json or_empty(const json& object, const char* key, json fallback) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? fallback : *found;
}

Result<json> compose_versions(const Inquiry& inquiry) {
  auto out = json::object();
  SENTINEL_TRY(const auto* packages, dpkg_status(inquiry.look));
  for (const char* name : kComposePackages) {
    if (const auto version = packages->version(name); !version.empty()) out[name] = version;
  }
  for (const char* path : kPlugins) {
    SENTINEL_TRY(const auto status, inquiry.machine().status(path));
    if (status.type != FileType::kAbsent && !out.contains(path)) out[path] = "";
  }
  return out;
}

Result<Answer> look_at_engine(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto version, get(inquiry, "/version"));
  SENTINEL_TRY(const auto info, get(inquiry, "/info"));
  json out{{"version", version.at("Version")},
           {"api", version.at("ApiVersion")},
           {"storage", or_empty(info, "Driver", "")},
           {"live_restore", or_empty(info, "LiveRestoreEnabled", false)},
           {"security", or_empty(info, "SecurityOptions", json::array())},
           {"warnings", or_empty(info, "Warnings", json::array())},
           {"cgroup", or_empty(info, "CgroupVersion", "")},
           {"log_driver", or_empty(info, "LoggingDriver", "")}};
  SENTINEL_TRY(out["compose"], compose_versions(inquiry));
  return Answer{std::move(out), "/run/docker.sock: /version, /info"};
}

/// Of the label com.docker.compose.project.config_files: "/srv/a.yaml,/srv/b.yaml".
json files_of(const json& labels) {
  std::istringstream files(or_empty(labels, "com.docker.compose.project.config_files", "").get<std::string>());
  auto out = json::array();
  std::string file;
  while (std::getline(files, file, ',')) out.push_back(file);
  return out;
}

json ports_of(const json& bindings) {
  auto out = json::array();
  for (const auto& [port, targets] : bindings.items()) {
    if (!targets.is_array()) continue;
    for (const auto& target : targets) {
      out.push_back({{"container", port},
                     {"host_ip", or_empty(target, "HostIp", "")},
                     {"host_port", or_empty(target, "HostPort", "")}});
    }
  }
  return out;
}

json mounts_of(const json& mounts) {
  auto out = json::array();
  for (const auto& mount : mounts) {
    out.push_back({{"type", or_empty(mount, "Type", "")},
                   {"source", or_empty(mount, "Source", "")},
                   {"destination", or_empty(mount, "Destination", "")},
                   {"name", or_empty(mount, "Name", "")},
                   {"writable", or_empty(mount, "RW", true)}});
  }
  return out;
}

json environment_of(const json& entries, const Secret& host_key) {
  auto out = json::object();
  for (const auto& entry : entries) {
    const auto text = entry.get<std::string>();
    const auto equals = text.find('=');
    if (equals != std::string::npos)
      out[text.substr(0, equals)] = secret_shape(std::string_view(text).substr(equals + 1), host_key);
  }
  return out;
}

/// The application and its release that a container is, by the label sentinel.release: application/release.
std::pair<std::string, std::string> release_of(const json& labels) {
  const auto label = or_empty(labels, "sentinel.release", "").get<std::string>();
  const auto slash = label.find('/');
  return {label.substr(0, slash), slash == std::string::npos ? "" : label.substr(slash + 1)};
}

/// Billionths of a CPU: Compose 2 says them so, docker-compose 1.29 as microseconds in each period (100 ms by default).
json cpus_of(const json& host) {
  const auto whole = or_empty(host, "NanoCpus", 0).get<std::int64_t>();
  const auto quota = or_empty(host, "CpuQuota", 0).get<std::int64_t>();
  const auto period = or_empty(host, "CpuPeriod", 0).get<std::int64_t>();
  return whole > 0 || quota <= 0 ? whole : quota * 1'000'000'000 / (period > 0 ? period : 100'000);
}

/// One container: {name, image, image_id, project, service, application, release, config_files: [path], state, health,
/// restarts, oom_killed, exit_code, started_at, pid, privileged, cap_add, cap_drop, security, read_only, tmpfs, memory,
/// cpus, pids, ports, log, restart, healthcheck, mounts, user, network, environment, process}
json container_of(const json& inspected, const Inquiry& inquiry) {
  const auto& state = inspected.at("State");
  const auto& host = inspected.at("HostConfig");
  const auto& config = inspected.at("Config");
  const auto labels = or_empty(config, "Labels", json::object());
  auto name = inspected.at("Name").get<std::string>();
  if (name.starts_with('/')) name.erase(0, 1);
  const auto health = or_empty(state, "Health", json::object());
  const auto log = or_empty(host, "LogConfig", json::object());
  const auto restart = or_empty(host, "RestartPolicy", json::object());
  const auto [application, release] = release_of(labels);
  const int pid = or_empty(state, "Pid", 0).get<int>();
  json out{
      {"name", std::move(name)},
      {"image", or_empty(config, "Image", "")},
      {"image_id", or_empty(inspected, "Image", "")},
      {"project", or_empty(labels, "com.docker.compose.project", "")},
      {"service", or_empty(labels, "com.docker.compose.service", "")},
      {"application", application},
      {"release", release},
      {"config_files", files_of(labels)},
      {"state", or_empty(state, "Status", "")},
      {"health", or_empty(health, "Status", "")},
      {"restarts", or_empty(inspected, "RestartCount", 0)},
      {"oom_killed", or_empty(state, "OOMKilled", false)},
      {"exit_code", or_empty(state, "ExitCode", 0)},
      {"started_at", or_empty(state, "StartedAt", "")},
      {"pid", pid},
      {"privileged", or_empty(host, "Privileged", false)},
      {"cap_add", or_empty(host, "CapAdd", json::array())},
      {"cap_drop", or_empty(host, "CapDrop", json::array())},
      {"security", or_empty(host, "SecurityOpt", json::array())},
      {"read_only", or_empty(host, "ReadonlyRootfs", false)},
      {"tmpfs", or_empty(host, "Tmpfs", json::object())},
      {"memory", or_empty(host, "Memory", 0)},
      {"cpus", cpus_of(host)},
      {"pids", or_empty(host, "PidsLimit", 0)},
      {"ports", ports_of(or_empty(host, "PortBindings", json::object()))},
      {"log", {{"driver", or_empty(log, "Type", "")}, {"options", or_empty(log, "Config", json::object())}}},
      {"restart", or_empty(restart, "Name", "")},
      {"healthcheck", or_empty(config, "Healthcheck", nullptr)},
      {"mounts", mounts_of(or_empty(inspected, "Mounts", json::array()))},
      {"user", or_empty(config, "User", "")},
      {"network", or_empty(host, "NetworkMode", "")},
      {"environment", environment_of(or_empty(config, "Env", json::array()), inquiry.look.surroundings().host_key)},
      {"process", nullptr}};
  if (pid > 0) {
    auto process = process_facts(pid, inquiry.machine());
    if (process.ok()) out["process"] = std::move(process).value();
  }
  return out;
}

Result<Answer> look_at_containers(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto list, get(inquiry, "/containers/json?all=1"));
  if (list.size() > kMostContainers)
    return Error("probe.too-large", fmt::format("{} containers, more than an audit looks at", list.size()));
  auto containers = json::array();
  for (const auto& entry : list) {
    SENTINEL_TRY(const auto inspected, get(inquiry, "/containers/" + entry.at("Id").get<std::string>() + "/json"));
    containers.push_back(container_of(inspected, inquiry));
  }
  return Answer{{{"containers", std::move(containers)}}, "/run/docker.sock: /containers"};
}

/// The record of the release in force (docs/formats/releases.md).
Result<Release> release_in_force(const std::string& app, Reader& machine) {
  constexpr const char* kRecord = "/var/lib/sentinel/releases.json";
  SENTINEL_TRY(const auto text, machine.read_file(kRecord));
  SENTINEL_TRY(const auto record, parse_json(text));
  SENTINEL_TRY(const auto apps, decode<std::vector<AppReleases>>(record.at("apps")));
  for (const auto& known : apps) {
    const auto* current = known.app == app ? known.find(known.current) : nullptr;
    if (current != nullptr) return current->release;
  }
  return Error("probe.absent", fmt::format("{} names no release of {} in force", kRecord, app));
}

Result<Answer> look_at_compose(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto release, release_in_force(inquiry.text("app"), inquiry.machine()));
  const auto path = ReleasePaths{release.app, release.id}.directory() + "/" + kReleaseCompose;
  const auto file = inquiry.machine().read_file(path);
  if (!file.ok() && file.error().code != "system.ENOENT") return file.error();
  const auto& artefact = release.artefact;
  const auto tag = release.app + ":" + release.id;
  json out{{"release", release.id},
           {"file",
            {{"path", path},
             {"recorded", release.unit_digest},
             {"found", file.ok() ? json(sha256_hex(*file)) : json(nullptr)}}},
           {"image", artefact.reference.empty() ? "sha256:" + artefact.sha256 : artefact.reference},
           {"tag", tag},
           {"found", nullptr}};
  SENTINEL_TRY(const auto image, find_json("http://docker/images/" + tag + "/json", inquiry.text("socket", kSocket)));
  if (image) {
    out["found"] = {{"id", image->at("Id")},
                    {"digests", or_empty(*image, "RepoDigests", json::array())},
                    {"created", or_empty(*image, "Created", "")}};
  }
  return Answer{std::move(out), path};
}

}  // namespace

HostProbes docker_probes() {
  return {
      {"app.compose", look_at_compose}, {"docker.containers", look_at_containers}, {"docker.engine", look_at_engine}};
}

}  // namespace sentinel
