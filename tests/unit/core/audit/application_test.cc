// SPDX-License-Identifier: Apache-2.0
// The application and containers, judged on recorded answers, each trap by its name.
#include <catch2/catch.hpp>

#include "tests/unit/core/audit/records.h"

namespace sentinel {
namespace {

using nlohmann::json;

const json kShape{{"length", 40}, {"placeholder", false}, {"fingerprint", "f"}};

json container() {
  return {{"name", "app"},
          {"project", "sentinel-1764"},
          {"service", "proxy"},
          {"state", "running"},
          {"health", "healthy"},
          {"oom_killed", false},
          {"restarts", 0},
          {"exit_code", 0},
          {"started_at", "2026-11-26T09:00:00.123456789Z"},
          {"ports", json::array({{{"host_ip", "127.0.0.1"}, {"host_port", "8080"}, {"container", "8080/tcp"}}})},
          {"memory", 1},
          {"cpus", 1},
          {"pids", 1},
          {"application", "sentinel"},
          {"release", "one"},
          {"image_id", "sha256:aa"},
          {"config_files", {"/opt/sentinel/releases/one/compose.yaml"}},
          {"restart", "unless-stopped"},
          {"environment", {{"OPENAI_API_KEY", kShape}}},
          {"log", {{"driver", "json-file"}, {"options", {{"max-size", "10m"}}}}},
          {"healthcheck", {{"Test", {"CMD", "x"}}}},
          {"privileged", false},
          {"read_only", true},
          {"process",
           {{"no_new_privs", "1"},
            {"cap_bounding", "0000000000000400"},
            {"tmp", {{"type", "tmpfs"}, {"options", "rw,nosuid,nodev,noexec,relatime"}}}}}};
}

Finding aspect(const std::string& name, const json& one, int least = 1) {
  return judged("containers", {{"aspect", name}, {"project", "sentinel"}, {"least", least}},
                record_of({{"docker.containers", {{"containers", json::array({one})}}}}));
}

json app() {
  return {
      {"home", {{"exists", true}, {"owner", "root"}, {"group", "root"}, {"mode", "0755"}}},
      {"current", {{"target", "releases/1"}, {"exists", true}}},
      {"release", "one"},
      {"unit", "sentinel-one.service"},
      {"active", "active"},
      {"enabled", "enabled"},
      {"restart", "on-failure"},
      {"changeable", json::array()},
      {"environment", {{"path", "/e"}, {"owner", "root"}, {"mode", "0400"}, {"values", {{"OPENAI_API_KEY", kShape}}}}},
      {"main",
       {{"pid", 7},
        {"no_new_privs", "1"},
        {"cap_bounding", "0000000000000000"},
        {"cap_effective", "0000000000000000"},
        {"root_read_only", true},
        {"tmp", {{"type", "tmpfs"}, {"shared", false}}}}},
      {"main_environment", {{"OPENAI_API_KEY", kShape}}}};
}

json compose() {
  return {{"release", "one"},
          {"file", {{"path", "/opt/sentinel/releases/one/compose.yaml"}, {"recorded", "d1"}, {"found", "d1"}}},
          {"image", "sha256:aa"},
          {"tag", "sentinel:one"},
          {"found", {{"id", "sha256:aa"}, {"digests", json::array()}, {"created", "2026-11-01T00:00:00Z"}}}};
}

json containers(const json& one) {
  return {{"containers", json::array({one})}};
}

const json kApp{{"app", "sentinel"}, {"runtime", "systemd"}};
const json kInContainers{{"app", "sentinel"}, {"runtime", "compose"}};
const Answers kComposed{{"app.compose", compose()}, {"docker.containers", containers(container())}};

json of_aspect(json with, const std::string& name) {
  with["aspect"] = name;
  return with;
}

/// The application in containers: no unit of it is there.
json app_in_containers() {
  auto out = app();
  out.update({{"main", nullptr},
              {"main_environment", json::object()},
              {"active", "inactive"},
              {"enabled", ""},
              {"restart", ""}});
  return out;
}

const std::vector<std::string> kAspects{"healthy",        "loopback-ports",    "limits",       "bounded-logs",
                                        "health-check",   "no-new-privileges", "capabilities", "read-only-root",
                                        "private-tmp",    "restarted",         "memory-limit"};
const std::vector<std::string> kConfinement{"no-new-privileges", "capabilities", "read-only-root", "private-tmp"};

bool all_pass() {
  for (const char* judgement : {"app-release", "app-environment", "app-restarts"}) {
    passes(judgement, kApp, {{"app", app()}});
  }
  for (const char* judgement : {"compose-model", "release-image"}) passes(judgement, kInContainers, kComposed);
  const Answers both{{"app", app_in_containers()}, {"docker.containers", containers(container())}};
  for (const char* judgement : {"app-environment", "app-restarts"}) passes(judgement, kInContainers, both);
  for (const auto& name : kConfinement) passes("app-confined", of_aspect(kApp, name), {{"app", app()}});
  for (const auto& name : kAspects) {
    passes("containers", {{"aspect", name}, {"project", "sentinel"}},
           {{"docker.containers", containers(container())}});
  }
  return true;
}

[[maybe_unused]] const bool kPasses = all_pass();

}  // namespace

TEST_CASE("containers: each aspect passes on the good one and fails on its own fault; no health check is unknown") {
  for (const auto& name : kAspects) {
    INFO(name);
    CHECK(aspect(name, container()).verdict == Verdict::kPass);
  }
  const std::vector<std::pair<std::string, Otherwise>> rows{
      {"healthy", {"/state", "exited", Verdict::kFail}},
      {"healthy", {"/health", "", Verdict::kUnknown}},
      {"loopback-ports", {"/ports/0/host_ip", "", Verdict::kFail}},
      {"limits", {"/memory", 0, Verdict::kFail}},
      {"bounded-logs", {"/log/options", json::object(), Verdict::kFail}},
      {"bounded-logs", {"/log/driver", "journald", Verdict::kPass}},
      {"memory-limit", {"/memory", 0, Verdict::kFail}},
      {"restarted", {"/restart", "no", Verdict::kFail}},
      {"health-check", {"/healthcheck", nullptr, Verdict::kFail}},
      {"health-check", {"/healthcheck/Test", json::array({"NONE"}), Verdict::kFail}},
      {"health-check", {"/healthcheck/Test", json::array({"CMD", "true"}), Verdict::kFail}},
      {"health-check", {"/healthcheck/Test", json::array({"CMD-SHELL", "exit 0"}), Verdict::kFail}},
      {"health-check", {"/healthcheck/Test", json::array(), Verdict::kFail}},
      {"no-new-privileges", {"/process/no_new_privs", "0", Verdict::kFail}},
      {"capabilities", {"/process/cap_bounding", "00000000a80425fb", Verdict::kFail}},
      {"capabilities", {"/privileged", true, Verdict::kFail}},
      {"read-only-root", {"/read_only", false, Verdict::kFail}},
      {"private-tmp", {"/process/tmp", nullptr, Verdict::kFail}},
      {"private-tmp", {"/process/tmp/options", "rw,nosuid", Verdict::kFail}}};
  for (const auto& [name, row] : rows) {
    INFO(name);
    check_each(container(), [&name = name](const json& one) { return aspect(name, one); }, {row});
  }
  CHECK(has_trap(aspect("healthy", with_value(container(), "/health", "")), "no-healthcheck"));
  CHECK(has_trap(aspect("loopback-ports", with_value(container(), "/ports/0/host_ip", "0.0.0.0")),
                 "docker-publishes-past-ufw"));
  CHECK(aspect("healthy", container(), 3).verdict == Verdict::kFail);
  CHECK(aspect("no such aspect", container()).verdict == Verdict::kUnknown);
}

TEST_CASE("a container that is started again and again is not healthy, however it looks") {
  const auto again = [](const json& restarts, const json& started) {
    return aspect("healthy", with_value(with_value(container(), "/restarts", restarts), "/started_at", started));
  };
  const std::string lately = "2026-11-26T11:59:30.5Z";  // 29.5 s before the audit
  CHECK(again(3, lately).verdict == Verdict::kFail);
  CHECK(again(2, lately).verdict == Verdict::kWarn);
  CHECK(again(0, lately).verdict == Verdict::kPass);
  CHECK(again(40, "2026-11-26T09:00:00Z").verdict == Verdict::kPass);  // it has been well since
  for (const json& garbled : {json(""), json("0001-01-01"), json("gestern"), json(nullptr), json(1764)})
    CHECK(again(1, garbled).verdict == Verdict::kUnknown);
  for (const json& garbled : {json(nullptr), json("3"), json(-1), json::array()})
    CHECK(again(garbled, lately).verdict == Verdict::kUnknown);
  const auto killed = with_value(with_value(container(), "/state", "exited"), "/exit_code", 137);
  CHECK(aspect("healthy", killed).actual.find("exit status 137") != std::string::npos);
  const auto starved = aspect("healthy", with_value(killed, "/oom_killed", true));
  CHECK(starved.actual.find("killed for its memory") != std::string::npos);
}

TEST_CASE("limits of memory may not add up to more than the host has") {
  constexpr std::int64_t kGib = 1 << 30;
  const auto limits = [](std::int64_t one, std::int64_t other, std::uint64_t host_mb, const char* state = "running") {
    const auto first = with_value(container(), "/memory", one);
    auto second = with_value(with_value(container(), "/memory", other), "/state", state);
    second["project"] = "somebody-else";
    second["application"] = "";
    auto record = record_of({{"docker.containers", {{"containers", {first, second}}}}});
    record.facts.memory_mb = host_mb;
    return judged("containers", {{"aspect", "limits"}, {"project", "sentinel"}}, record).verdict;
  };
  CHECK(limits(kGib, kGib, 2048) == Verdict::kPass);
  CHECK(limits(kGib, 2 * kGib, 2048) == Verdict::kFail);
  CHECK(limits(kGib, 2 * kGib, 2048, "exited") == Verdict::kPass);
  CHECK(limits(kGib, 0, 2048) == Verdict::kPass);
  CHECK(limits(kGib, kGib, 0) == Verdict::kUnknown);
}

TEST_CASE("traps of compose: an override adds ports, and replicas can't share one") {
  const json both = json::parse(R"([{"host_ip": "", "host_port": "8080", "container": "8080/tcp"},
                                    {"host_ip": "127.0.0.1", "host_port": "8080", "container": "8080/tcp"}])");
  const auto overridden =
      with_value(with_value(container(), "/ports", both), "/config_files", {"/srv/a.yaml", "/srv/b.yaml"});
  CHECK(has_trap(aspect("loopback-ports", overridden), "compose-override-appends"));
  CHECK_FALSE(has_trap(aspect("loopback-ports", with_value(overridden, "/config_files", {"/srv/a.yaml"})),
                       "compose-override-appends"));
  const auto two = [](const json& one, const json& other) {
    return judged("containers", {{"aspect", "healthy"}, {"project", "sentinel"}},
                  record_of({{"docker.containers", {{"containers", {one, other}}}}}));
  };
  const auto waiting = with_value(container(), "/state", "created");
  CHECK(has_trap(two(container(), waiting), "replicas-one-port"));
  CHECK_FALSE(has_trap(two(container(), with_value(waiting, "/service", "other")), "replicas-one-port"));
  CHECK_FALSE(has_trap(two(container(), with_value(waiting, "/ports", json::array())), "replicas-one-port"));
}

