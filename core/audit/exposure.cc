// SPDX-License-Identifier: Apache-2.0
// What the world reaches: predicted on the host from rules, translations and sockets, and tried from outside.
#include "core/model/exposure.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>

#include "core/audit/families.h"
#include "core/audit/sides.h"

namespace sentinel {
namespace {

using nlohmann::json;

std::string shown(const Reach& reach) {
  return fmt::format("{}/{} ({}) leads to {}{}, open to {}", reach.port, reach.protocol, reach.family, reach.leads_to,
                     reach.owner.empty() ? "" : " of " + reach.owner, fmt::join(reach.sources, ", "));
}

void found_open(const Reach& reach, Ruling& ruling) {
  ruling.fault(shown(reach), Persistence::kRuntimeOnly);
  if (!reach.translated) return;
  ruling.trap("docker-publishes-past-ufw",
              fmt::format("port {} is published by address translation, which ufw's rules never see", reach.port),
              "publish it on 127.0.0.1, or drop it in the chain DOCKER-USER");
}

std::vector<Reach> reaches_of(const json& exposure) {
  return exposure.at("reach").get<std::vector<Reach>>();
}

/// "443/tcp", "443" (tcp), and rules {port, protocol, action} that let in.
std::set<std::string> doors_of(const json& list) {
  std::set<std::string> out;
  for (const auto& item : list) {
    if (item.is_object()) {
      const auto action = item.value("action", "allow");
      const auto& port = item.at("port");
      const auto number = port.is_string() ? port.get<std::string>() : port.dump();
      if (action == "allow" || action == "limit") out.insert(number + "/" + item.value("protocol", "tcp"));
      continue;
    }
    auto text = item.is_string() ? item.get<std::string>() : item.dump();
    if (text.find('/') == std::string::npos) text += "/tcp";
    out.insert(text);
  }
  return out;
}

/// Prediction against what was tried. `judged` picks the ports that matter here. A door that is predicted open and
/// found shut may be shut by a firewall in between; one that is found open and predicted shut is a fault of the
/// prediction.
template <typename Matters>
void compare(const Case& subject, const std::vector<Reach>& reaches, Ruling& ruling, Matters matters) {
  const auto tried = subject.seen("outside.tcp");
  if (!tried.ok()) return ruling.cannot_tell("the doors were not tried from outside: " + tried.error().message);
  const auto& record = **tried;
  std::set<std::string> open;
  for (const auto& reach : reaches) {
    if (reach.protocol == "tcp" && reach.answered) open.insert(std::to_string(reach.port));
  }
  for (const auto& [port, json_outcome] : record.at("doors").items()) {
    const auto outcome = json_outcome.template get<std::string>();
    if (!matters(port)) continue;
    const bool predicted = open.contains(port);
    if (outcome == "open")
      ruling.saw("outside.tcp", fmt::format("{} port {} is open", text_at(record, "address"), port));
    if (outcome == "open" && !predicted)
      ruling.fault(fmt::format("port {} answers from outside, although the host's rules say it can't", port),
                   Persistence::kRuntimeOnly);
  }
}

/// with: {allow: [ports], limit: [ports], extra: [rules]}: nothing else may be reachable from anywhere.
Result<Judged> judge_only(const Case& subject) {
  SENTINEL_TRY(const auto* exposure, subject.seen("exposure"));
  auto allowed = doors_of(subject.with().at("allow"));
  for (const auto* more : {"limit", "extra"}) {
    if (const auto found = subject.with().find(more); found != subject.with().end()) allowed.merge(doors_of(*found));
  }
  Ruling ruling(fmt::format("reachable from outside: at most {}", fmt::join(allowed, ", ")));
  const auto reaches = reaches_of(*exposure);
  for (const auto& reach : reaches) {
    ruling.saw("exposure", shown(reach), reach.why);
    const bool everyone = reach.sources.size() == 1 && reach.sources.front() == "anywhere";
    if (!everyone || allowed.contains(fmt::format("{}/{}", reach.port, reach.protocol))) continue;
    if (!reach.unclear.empty()) {
      ruling.cannot_tell(
          fmt::format("whether {}/{} is reachable: {}", reach.port, reach.protocol, reach.unclear.front()));
      continue;
    }
    found_open(reach, ruling);
  }
  compare(subject, reaches, ruling, [](const std::string&) { return true; });
  return std::move(ruling).close("nothing else is reachable", Persistence::kRuntimeOnly);
}

/// with: {ports: [port]}: reachable by nobody but the host itself.
Result<Judged> judge_none(const Case& subject) {
  SENTINEL_TRY(const auto* exposure, subject.seen("exposure"));
  const auto ports = doors_of(subject.with().at("ports"));
  if (ports.empty()) return Error("audit.unseen", "the control names no port");
  Ruling ruling(fmt::format("not reachable from outside: {}", fmt::join(ports, ", ")));
  const auto reaches = reaches_of(*exposure);
  for (const auto& reach : reaches) {
    if (!ports.contains(fmt::format("{}/{}", reach.port, reach.protocol))) continue;
    ruling.saw("exposure", shown(reach), reach.why);
    if (reach.unclear.empty()) {
      found_open(reach, ruling);
    } else {
      ruling.cannot_tell(
          fmt::format("whether {}/{} is reachable: {}", reach.port, reach.protocol, reach.unclear.front()));
    }
  }
  compare(subject, reaches, ruling, [&](const std::string& port) { return ports.contains(port + "/tcp"); });
  return std::move(ruling).close("none of them is", Persistence::kRuntimeOnly);
}

std::vector<ProbeOrder> asks_exposure(const json&) {
  return {{"exposure", json::object()}, {"outside.tcp", json::object()}};
}

}  // namespace

std::vector<Judgement> exposure_judgements() {
  return {{"reachable-only", asks_exposure, judge_only}, {"unreachable", asks_exposure, judge_none}};
}

}  // namespace sentinel
