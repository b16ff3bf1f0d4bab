// SPDX-License-Identifier: Apache-2.0
// The web server, judged twice: by the configuration in force, and by what its file will bring at the next start.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/audit/families.h"
#include "core/audit/ruling.h"
#include "core/audit/units.h"

namespace sentinel {
namespace {

using nlohmann::json;

struct Wanted {
  std::string upstream;
  double patience = 0;
  std::vector<std::string> headers;
};

/// Values that mean something (https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers); other headers: any.
bool is_meaningful(const std::string& header, const json& values) {
  static const std::map<std::string, std::set<std::string>> kKnown{{"X-Content-Type-Options", {"nosniff"}},
                                                                   {"X-Frame-Options", {"DENY", "SAMEORIGIN"}}};
  const auto known = kKnown.find(header);
  if (known == kKnown.end()) return true;
  return std::all_of(values.begin(), values.end(),
                     [&](const json& value) { return known->second.contains(value.get<std::string>()); });
}

/// Whether `dials` leads to `upstream`; localhost is 127.0.0.1.
bool leads_to(const json& dials, const std::string& upstream) {
  return std::any_of(dials.begin(), dials.end(), [&](const json& dial) {
    auto text = dial.get<std::string>();
    if (text.starts_with("localhost:")) text = "127.0.0.1" + text.substr(text.find(':'));
    return text == upstream;
  });
}

void judge_patience(const json& proxy, double patience, std::set<std::string>& faults) {
  for (const auto& [name, key] :
       {std::pair("read_timeout", "read_timeout_s"), std::pair("response_header_timeout", "header_timeout_s")}) {
    const auto& value = proxy.at(key);
    if (!value.is_null() && value.get<double>() < patience)
      faults.insert(fmt::format("{} is {} s", name, value.dump()));
  }
}

void judge_headers(const json& server, const Wanted& wanted, std::set<std::string>& faults) {
  auto deleted = json::array();
  auto set = json::object();
  for (const auto& handler : server.at("handlers")) {
    if (handler.at("handler") != "headers" || !handler.at("api").get<bool>()) continue;
    for (const auto& header : handler.at("deleted")) deleted.push_back(header);
    set.update(handler.at("set"));
  }
  if (std::find(deleted.begin(), deleted.end(), "Server") == deleted.end()) faults.insert("the header Server is sent");
  for (const auto& header : wanted.headers) {
    if (!set.contains(header)) {
      faults.insert(fmt::format("the header {} is not sent", header));
    } else if (!is_meaningful(header, set.at(header))) {
      faults.insert(fmt::format("the header {} is {}", header, set.at(header).dump()));
    }
  }
}

/// Whether only this host can ask: not a site, but what passes metrics on.
bool is_on_loopback(const json& server) {
  const auto& listen = server.at("listen");
  return !listen.empty() && std::all_of(listen.begin(), listen.end(), [](const json& address) {
    const auto text = address.get<std::string>();
    return text.starts_with("127.") || text.starts_with("localhost:") || text.starts_with("[::1]:");
  });
}

/// What is wrong with one configuration; `ruling` gets evidence and traps.
std::set<std::string> faults_of(const json& configuration, const char* origin, const Wanted& wanted, Ruling& ruling) {
  std::set<std::string> faults;
  const auto admin = configuration.at("admin").get<std::string>();
  if (!admin.empty() && !admin.starts_with("localhost:") && !admin.starts_with("127.") && !admin.starts_with("unix/"))
    faults.insert("the admin API listens on " + admin);
  bool proxied = false;
  for (const auto& [name, server] : configuration.at("servers").items()) {
    if (is_on_loopback(server)) continue;
    std::vector<json> proxies;
    for (const auto& handler : server.at("handlers")) {
      if (!handler.at("api").get<bool>()) continue;
      if (handler.at("handler") == "reverse_proxy") proxies.push_back(handler);
      if (handler.at("handler") == "static_response" && proxies.empty())
        faults.insert("Caddy answers requests to the API itself");
    }
    if (proxies.empty()) continue;
    proxied = true;
    const auto& first = proxies.front();
    ruling.saw("caddy",
               fmt::format("{}: the first reverse_proxy leads to {}, read_timeout {}", name, first.at("dials").dump(),
                           first.at("read_timeout_s").dump()),
               origin);
    if (!leads_to(first.at("dials"), wanted.upstream))
      faults.insert(fmt::format("requests go to {}", first.at("dials").dump()));
    if (first.at("read_timeout_s").is_null() && proxies.size() > 1) {
      faults.insert("the reverse_proxy that answers has no timeouts");
      ruling.trap("caddy-two-proxies", "two reverse_proxy directives match; the first one, without timeouts, answers",
                  "keep one");
    }
    judge_patience(first, wanted.patience, faults);
    const auto& flush = first.at("flush_interval");
    if (flush.is_number() && flush.get<double>() < 0) {
      ruling.doubt("flush_interval is negative: clients that leave are not noticed, and a reload cuts streams");
      ruling.trap("caddy-flush-interval", "event streams are flushed at once without it", "take flush_interval out");
    }
    if (!server.at("logs").get<bool>()) faults.insert("the site writes no access log");
    const auto format = server.at("log_format").get<std::string>();
    if (!format.empty() && format != "json" && format != "filter")
      faults.insert(fmt::format("the access log is written as {}, which programs can't read", format));
    judge_headers(server, wanted, faults);
  }
  if (!proxied) faults.insert("no site leads to the application");
  return faults;
}

/// Where neither is wrong by itself, what was meant isn't in force yet.
void judge_not_loaded(bool only_later, Ruling& ruling) {
  ruling.fault("the configuration in force is not what the file says",
               only_later ? Persistence::kBootOnly : Persistence::kRuntimeOnly);
  ruling.trap("caddy-not-reloaded", "the Caddyfile was changed and not loaded", "systemctl reload caddy");
}

/// with: {upstream: "127.0.0.1:8080", read_timeout_s, headers: [name]}
Result<Judged> judge_caddy(const Case& subject) {
  const Wanted wanted{subject.with().at("upstream").get<std::string>(),
                      subject.with().at("read_timeout_s").get<double>(),
                      subject.with().at("headers").get<std::vector<std::string>>()};
  Ruling ruling(fmt::format("requests go to {} with {} s of patience; headers and log as wanted; the file is in force",
                            wanted.upstream, wanted.patience));
  SENTINEL_TRY(const auto* caddy, subject.seen("caddy"));
  const bool same = caddy->at("same").get<bool>();
  const auto& running = caddy->at("running");
  const bool unseen = running.is_null();
  std::set<std::string> now;
  if (unseen) {
    ruling.cannot_tell("nobody answers at localhost:2019: Caddy does not say what it runs");
  } else {
    now = faults_of(running, "localhost:2019/config/", wanted, ruling);
  }
  auto later = now;
  if (const auto problem = caddy->at("problem").get<std::string>(); !problem.empty()) {
    ruling.fault("Caddy refuses its file: " + problem, unseen ? Persistence::kBoth : Persistence::kBootOnly);
  } else if (!same) {
    later = faults_of(caddy->at("file"), "/etc/caddy/Caddyfile", wanted, ruling);
    if (!unseen) judge_not_loaded(now.empty() && !later.empty(), ruling);
  }
  if (unseen) now = later;  // what can't be asked is taken for no better than its file
  judge_sides(now, later, "at the next start: ", ruling);
  return std::move(ruling).close("as wanted, and in force", Persistence::kBoth);
}

/// Whether the server's process, and nobody else, answers the world on a port; `side` is where it holds that it has
/// none.
void judge_port(int port, const std::string& process, const json& sockets, Persistence side, Ruling& ruling) {
  bool served = false;
  for (const auto& socket : sockets) {
    if (socket.at("port").get<int>() != port || socket.at("protocol") != "tcp") continue;
    const auto address = socket.at("address").get<std::string>();
    if (address.starts_with("127.") || address == "::1") continue;
    const auto holder = socket.at("process").get<std::string>();
    ruling.saw("sockets", fmt::format("{} listens on {}:{}", holder, address, port), "/proc/net/tcp");
    if (holder.empty()) {
      ruling.cannot_tell(fmt::format("who listens on {}:{}", address, port));
    } else if (holder != process) {
      ruling.fault(fmt::format("{} listens on {}:{}, not {}", holder, address, port, process),
                   Persistence::kRuntimeOnly);
    } else {
      served = true;
    }
  }
  if (!served) ruling.fault(fmt::format("{} does not listen on port {}", process, port), side);
}

/// with: {unit, process, ports: [number]}
Result<Judged> judge_web_server(const Case& subject) {
  const auto unit = subject.with().at("unit").get<std::string>();
  const auto process = subject.with().at("process").get<std::string>();
  const auto ports = subject.with().at("ports").get<std::vector<int>>();
  if (ports.empty()) return Error("audit.unseen", "the control names no port");
  Ruling ruling(
      fmt::format("{} is active, and started at boot; ports {} are {}'s alone", unit, fmt::join(ports, ", "), process));
  SENTINEL_TRY(const auto* units, subject.seen("units"));
  judge_unit(unit, *units, ruling);
  const auto& active = units->at(unit).at("active");
  if (active != "active" && active != "reloading") return std::move(ruling).close("", Persistence::kBoth);
  SENTINEL_TRY(const auto* seen, subject.seen("sockets"));
  SENTINEL_TRY(const auto* caddy, subject.seen("caddy"));
  const auto& sockets = seen->at("sockets");
  if (sockets.empty()) ruling.cannot_tell("no socket listens, not even sshd's");
  // A port that is left out by the file that is in force is left out at the next start, too.
  const auto side = caddy->at("same").get<bool>() ? Persistence::kBoth : Persistence::kRuntimeOnly;
  for (const int port : ports) judge_port(port, process, sockets, side, ruling);
  return std::move(ruling).close("active, enabled, and on its ports", Persistence::kBoth);
}

}  // namespace

std::vector<Judgement> web_judgements() {
  return {{"caddy-site",
           [](const json&) {
             return std::vector<ProbeOrder>{{"caddy", json::object()}};
           },
           judge_caddy},
          {"web-server-up",
           [](const json& with) {
             auto out = unit_orders({with.value("unit", std::string())}, "sockets");
             out.push_back({"caddy", json::object()});
             return out;
           },
           judge_web_server}};
}

}  // namespace sentinel