TEST_CASE("the application: release, environment, confinement") {
  const auto by = [](const std::string& judgement, const json& with = json::object()) {
    return [judgement, with](const json& value) { return judged(judgement, with, record_of({{"app", value}})); };
  };
  CHECK(by("app-release")(app()).verdict == Verdict::kPass);
  check_each(app(), by("app-release"),
             {{"/current/exists", false, Verdict::kFail},
              {"/changeable", json::array({{{"path", "/opt/x"}, {"who", "anybody"}}}), Verdict::kFail}});
  CHECK(by("app-environment")(app()).verdict == Verdict::kPass);
  check_each(app(), by("app-environment"),
             {{"/environment/mode", "0644", Verdict::kFail},
              {"/environment/values/OPENAI_API_KEY/placeholder", true, Verdict::kFail}});
  const auto drift = by("app-environment")(with_value(app(), "/main_environment/OPENAI_API_KEY/fingerprint", "g"));
  CHECK(drift.persistence == Persistence::kRuntimeOnly);
  CHECK(has_trap(drift, "environment-not-reloaded"));
  check_each(app(), by("app-restarts", kApp), {{"/restart", "no", Verdict::kFail}});
  for (const auto& name : kConfinement) {
    INFO(name);
    CHECK(by("app-confined", {{"aspect", name}})(app()).verdict == Verdict::kPass);
    check_each(app(), by("app-confined", {{"aspect", name}}), {{"/main", nullptr, Verdict::kUnknown}});
  }
  check_each(app(), by("app-confined", {{"aspect", "capabilities"}}),
             {{"/main/cap_bounding", "000001ffffffffff", Verdict::kFail}});
  check_each(app(), by("app-confined", {{"aspect", "no-new-privileges"}}),
             {{"/main/no_new_privs", "0", Verdict::kFail}});
}

