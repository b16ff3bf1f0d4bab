// SPDX-License-Identifier: Apache-2.0
// The services around the application, judged by what they say themselves: fail2ban, Docker, Redis, Prometheus, Caddy.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

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

/// fail2ban's journalmatch: lists of terms joined by AND, joined by OR. True when one of them sees sshd's lines.
bool sees_sshd(const json& journalmatch, const std::string& process, const std::string& unit) {
  if (!journalmatch.is_array()) return false;
  std::vector<json> alternatives;
  const bool flat = !journalmatch.empty() && journalmatch.front().is_string();
  auto terms = json::array();
  for (const auto& item : flat ? json::array({journalmatch}) : journalmatch) {
    for (const auto& term : item) {
      if (term == "+") {
        alternatives.push_back(terms);
        terms = json::array();
      } else {
        terms.push_back(term);
      }
    }
    alternatives.push_back(terms);
    terms = json::array();
  }
  return std::any_of(alternatives.begin(), alternatives.end(), [&](const json& all) {
    return !all.empty() && std::all_of(all.begin(), all.end(), [&](const json& term) {
      return term == "_COMM=" + process || term == "_SYSTEMD_UNIT=" + unit || term == "SYSLOG_IDENTIFIER=" + process;
    });
  });
}

/// with: {jail, maxretry, bantime_seconds}
Result<Judged> judge_fail2ban(const Case& subject) {
  const auto most = subject.with().at("maxretry").get<int>();
  const auto bantime = subject.with().at("bantime_seconds").get<std::int64_t>();
  Ruling ruling(fmt::format("fail2ban runs and bans for at least {} s after {} failures, and sees what sshd logs",
                            bantime, most));
  SENTINEL_TRY(const auto* seen, subject.seen("fail2ban"));
  SENTINEL_TRY(const auto* units, subject.seen("units"));
  judge_unit("fail2ban.service", *units, ruling);
  if (const auto problem = seen->at("problem").get<std::string>(); !problem.empty()) {
    ruling.fault(problem);
    ruling.trap("jail-conf-copied", problem + ": a copy of jail.conf defines every jail already",
                "remove jail.local; put only what differs into /etc/fail2ban/jail.d/");
  }
  const auto& local = seen->at("jail_local");
  if (local.is_number() && seen->at("jail_conf").is_number() &&
      local.get<double>() > 0.9 * seen->at("jail_conf").get<double>()) {
    ruling.doubt("jail.local is a copy of jail.conf: the distribution's own settings are overridden");
    ruling.trap("jail-conf-copied", "a full copy of jail.conf overrides what the package sets for this system",
                "remove it; put only what differs into /etc/fail2ban/jail.d/");
  }
  if (!seen->at("running").get<bool>()) {
    ruling.fault("fail2ban's server does not answer", Persistence::kRuntimeOnly);
    if (!seen->at("auth_log").get<bool>()) {
      ruling.trap("fail2ban-no-auth-log",
                  "this system writes no auth.log; a jail that wants one keeps fail2ban from starting",
                  "backend = systemd");
    }
    return std::move(ruling).close("", Persistence::kBoth);
  }
  const auto& jail = seen->at("jail");
  if (jail.is_null()) {
    ruling.fault("there is no jail for sshd");
    return std::move(ruling).close("", Persistence::kBoth);
  }
  const auto origin = subject.origin("fail2ban");
  for (const char* name : {"maxretry", "bantime", "findtime", "journalmatch", "logpath", "actions"})
    ruling.saw("fail2ban", fmt::format("{} {}", name, jail.at(name).dump()), origin);
  if (jail.at("maxretry").get<int>() > most)
    ruling.fault(fmt::format("maxretry is {}", jail.at("maxretry").get<int>()));
  const auto time = jail.at("bantime").get<std::int64_t>();
  if (time >= 0 && time < bantime) ruling.fault(fmt::format("bantime is {} s", time));
  if (jail.at("actions").empty()) ruling.fault("the jail has no action: it bans nobody");
  if (!seen->at("iptables").get<bool>() && !seen->at("nft").get<bool>()) {
    ruling.fault("neither iptables nor nft is there: a ban would have no effect");
    ruling.trap("fail2ban-no-firewall-program", "the ban action's program is missing", "install iptables or nftables");
  }
  const auto process = seen->at("sshd_process").get<std::string>();
  const auto unit = seen->at("ssh_unit").get<std::string>();
  const bool by_journal = jail.at("journalmatch").is_array() && !jail.at("journalmatch").empty();
  const bool by_file = jail.at("logpath").is_array() && !jail.at("logpath").empty();
  if (by_journal && !sees_sshd(jail.at("journalmatch"), process, unit)) {
    ruling.fault(fmt::format("the jail does not see what {} logs", process));
    ruling.trap("fail2ban-sshd-session",
                fmt::format("sshd's lines come from the process {}, which journalmatch {} leaves out", process,
                            jail.at("journalmatch").dump()),
                fmt::format("journalmatch = _SYSTEMD_UNIT={}", unit));
  }
  if (!by_journal && !by_file) ruling.fault("the jail reads neither the journal nor a file");
  if (!by_journal && by_file && !seen->at("auth_log").get<bool>())
    ruling.fault("the jail reads a file that sshd does not log to");
  return std::move(ruling).close(fmt::format("maxretry {}, bantime {} s", jail.at("maxretry").get<int>(), time),
                                 Persistence::kBoth);
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

/// with: {port, loopback: whether it listens on loopback only by design}
Result<Judged> judge_redis_password(const Case& subject) {
  SENTINEL_TRY(const auto* redis, subject.seen("redis"));
  Ruling ruling("Redis answers nobody without a password");
  const auto reply = redis->at("reply").get<std::string>();
  const auto& config = redis->at("config");
  ruling.saw("redis", "PING: " + reply, subject.origin("redis"));
  const auto bind = config.value("bind", std::string());
  const auto guarded = config.value("protected-mode", std::string());
  ruling.saw("redis", fmt::format("bind {}, protected-mode {}", bind, guarded), redis->at("from").get<std::string>());
  const auto& password = redis->at("password");
  if (reply.starts_with("-NOAUTH")) {
    if (password.is_object() && password.at("length").get<int>() < 16)
      ruling.doubt("its password is shorter than 16 characters");
    return std::move(ruling).close("it asks for a password", Persistence::kRuntimeOnly);
  }
  if (!reply.starts_with("+PONG")) {
    ruling.cannot_tell("Redis answers " + reply);
  } else if ((bind == "127.0.0.1" || bind == "127.0.0.1 ::1" || bind == "127.0.0.1 -::1") && guarded == "yes") {
    ruling.doubt("it has no password; it listens on loopback only, so every user of the host may use it");
  } else {
    ruling.fault("it has no password and listens on more than loopback");
  }
  return std::move(ruling).close("", Persistence::kBoth);
}

Result<Judged> judge_redis_persistence(const Case& subject) {
  SENTINEL_TRY(const auto* redis, subject.seen("redis"));
  Ruling ruling("Redis writes every change to its append-only file");
  const auto& config = redis->at("config");
  if (!config.contains("appendonly")) return Error("audit.unseen", "Redis says nothing of appendonly");
  const auto origin = redis->at("from") == "server" ? subject.origin("redis") : std::string("/etc/redis/redis.conf");
  ruling.saw("redis", "appendonly " + config.at("appendonly").get<std::string>(), origin);
  if (config.at("appendonly") != "yes") ruling.fault("appendonly is not yes");
  if (config.value("appendfsync", std::string()) == "no")
    ruling.fault("appendfsync is no: what was written may be lost");
  const auto& persistence = redis->at("persistence");
  for (const char* field : {"aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status"}) {
    if (!persistence.contains(field)) continue;
    ruling.saw("redis", fmt::format("{} {}", field, persistence.at(field).get<std::string>()), "INFO persistence");
    if (persistence.at(field) != "ok")
      ruling.fault(fmt::format("{} is {}", field, persistence.at(field).get<std::string>()), Persistence::kRuntimeOnly);
  }
  return std::move(ruling).close("append-only file, last write ok", Persistence::kBoth);
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
  for (const auto& job : jobs) {
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
    }
    if (!found) ruling.fault(fmt::format("nothing is scraped as {}", job));
  }
  ruling.saw("prometheus", "retention " + seen.at("retention").get<std::string>(), "/api/v1/status/flags");
  if (seen.at("retention") != retention)
    ruling.fault(fmt::format("retention is {}", seen.at("retention").get<std::string>()));
  return std::move(ruling).close("all targets are up", Persistence::kBoth);
}

