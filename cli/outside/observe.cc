// SPDX-License-Identifier: Apache-2.0
#include "cli/outside/observe.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <set>

#include "cli/outside/cloudflare.h"
#include "cli/outside/connect.h"
#include "cli/outside/tls.h"
#include "cli/outside/web_probes.h"
#include "core/model/exposure.h"

namespace sentinel {
namespace {

using std::chrono::steady_clock;

/// Where no door answers at all.
constexpr std::chrono::milliseconds kLongestSilence{1500};

class Stopwatch {
 public:
  std::uint64_t microseconds() const {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - began_).count());
  }

 private:
  steady_clock::time_point began_ = steady_clock::now();
};

Observation note(const std::string& probe, const std::string& origin, Result<nlohmann::json> value,
                 const Stopwatch& watch) {
  Observation out{probe, origin, nullptr, std::nullopt, watch.microseconds()};
  if (value.ok()) {
    out.value = *std::move(value);
  } else {
    out.error = std::move(value).error();
  }
  return out;
}

std::string text_of(const ProbeOrder& order, const char* key) {
  const auto found = order.with.find(key);
  return found != order.with.end() && found->is_string() ? found->get<std::string>() : "";
}

Error unknown_probe(const std::string& probe) {
  return Error("outside.order", fmt::format("there is no probe '{}' here", probe));
}

/// What `look` sees. Parameters or a record of another shape than expected are an error too.
Observation look_now(const std::string& probe, const std::string& origin,
                     const std::function<Result<nlohmann::json>()>& look) {
  const Stopwatch watch;
  try {
    return note(probe, origin, look(), watch);
  } catch (const nlohmann::json::exception& failure) {
    return note(probe, origin, Error("outside.order", fmt::format("{} can't be asked: {}", probe, failure.what())),
                watch);
  }
}

/// Ports of TCP that answer somewhere on the host, by its own account; without sshd's.
Result<std::set<std::uint16_t>> doors_of(const HostRecord& record, const OutsideView& view) {
  const auto seen = record.observations.find("exposure");
  if (seen == record.observations.end()) return Error("outside.no-prediction", "the host wasn't asked what it exposes");
  if (seen->second.error)
    return Error("outside.no-prediction", "the host couldn't say what it exposes: " + seen->second.error->message);
  std::set<std::uint16_t> out;
  std::set<std::uint16_t> ssh = {view.ssh_port, static_cast<std::uint16_t>(record.facts.ssh_port)};
  for (const auto& json : seen->second.value.at("sockets")) {
    const auto socket = json.get<ListeningSocket>();
    if (socket.protocol != "tcp") continue;
    out.insert(socket.port);
    if (socket.process.rfind("sshd", 0) == 0) ssh.insert(socket.port);
  }
  for (const auto& json : seen->second.value.at("reach")) {
    const auto reach = json.get<Reach>();
    if (reach.protocol == "tcp") out.insert(reach.port);
  }
  for (const auto port : ssh) out.erase(port);
  return out;
}

Result<nlohmann::json> try_doors(const HostRecord& record, const OutsideView& view) {
  SENTINEL_TRY(const auto ports, doors_of(record, view));
  std::vector<std::pair<std::string, std::uint16_t>> doors;
  for (const auto port : ports) doors.emplace_back(view.address, port);
  auto found = nlohmann::json::object();
  for (const auto& each : knock(doors, std::min(view.deadline, kLongestSilence)))
    found[std::to_string(each.port)] = each.outcome;
  return nlohmann::json{{"address", view.address}, {"doors", std::move(found)}};
}

Result<nlohmann::json> look_at_tls(const ProbeOrder& order, const OutsideView& view) {
  const auto name = text_of(order, "name");
  if (name.empty()) return Error("outside.order", "outside.tls has no name to ask for", "set the variable domain");
  const auto port = order.with.value("port", std::uint16_t{443});
  auto edge = std::async(std::launch::async, [&] { return probe_tls(name, port, name, view.deadline, view.ca_file); });
  const auto origin = probe_tls(view.address, port, name, view.deadline, view.ca_file);
  return nlohmann::json{{"origin", origin}, {"edge", edge.get()}};
}