TEST_CASE("the application in containers: its model, its image, its environment, who starts it") {
  const json good{
      {"app", app_in_containers()}, {"app.compose", compose()}, {"docker.containers", containers(container())}};
  const auto by = [](const std::string& judgement, const json& with = kInContainers) {
    return [judgement, with](const json& probes) {
      Answers answers;
      for (const auto& [probe, value] : probes.items()) answers.emplace_back(probe, value);
      return judged(judgement, with, record_of(answers));
    };
  };
  const std::string one = "/docker.containers/containers/0";
  check_each(good, by("compose-model"),
             {{"/app.compose/file/found", "d2", Verdict::kFail, Persistence::kBootOnly},
              {"/app.compose/file/found", nullptr, Verdict::kFail, Persistence::kBootOnly},
              {one + "/config_files", json::array(), Verdict::kUnknown},
              {one + "/ports/0/host_ip", "", Verdict::kFail},
              {one + "/memory", 0, Verdict::kFail},
              {"/docker.containers/containers", json::array(), Verdict::kFail}});
  const auto merged =
      by("compose-model")(with_value(good, one + "/config_files",
                                     {"/opt/sentinel/releases/one/compose.yaml", "/opt/sentinel/override.yaml"}));
  CHECK(merged.verdict == Verdict::kFail);
  CHECK(has_trap(merged, "compose-override-appends"));
  check_each(good, by("release-image"),
             {{"/app.compose/found", nullptr, Verdict::kFail},
              {"/app.compose/found/id", "sha256:bb", Verdict::kFail},
              {"/app.compose/image", "registry/x@sha256:cc", Verdict::kFail},
              {one + "/image_id", "sha256:bb", Verdict::kFail, Persistence::kRuntimeOnly},
              {one + "/release", "two", Verdict::kFail}});
  check_each(good, by("app-environment"),
             {{one + "/environment/OPENAI_API_KEY/fingerprint", "g", Verdict::kFail, Persistence::kRuntimeOnly}});
  check_each(good, by("app-restarts"),
             {{one + "/restart", "no", Verdict::kFail}, {"/app/enabled", "enabled", Verdict::kFail}});
  check_each(good, by("app-confined", of_aspect(kInContainers, "capabilities")),
             {{one + "/process/cap_bounding", "00000000a80425fb", Verdict::kFail}});
}

}  // namespace sentinel
