// SPDX-License-Identifier: Apache-2.0
// What the world reaches, judged on recorded predictions and tries.
#include "core/model/exposure.h"

#include <catch2/catch.hpp>

#include "tests/unit/core/audit/records.h"

namespace sentinel {
namespace {

using nlohmann::json;

Reach reach(std::uint16_t port, const std::string& leads_to, std::vector<std::string> sources = {"anywhere"}) {
  Reach out;
  out.family = "IPv4";
  out.protocol = "tcp";
  out.port = port;
  out.addresses = {"203.0.113.7"};
  out.sources = std::move(sources);
  out.leads_to = leads_to;
  return out;
}

Finding seen(const std::string& judgement, const json& with, const std::vector<Reach>& reaches, const json& doors) {
  return judged(judgement, with,
                record_of({{"exposure", {{"reach", reaches}, {"sockets", json::array()}}},
                           {"outside.tcp", {{"address", "203.0.113.7"}, {"doors", doors}}}}));
}

const json kAllow = {{"allow", {"22/tcp", "80/tcp", 443}}};
const json kPorts = {{"ports", {9090, 4222}}};
const Answers kQuiet = {{"exposure", {{"reach", {reach(443, "0.0.0.0:443")}}, {"sockets", json::array()}}},
                        {"outside.tcp", {{"address", "203.0.113.7"}, {"doors", {{"443", "open"}}}}}};

[[maybe_unused]] const bool kPasses = passes("reachable-only", kAllow, kQuiet) & passes("unreachable", kPorts, kQuiet);

}  // namespace

TEST_CASE("only what is declared may be reachable") {
  const std::vector<Reach> good = {reach(22, "0.0.0.0:22"), reach(443, "0.0.0.0:443")};
  CHECK(seen("reachable-only", kAllow, good, {{"443", "open"}, {"80", "refused"}, {"9090", "silent"}}).verdict ==
        Verdict::kPass);
  CHECK(seen("reachable-only", kAllow, {reach(9090, "0.0.0.0:9090")}, {{"9090", "silent"}}).verdict == Verdict::kFail);
  CHECK(seen("reachable-only", kAllow, {reach(9090, "0.0.0.0:9090", {"10.0.0.0/8"})}, json::object()).verdict ==
        Verdict::kPass);
  auto published = reach(8080, "172.17.0.2:80");
  published.translated = true;
  CHECK(has_trap(seen("reachable-only", kAllow, {published}, json::object()), "docker-publishes-past-ufw"));
  auto unclear = reach(8080, "0.0.0.0:8080");
  unclear.unclear = {"INPUT: -m set --match-set office src -j ACCEPT"};
  CHECK(seen("reachable-only", kAllow, {unclear}, json::object()).verdict == Verdict::kUnknown);
}

TEST_CASE("a door that is open against the prediction fails, whatever the rules say") {
  CHECK(seen("reachable-only", kAllow, {}, {{"9100", "open"}}).verdict == Verdict::kFail);
  CHECK(seen("unreachable", kPorts, {}, {{"9090", "open"}}).verdict == Verdict::kFail);
  CHECK(seen("unreachable", kPorts, {}, {{"9100", "open"}}).verdict == Verdict::kPass);
}

TEST_CASE("ports that nobody may reach") {
  CHECK(seen("unreachable", kPorts, {reach(443, "0.0.0.0:443")}, json::object()).verdict == Verdict::kPass);
  CHECK(seen("unreachable", kPorts, {reach(4222, "172.17.0.2:4222", {"198.51.100.0/24"})}, json::object()).verdict ==
        Verdict::kFail);
  CHECK(seen("unreachable", {{"ports", json::array()}}, {}, json::object()).verdict == Verdict::kUnknown);
}

}  // namespace sentinel