Replies ask_in_turn(const WebProbe& probe) {
  auto out = ask_web(probe.requests);
  for (auto& reply : ask_web(probe.afterwards)) out.push_back(std::move(reply));
  return out;
}

/// All at once: what one probe waits for is nothing to the others. Those with one turn share their connections' set-up.
Observations ask_all_web(const std::vector<ProbeOrder>& orders, const OutsideView& view) {
  const Stopwatch watch;
  Observations out;
  std::vector<std::pair<std::string, WebProbe>> probes;
  for (const auto& order : orders) {
    auto probe = web_probe(order, view);
    if (!probe.ok()) {
      out[order.probe] = note(order.probe, "", probe.error(), watch);
      continue;
    }
    probes.emplace_back(order.probe, *std::move(probe));
  }
  std::map<std::string, std::future<Replies>> in_turn;
  std::vector<WebRequest> requests;
  for (const auto& [name, probe] : probes) {
    if (probe.afterwards.empty()) {
      requests.insert(requests.end(), probe.requests.begin(), probe.requests.end());
    } else {
      in_turn[name] = std::async(std::launch::async, ask_in_turn, std::cref(probe));
    }
  }
  const auto replies = ask_web(requests);
  auto next = replies.begin();
  for (const auto& [name, probe] : probes) {
    const auto origin = probe.requests.front().method + " " + probe.requests.front().url;
    Replies own;
    if (probe.afterwards.empty()) {
      const auto end = next + static_cast<std::ptrdiff_t>(probe.requests.size());
      own.assign(next, end);
      next = end;
    } else {
      own = in_turn.at(name).get();
    }
    out[name] = note(name, origin, probe.read(own), watch);
  }
  return out;
}

Observations ask_cloudflare(const std::vector<ProbeOrder>& orders, const OutsideView& view) {
  const Stopwatch watch;
  Observations out;
  const auto access = cloudflare_access(view.variable);
  if (!access.ok()) {
    for (const auto& order : orders) out[order.probe] = note(order.probe, "Cloudflare API", access.error(), watch);
    return out;
  }
  auto all = observe_cloudflare(CloudflareApi(*access), text_of(orders.front(), "domain"));
  for (const auto& order : orders) {
    const auto found = all.find(order.probe);
    out[order.probe] =
        found != all.end() ? std::move(found->second) : note(order.probe, "", unknown_probe(order.probe), watch);
  }
  return out;
}

}  // namespace

bool is_outside_probe(const std::string& probe) {
  return probe.rfind("outside.", 0) == 0 || probe.rfind("cloudflare.", 0) == 0;
}

Observations observe_outside(const std::vector<ProbeOrder>& orders, const HostRecord& record, const OutsideView& view) {
  struct Look {
    ProbeOrder order;
    std::string origin;
    std::function<Result<nlohmann::json>()> look;
  };

  std::vector<ProbeOrder> web, cloudflare;
  std::vector<Look> looks;
  std::vector<std::future<Observations>> running;
  const auto begin = [&](auto work) { running.push_back(std::async(std::launch::async, std::move(work))); };
  for (const auto& order : orders) {
    if (is_web_probe(order.probe)) {
      web.push_back(order);
    } else if (order.probe.rfind("cloudflare.", 0) == 0) {
      cloudflare.push_back(order);
    } else if (order.probe == "outside.tls") {
      looks.push_back({order, "TLS handshakes from here", [order, &view] { return look_at_tls(order, view); }});
    } else if (order.probe == "outside.tcp") {
      looks.push_back({order, "TCP connections from here", [&record, &view] { return try_doors(record, view); }});
    } else if (is_outside_probe(order.probe)) {
      looks.push_back({order, "", [order]() -> Result<nlohmann::json> { return unknown_probe(order.probe); }});
    }
  }
  for (const auto& look : looks) {
    begin([&look] { return Observations{{look.order.probe, look_now(look.order.probe, look.origin, look.look)}}; });
  }
  if (!cloudflare.empty()) begin([&] { return ask_cloudflare(cloudflare, view); });
  auto out = web.empty() ? Observations() : ask_all_web(web, view);
  for (auto& each : running) out.merge(each.get());
  return out;
}

}  // namespace sentinel