/// with: {alerts: [name]}
Result<Judged> judge_alerts(const Case& subject) {
  const auto wanted = subject.with().at("alerts").get<std::vector<std::string>>();
  Ruling ruling(fmt::format("the alerts {} are loaded", fmt::join(wanted, ", ")));
  SENTINEL_TRY(const auto* seen, subject.seen("prometheus"));
  for (const auto& name : wanted) {
    const auto& rules = seen->at("rules");
    const auto found =
        std::find_if(rules.begin(), rules.end(), [&](const json& rule) { return rule.at("name") == name; });
    if (found == rules.end()) {
      ruling.fault(fmt::format("no alert {}", name));
      continue;
    }
    ruling.saw("prometheus", fmt::format("{}: {}", name, found->at("health").get<std::string>()), "/api/v1/rules");
    if (found->at("health") == "err") ruling.fault(fmt::format("{} can't be evaluated", name));
  }
  return std::move(ruling).close("all loaded");
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

/// with: {upstream: "127.0.0.1:8080", read_timeout_s, headers: {name: value}}
Result<Judged> judge_caddy(const Case& subject) {
  const auto upstream = subject.with().at("upstream").get<std::string>();
  const auto patience = subject.with().at("read_timeout_s").get<double>();
  Ruling ruling(fmt::format("requests go to {} with {} s of patience; headers and log as wanted; the file is in force",
                            upstream, patience));
  SENTINEL_TRY(const auto* caddy, subject.seen("caddy"));
  if (const auto problem = caddy->at("problem").get<std::string>(); !problem.empty()) {
    ruling.fault("Caddy refuses its file: " + problem, Persistence::kBootOnly);
  } else if (!caddy->at("same").get<bool>()) {
    ruling.fault("the configuration in force is not what the file says", Persistence::kRuntimeOnly);
    ruling.trap("caddy-not-reloaded", "the Caddyfile was changed and not loaded", "systemctl reload caddy");
  }
  const auto& running = caddy->at("running");
  const auto admin = running.at("admin").get<std::string>();
  if (!admin.empty() && !admin.starts_with("localhost:") && !admin.starts_with("127.") && !admin.starts_with("unix/"))
    ruling.fault("the admin API listens on " + admin);
  bool proxied = false;
  for (const auto& [name, server] : running.at("servers").items()) {
    std::vector<json> proxies;
    auto deleted = json::array();
    auto set = json::object();
    for (const auto& handler : server.at("handlers")) {
      if (handler.at("handler") == "reverse_proxy" && !handler.at("matched").get<bool>()) proxies.push_back(handler);
      if (handler.at("handler") != "headers") continue;
      for (const auto& header : handler.at("deleted")) deleted.push_back(header);
      set.update(handler.at("set"));
    }
    if (proxies.empty()) continue;
    proxied = true;
    const auto& first = proxies.front();
    ruling.saw("caddy",
               fmt::format("{}: the first reverse_proxy leads to {}, read_timeout {}", name, first.at("dials").dump(),
                           first.at("read_timeout_s").dump()),
               "localhost:2019/config/");
    const auto& dials = first.at("dials");
    if (std::find(dials.begin(), dials.end(), upstream) == dials.end())
      ruling.fault(fmt::format("requests go to {}", dials.dump()));
    const auto& timeout = first.at("read_timeout_s");
    const bool short_breath = timeout.is_number() && timeout.get<double>() < patience;
    if (timeout.is_null() && proxies.size() > 1) {
      ruling.fault("the reverse_proxy that answers has no timeouts");
      ruling.trap("caddy-two-proxies", "two reverse_proxy directives match; the first one, without timeouts, answers",
                  "keep one");
    }
    if (short_breath) ruling.fault(fmt::format("read_timeout is {} s", timeout.dump()));
    const auto& flush = first.at("flush_interval");
    if (flush.is_number() && flush.get<double>() < 0) {
      ruling.doubt("flush_interval is negative: clients that leave are not noticed, and a reload cuts streams");
      ruling.trap("caddy-flush-interval", "event streams are flushed at once without it", "take flush_interval out");
    }
    if (!server.at("logs").get<bool>()) ruling.fault("the site writes no access log");
    if (std::find(deleted.begin(), deleted.end(), "Server") == deleted.end()) ruling.fault("the header Server is sent");
    for (const auto& header : subject.with().at("headers")) {
      if (!set.contains(header.get<std::string>()))
        ruling.fault(fmt::format("the header {} is not sent", header.get<std::string>()));
    }
  }
  if (!proxied) ruling.fault("no site leads to the application");
  return std::move(ruling).close("as wanted, and in force", Persistence::kBoth);
}

std::vector<ProbeOrder> with_unit(const char* unit, const char* probe) {
  auto out = unit_orders({unit});
  out.push_back({probe, json::object()});
  return out;
}

}  // namespace

std::vector<Judgement> service_judgements() {
  const auto redis = [](const json& with) {
    json order = json::object();
    if (with.contains("port")) order["port"] = with.at("port");
    return std::vector<ProbeOrder>{{"redis", order}};
  };
  return {{"alerts-loaded",
           [](const json&) {
             return std::vector<ProbeOrder>{{"prometheus", json::object()}};
           },
           judge_alerts},
          {"caddy-site",
           [](const json&) {
             return std::vector<ProbeOrder>{{"caddy", json::object()}};
           },
           judge_caddy},
          {"docker-engine", [](const json&) { return with_unit("docker.service", "docker.engine"); }, judge_docker},
          {"fail2ban-sshd", [](const json&) { return with_unit("fail2ban.service", "fail2ban"); }, judge_fail2ban},
          {"loopback-only",
           [](const json&) {
             return std::vector<ProbeOrder>{{"sockets", json::object()}};
           },
           judge_loopback},
          {"prometheus-scrapes", [](const json&) { return with_unit("prometheus.service", "prometheus"); },
           judge_prometheus},
          {"redis-password", redis, judge_redis_password},
          {"redis-persistence", redis, judge_redis_persistence}};
}

}  // namespace sentinel
