// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "core/audit/judgement.h"
#include "tests/unit/core/audit/records.h"

namespace sentinel {
namespace {

using nlohmann::json;

json unit(const std::string& load, const std::string& active, const std::string& file) {
  return {{"caddy.service", {{"load", load}, {"active", active}, {"file_state", file}}}};
}

Finding units(const json& value) {
  return judged("units-up", {{"units", {"caddy.service"}}}, record_of({{"units", value}}));
}

[[maybe_unused]] const bool kPasses =
    passes("units-up", {{"units", {"caddy.service"}}}, {{"units", unit("loaded", "active", "enabled")}});

const json kWeb{{"unit", "caddy.service"}, {"process", "caddy"}, {"ports", {80, 443}}};

json listens(const std::string& process, int port, const std::string& address = "::") {
  return {{"protocol", "tcp"}, {"address", address}, {"port", port}, {"process", process}};
}

const json kListening{{"sockets", {listens("caddy", 80), listens("caddy", 443), listens("sshd", 22)}}};

Answers web_server(const json& sockets, bool same = true) {
  return {{"units", unit("loaded", "active", "enabled")}, {"sockets", sockets}, {"caddy", {{"same", same}}}};
}

Finding web(const json& sockets, bool same = true) {
  return judged("web-server-up", kWeb, record_of(web_server(sockets, same)));
}

[[maybe_unused]] const bool kHolds = passes("web-server-up", kWeb, web_server(kListening));

}  // namespace

TEST_CASE("web server: up, and the ports of the web are its alone") {
  CHECK(web(kListening).verdict == Verdict::kPass);
  const auto taken = web({{"sockets", {listens("caddy", 80), listens("nginx", 443, "0.0.0.0")}}});
  CHECK(taken.verdict == Verdict::kFail);
  CHECK(taken.persistence == Persistence::kBoth);
  CHECK(web({{"sockets", {listens("nginx", 80), listens("caddy", 443)}}}, false).persistence ==
        Persistence::kRuntimeOnly);
  CHECK(taken.actual.find("nginx listens on 0.0.0.0:443") != std::string::npos);
  CHECK(
      web({{"sockets", {listens("caddy", 80), listens("caddy", 443), listens("nginx", 443, "203.0.113.7")}}}).verdict ==
      Verdict::kFail);
  CHECK(web({{"sockets", {listens("caddy", 80)}}}).verdict == Verdict::kFail);
  CHECK(web({{"sockets", {listens("caddy", 80), listens("caddy", 443, "127.0.0.1")}}}).verdict == Verdict::kFail);
  CHECK(web({{"sockets", {listens("caddy", 80, "203.0.113.7"), listens("caddy", 443, "203.0.113.7")}}}).verdict ==
        Verdict::kPass);
  // What is on loopback alone serves nobody outside.
  CHECK(web({{"sockets", {listens("caddy", 80), listens("caddy", 443), listens("test", 80, "127.0.0.1")}}}).verdict ==
        Verdict::kPass);
  auto datagrams = listens("caddy", 443);
  datagrams["protocol"] = "udp";
  CHECK(web({{"sockets", {listens("caddy", 80), datagrams}}}).verdict == Verdict::kFail);
  CHECK(web({{"sockets", {listens("caddy", 80), listens("", 443)}}}).verdict != Verdict::kPass);
  CHECK(web({{"sockets", {listens("caddy", 80), listens("caddy", 443), listens("", 443)}}}).verdict ==
        Verdict::kUnknown);
  CHECK(web({{"sockets", json::array()}}).verdict != Verdict::kPass);
  auto off = web_server({{"sockets", {listens("sshd", 22)}}});
  off[0].second = unit("loaded", "inactive", "enabled");
  CHECK(judged("web-server-up", kWeb, record_of(off)).persistence == Persistence::kRuntimeOnly);
}

TEST_CASE("units: running and enabled are two sides") {
  CHECK(units(unit("loaded", "active", "enabled")).verdict == Verdict::kPass);
  CHECK(units(unit("loaded", "inactive", "enabled")).persistence == Persistence::kRuntimeOnly);
  CHECK(units(unit("loaded", "active", "disabled")).persistence == Persistence::kBootOnly);
  CHECK(units(unit("loaded", "failed", "disabled")).persistence == Persistence::kBoth);
  CHECK(units(unit("masked", "inactive", "masked")).verdict == Verdict::kFail);
  CHECK(units(unit("not-found", "inactive", "")).verdict == Verdict::kFail);
}

TEST_CASE("a control over the playbook's own steps: in place passes, pending fails, unheard-of is unknown") {
  HostRecord record;
  record.in_place = {"ssh/drop-in"};
  record.pending["kernel/parameters"] = {"net.ipv4.tcp_syncookies (running): 0 -> 1"};
  record.unplanned["docker/daemon"] = "denied";
  const auto steps = [&](const std::string& step) { return judged("steps-in-place", {{"steps", {step}}}, record); };
  CHECK(steps("ssh/drop-in").verdict == Verdict::kPass);
  CHECK(steps("kernel/parameters").verdict == Verdict::kFail);
  CHECK(steps("docker/daemon").verdict == Verdict::kUnknown);
  CHECK(steps("no/such").verdict == Verdict::kUnknown);
  CHECK(judged("steps-in-place", {{"steps", json::array()}}, record).verdict == Verdict::kUnknown);
}

TEST_CASE("a failing control shows what its steps would change") {
  HostRecord record = record_of({{"units", unit("loaded", "inactive", "enabled")}});
  record.pending["caddy/service"] = {"active: no -> yes"};
  record.pending["caddy/package"] = {"caddy: absent -> present"};
  Control control;
  control.judgement = "units-up";
  control.steps = {"caddy/service", "caddy/caddyfile", "caddy/package"};
  control.with = {{"units", {"caddy.service"}}};
  const auto evidence = judge(control, record).evidence;
  REQUIRE(evidence.size() >= 2);
  CHECK(evidence.end()[-2] == Evidence{"plan", "active: no -> yes", "caddy/service"});
  CHECK(evidence.back() == Evidence{"plan", "caddy: absent -> present", "caddy/package"});
}

TEST_CASE("an excluded control is not applicable and asks nothing; one without a judgement is unknown") {
  Control excluded;
  excluded.judgement = "ssh-keys-only";
  excluded.excluded = "stack: no SSH role";
  const auto finding = judge(excluded, {});
  CHECK(finding.verdict == Verdict::kNotApplicable);
  CHECK(finding.reason == "stack: no SSH role");
  CHECK(orders_for({excluded}).empty());
  CHECK(judged("no-such-judgement", {}, {}).verdict == Verdict::kUnknown);
}

TEST_CASE("a probe is asked once, with everything the controls want of it") {
  Control caddy;
  caddy.judgement = "units-up";
  caddy.with = {{"units", {"caddy.service", "ssh.service"}}};
  Control docker = caddy;
  docker.with = {{"units", {"docker.service", "ssh.service"}}};
  const auto orders = orders_for({caddy, docker});
  REQUIRE(orders.size() == 1);
  CHECK(orders[0].with == json{{"units", {"caddy.service", "ssh.service", "docker.service"}}});
}

TEST_CASE("judgements are found by name, and each name is there once") {
  const auto& all = judgements();
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(find_judgement(all[i].name) == &all[i]);
    if (i > 0) CHECK(all[i - 1].name < all[i].name);
  }
  CHECK(find_judgement("nonsense") == nullptr);
}

}  // namespace sentinel
