// SPDX-License-Identifier: Apache-2.0
// The services around the application, judged by what they say themselves: Docker, Redis, Prometheus.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "core/audit/families.h"
#include "core/audit/ruling.h"
#include "core/audit/times.h"
#include "core/audit/units.h"

namespace sentinel {
namespace {

using nlohmann::json;

/// "20.10.24+dfsg1" against "20.10": part by part, as numbers. Nothing when it is no version.
std::optional<bool> at_least(const std::string& version, const std::string& least) {
  const char* left = version.data();
  const char* right = least.data();
  const char* const left_end = left + version.size();
  const char* const right_end = right + least.size();
  while (right < right_end) {
    unsigned a = 0;
    unsigned b = 0;
    const auto read = std::from_chars(left, left_end, a);
    const auto bound = std::from_chars(right, right_end, b);
    if (read.ec != std::errc() || bound.ec != std::errc()) return std::nullopt;
    if (a != b) return a > b;
    left = read.ptr + (read.ptr < left_end ? 1 : 0);
    right = bound.ptr + (bound.ptr < right_end ? 1 : 0);
  }
  return true;
}

/// "2:1.29.2-3" -> "1.29.2-3": dpkg's epoch is no part of the program's version.
std::string without_epoch(const std::string& version) {
  const auto colon = version.find(':');
  return colon == std::string::npos ? version : version.substr(colon + 1);
}

/// with: {min_engine, min_compose}
Result<Judged> judge_docker(const Case& subject) {
  const auto least = subject.with().at("min_engine").get<std::string>();
  const auto least_compose = subject.with().at("min_compose").get<std::string>();
  Ruling ruling(fmt::format("Docker {} or newer, compose {} or newer, started at boot", least, least_compose));
  SENTINEL_TRY(const auto* units, subject.seen("units"));
  judge_unit("docker.service", *units, ruling);
  const auto engine = subject.seen("docker.engine");
  if (!engine.ok()) {
    ruling.cannot_tell(engine.error().message);
    return std::move(ruling).close("", Persistence::kBoth);
  }
  const json& seen = **engine;
  const auto version = seen.at("version").get<std::string>();
  ruling.saw("docker.engine", "version " + version, subject.origin("docker.engine"));
  const auto enough = at_least(version, least);
  if (!enough) ruling.cannot_tell(fmt::format("'{}' is no version", version));
  if (enough && !*enough) ruling.fault("Docker is " + version);
  SENTINEL_TRY(const auto* sockets, subject.seen("sockets"));
  // Published ports are docker-proxy's, 2377 and 7946 a swarm's; the daemon's others are its API, which is root for
  // whoever reaches it.
  for (const auto& socket : sockets->at("sockets")) {
    const auto port = socket.at("port").get<int>();
    if (socket.at("process") != "dockerd" || socket.at("protocol") != "tcp" || port == 2377 || port == 7946) continue;
    ruling.fault(fmt::format("Docker takes orders on {}:{}", socket.at("address").get<std::string>(), port));
  }
  bool compose = false;
  for (const auto& [name, value] : seen.at("compose").items()) {
    const auto found = without_epoch(value.get<std::string>());
    ruling.saw("docker.engine", fmt::format("{} {}", name, found), "/var/lib/dpkg/status");
    compose = compose || found.empty() || at_least(found, least_compose).value_or(false);
  }
  if (!compose) ruling.fault(seen.at("compose").empty() ? "compose is not installed" : "compose is too old");
  for (const auto& warning : seen.at("warnings")) ruling.saw("docker.engine", warning.get<std::string>(), "/info");
  if (seen.at("storage") == "vfs") ruling.doubt("the storage driver is vfs: every layer is a full copy");
  return std::move(ruling).close("Docker " + version, Persistence::kBoth);
}

/// Addresses as redis.conf(5) has them; "-" before one: it need not be there. No address: every one.
bool is_loopback_only(const std::string& bind) {
  std::istringstream words(bind);
  std::string word;
  bool any = false;
  while (words >> word) {
    any = true;
    if (word.front() == '-') word.erase(0, 1);
    if (!word.starts_with("127.") && word != "::1") return false;
  }
  return any;
}

/// How a Redis without a password is guarded.
bool is_for_the_host_alone(const json& config) {
  return is_loopback_only(config.value("bind", std::string())) && config.value("protected-mode", "yes") == "yes";
}

/// with: {port}
Result<Judged> judge_redis_password(const Case& subject) {
  SENTINEL_TRY(const auto* redis, subject.seen("redis"));
  Ruling ruling("Redis answers nobody without a password");
  const auto reply = redis->at("reply").get<std::string>();
  const auto& config = redis->at("config");
  const auto& later = redis->at("at_boot");
  ruling.saw("redis", "PING: " + reply, subject.origin("redis"));
  ruling.saw("redis",
             fmt::format("bind {}, protected-mode {}", config.value("bind", std::string()),
                         config.value("protected-mode", std::string())),
             redis->at("from").get<std::string>());
  const bool asks = reply.starts_with("-NOAUTH");
  if (!asks && !reply.starts_with("+PONG")) {
    ruling.cannot_tell("Redis answers " + reply);
    return std::move(ruling).close("", Persistence::kBoth);
  }
  const bool will_ask = later.contains("requirepass");
  const bool open = !asks && !is_for_the_host_alone(config);
  const bool will_be_open = !will_ask && !is_for_the_host_alone(later);
  if (open || will_be_open) {
    ruling.fault("it has no password and listens on more than loopback", open && will_be_open ? Persistence::kBoth
                                                                         : open ? Persistence::kRuntimeOnly
                                                                                : Persistence::kBootOnly);
  } else if (!asks || !will_ask) {
    ruling.doubt("it has no password; it listens on loopback only, so every user of the host may use it");
  }
  const auto& password = redis->at("password");
  if (!password.is_null() && password.at("length").get<int>() < 16)
    ruling.doubt("its password is shorter than 16 characters");
  return std::move(ruling).close("it asks for a password", Persistence::kBoth);
}

/// What a Redis with these settings may lose.
std::set<std::string> losses(const json& config) {
  std::set<std::string> out;
  if (config.value("appendonly", "no") != "yes") out.insert("appendonly is not yes");
  if (config.value("appendfsync", "everysec") == "no") out.insert("appendfsync is no: what was written may be lost");
  return out;
}

Result<Judged> judge_redis_persistence(const Case& subject) {
  Ruling ruling("Redis writes every change to its append-only file");
  SENTINEL_TRY(const auto* units, subject.seen("units"));
  judge_unit("redis-server.service", *units, ruling);
  const auto answer = subject.seen("redis");
  if (!answer.ok()) {
    ruling.cannot_tell(answer.error().message);
    return std::move(ruling).close("", Persistence::kBoth);
  }
  const json& redis = **answer;
  const auto& config = redis.at("config");
  const bool asked = redis.at("from") == "server";
  for (const char* name : {"appendonly", "appendfsync"}) {
    // In a file what isn't said is Redis' default; the server says everything.
    if (asked && !config.contains(name)) ruling.cannot_tell(fmt::format("Redis says nothing of {}", name));
  }
  const auto origin = asked ? subject.origin("redis") : std::string("/etc/redis/redis.conf");
  ruling.saw("redis", "appendonly " + config.value("appendonly", "no"), origin);
  judge_sides(losses(config), losses(redis.at("at_boot")), "in its file: ", ruling);
  const auto& persistence = redis.at("persistence");
  if (asked && !persistence.contains("aof_last_write_status"))
    ruling.cannot_tell("Redis doesn't say how its last write went");
  for (const char* field : {"aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status"}) {
    if (!persistence.contains(field)) continue;
    ruling.saw("redis", fmt::format("{} {}", field, persistence.at(field).get<std::string>()), "INFO persistence");
    if (persistence.at(field) != "ok")
      ruling.fault(fmt::format("{} is {}", field, persistence.at(field).get<std::string>()), Persistence::kRuntimeOnly);
  }
  return std::move(ruling).close("append-only file, last write ok", Persistence::kBoth);
}

/// Seconds of "15d", "360h"; 0 when it is no such time.
std::int64_t prometheus_seconds(const std::string& text) {
  static const std::map<char, std::int64_t> kUnits{{'s', 1},     {'m', 60},     {'h', 3600},
                                                   {'d', 86400}, {'w', 604800}, {'y', 31536000}};
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr + 1 != text.data() + text.size()) return 0;
  const auto unit = kUnits.find(*read.ptr);
  return unit == kUnits.end() ? 0 : number * unit->second;
}

bool has(const json& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// A target stays "up" when nobody scrapes it any more.
void judge_scrape(const std::string& job, const json& target, const std::string& taken_at, Ruling& ruling) {
  const auto last = nanoseconds_of(target.at("last_scrape").get<std::string>());
  const auto now = nanoseconds_of(taken_at);
  if (!last || !now) return ruling.cannot_tell(fmt::format("when {} was last scraped", job));
  const auto seconds = (*now - *last) / 1'000'000'000;
  constexpr std::int64_t kLongest = 300;
  if (seconds > kLongest)
    ruling.fault(fmt::format("{} was last scraped {} s ago", job, seconds), Persistence::kRuntimeOnly);
}

/// with: {jobs: [name], retention}
Result<Judged> judge_prometheus(const Case& subject) {
  const auto jobs = subject.with().at("jobs").get<std::vector<std::string>>();
  const auto retention = subject.with().at("retention").get<std::string>();
  Ruling ruling(fmt::format("Prometheus scrapes {} and keeps {}", fmt::join(jobs, ", "), retention));
  SENTINEL_TRY(const auto* units, subject.seen("units"));
  judge_unit("prometheus.service", *units, ruling);
  const auto answer = subject.seen("prometheus");
  if (!answer.ok()) {
    ruling.cannot_tell(answer.error().message);
    return std::move(ruling).close("", Persistence::kBoth);
  }
  const json& seen = **answer;
  std::set<std::string> now;
  std::set<std::string> later;
  for (const auto& job : jobs) {
    const auto missing = fmt::format("nothing is scraped as {}", job);
    bool found = false;
    for (const auto& target : seen.at("targets")) {
      if (target.at("job") != job) continue;
      found = true;
      const auto health = target.at("health").get<std::string>();
      ruling.saw("prometheus", fmt::format("{}: {}", job, health), target.at("url").get<std::string>());
      if (health == "unknown") ruling.cannot_tell(fmt::format("{} was not scraped yet", job));
      if (health == "down")
        ruling.fault(fmt::format("{} is down: {}", job, target.at("error").get<std::string>()),
                     Persistence::kRuntimeOnly);
      if (health == "up") judge_scrape(job, target, subject.record().taken_at, ruling);
    }
    if (!found) now.insert(missing);
    if (!has(seen.at("at_boot").at("jobs"), job)) later.insert(missing);
  }
  ruling.saw("prometheus", "retention " + seen.at("retention").get<std::string>(), "/api/v1/status/flags");
  const auto judge_retention = [&](const json& value, std::set<std::string>& out) {
    const auto text = value.get<std::string>();
    if (text != retention &&
        (prometheus_seconds(text) == 0 || prometheus_seconds(text) != prometheus_seconds(retention)))
      out.insert("retention is " + text);
  };
  judge_retention(seen.at("retention"), now);
  judge_retention(seen.at("at_boot").at("retention"), later);
  judge_sides(now, later, "in its files: ", ruling);
  return std::move(ruling).close("all targets are up", Persistence::kBoth);
}

/// Whether alerts reach who is to be told; a project that names nobody is told so.
std::string judge_receivers(const json& wanted, const json& prometheus, Ruling& ruling) {
  if (wanted.empty()) return "all loaded; no Alertmanager is declared, so nobody is told";
  std::set<std::string> now;
  std::set<std::string> later;
  const auto urls = prometheus.at("alertmanagers").get<std::vector<std::string>>();
  const auto at_boot = prometheus.at("at_boot").at("alertmanagers").get<std::vector<std::string>>();
  ruling.saw("prometheus", fmt::format("Alertmanagers: {}", fmt::join(urls, ", ")), "/api/v1/alertmanagers");
  for (const auto& receiver : wanted.get<std::vector<std::string>>()) {
    const auto missing = fmt::format("alerts don't go to {}", receiver);
    const bool known = std::any_of(urls.begin(), urls.end(), [&](const std::string& url) {
      return url.find("//" + receiver + "/") != std::string::npos;
    });
    if (!known) now.insert(missing);
    if (std::find(at_boot.begin(), at_boot.end(), receiver) == at_boot.end()) later.insert(missing);
  }
  judge_sides(now, later, "in its files: ", ruling);
  return "all loaded";
}

/// with: {alerts: [name], alertmanagers: [host:port], grafana_login: one that Grafana must not take}
Result<Judged> judge_alerts(const Case& subject) {
  const auto wanted = subject.with().at("alerts").get<std::vector<std::string>>();
  Ruling ruling(fmt::format("the alerts {} are loaded", fmt::join(wanted, ", ")));
  SENTINEL_TRY(const auto* seen, subject.seen("prometheus"));
  std::set<std::string> now;
  std::set<std::string> later;
  for (const auto& name : wanted) {
    if (!has(seen->at("at_boot").at("alerts"), name)) later.insert(fmt::format("no alert {}", name));
    const auto& rules = seen->at("rules");
    const auto found =
        std::find_if(rules.begin(), rules.end(), [&](const json& rule) { return rule.at("name") == name; });
    if (found == rules.end()) {
      now.insert(fmt::format("no alert {}", name));
      continue;
    }
    ruling.saw("prometheus", fmt::format("{}: {}", name, found->at("health").get<std::string>()), "/api/v1/rules");
    if (found->at("health") == "err") ruling.fault(fmt::format("{} can't be evaluated", name));
  }
  judge_sides(now, later, "in its files: ", ruling);
  if (subject.with().contains("grafana_login")) {
    SENTINEL_TRY(const auto* grafana, subject.seen("grafana"));
    const auto status = grafana->at("default_login").get<int>();
    ruling.saw("grafana", fmt::format("status {} to the password it came with", status), subject.origin("grafana"));
    if (status != 401 && status != 403)
      ruling.fault(fmt::format("Grafana answers {} to the password it came with", status), Persistence::kRuntimeOnly);
  }
  std::string good = "all loaded";
  if (const auto receivers = subject.with().find("alertmanagers"); receivers != subject.with().end())
    good = judge_receivers(*receivers, *seen, ruling);
  return std::move(ruling).close(good, Persistence::kBoth);
}

/// with: {root_filesystem: whether it has to see the real one}
Result<Judged> judge_exporter(const Case& subject) {
  const auto hostname = subject.record().facts.hostname;
  Ruling ruling("the node exporter runs and tells of this host");
  SENTINEL_TRY(const auto* units, subject.seen("units"));
  judge_unit("prometheus-node-exporter.service", *units, ruling);
  const auto answer = subject.seen("node.exporter");
  if (!answer.ok()) {
    ruling.cannot_tell(answer.error().message);
    return std::move(ruling).close("", Persistence::kBoth);
  }
  const auto name = (*answer)->at("nodename").get<std::string>();
  ruling.saw("node.exporter", "nodename " + name, subject.origin("node.exporter"));
  if (name != hostname) ruling.fault(fmt::format("it tells of '{}', not of {}", name, hostname));
  if (subject.with().at("root_filesystem").get<bool>() && !(*answer)->at("root_filesystem").get<bool>())
    ruling.fault("it does not see the root file system");
  return std::move(ruling).close("it tells of " + hostname, Persistence::kBoth);
}

/// with: {ports: [number]}: what listens there does so on loopback only.
Result<Judged> judge_loopback(const Case& subject) {
  const auto ports = subject.with().at("ports").get<std::vector<int>>();
  Ruling ruling(fmt::format("on loopback only, if at all: ports {}", fmt::join(ports, ", ")));
  SENTINEL_TRY(const auto* seen, subject.seen("sockets"));
  const auto& sockets = seen->at("sockets");
  if (sockets.empty()) ruling.cannot_tell("no socket listens, not even sshd's");
  for (const auto& socket : sockets) {
    const auto port = socket.at("port").get<int>();
    if (socket.at("protocol") != "tcp" || std::find(ports.begin(), ports.end(), port) == ports.end()) continue;
    const auto address = socket.at("address").get<std::string>();
    ruling.saw("sockets", fmt::format("{} listens on {}:{}", socket.at("process").get<std::string>(), address, port),
               "/proc/net/tcp");
    if (!address.starts_with("127.") && address != "::1")
      ruling.fault(fmt::format("port {} listens on {}", port, address), Persistence::kRuntimeOnly);
  }
  return std::move(ruling).close("on loopback only", Persistence::kRuntimeOnly);
}

std::vector<ProbeOrder> ask_redis(const json& with) {
  json order = json::object();
  if (with.contains("port")) order["port"] = with.at("port");
  return {{"redis", order}};
}

std::vector<ProbeOrder> ask_redis_and_unit(const json& with) {
  auto out = unit_orders({"redis-server.service"});
  out.push_back(ask_redis(with).front());
  return out;
}

}  // namespace

std::vector<Judgement> service_judgements() {
  return {
      {"alerts-loaded",
       [](const json& with) {
         std::vector<ProbeOrder> out{{"prometheus", json::object()}};
         if (with.contains("grafana_login"))
           out.push_back({"grafana", {{"logins", json::array({with.at("grafana_login")})}}});
         return out;
       },
       judge_alerts},
      {"docker-engine",
       [](const json&) {
         auto out = unit_orders({"docker.service"}, "docker.engine");
         out.push_back({"sockets", json::object()});
         return out;
       },
       judge_docker},
      {"loopback-only",
       [](const json&) {
         return std::vector<ProbeOrder>{{"sockets", json::object()}};
       },
       judge_loopback},
      {"node-exporter", [](const json&) { return unit_orders({"prometheus-node-exporter.service"}, "node.exporter"); },
       judge_exporter},
      {"prometheus-scrapes", [](const json&) { return unit_orders({"prometheus.service"}, "prometheus"); },
       judge_prometheus},
      {"redis-password", ask_redis, judge_redis_password},
      {"redis-persistence", ask_redis_and_unit, judge_redis_persistence}};
}

}  // namespace sentinel
