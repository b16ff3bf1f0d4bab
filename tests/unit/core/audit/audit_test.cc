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

}  // namespace

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

TEST_CASE("a failing control shows what its step would change") {
  HostRecord record = record_of({{"units", unit("loaded", "inactive", "enabled")}});
  record.pending["caddy/service"] = {"active: no -> yes"};
  Control control;
  control.judgement = "units-up";
  control.step = "caddy/service";
  control.with = {{"units", {"caddy.service"}}};
  CHECK(judge(control, record).evidence.back() == Evidence{"plan", "active: no -> yes", "caddy/service"});
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
