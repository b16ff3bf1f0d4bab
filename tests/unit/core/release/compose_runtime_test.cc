// SPDX-License-Identifier: Apache-2.0
// The compose runtime over an engine in memory: which container, which link and which boot entry stand after each of
// its functions, also when they come twice or after one another's middle; and an engine that is away for a while.
#include "core/release/compose_runtime.h"

#include <fmt/format.h>

#include <sstream>

#include <catch2/catch.hpp>

#include "core/base/digest.h"
#include "core/base/tar.h"
#include "core/model/json.h"
#include "tests/support/fake_system.h"
#include "tests/unit/core/engine/support.h"

using namespace sentinel;

namespace {

struct Box {
  std::string label;
  bool running = true;
  std::string policy = "no";
};

// What the engine would do to containers and images.
struct Engine {
  std::map<std::string, Box> boxes;
  std::map<std::string, std::string> images;  // name -> id
  int away = 0;                               // questions that find nobody
  int asked = 0;
  std::vector<std::string> loads;

  Result<HttpReply> answer(const std::string& method, const std::string& target, const std::string& body) {
    ++asked;
    if (away > 0 && --away >= 0) return Error("http.connect", "connecting to /run/docker.sock: No such file or directory");
    const auto end_of_path = std::min(target.find('?'), target.size());
    std::vector<std::string> parts;  // containers, NAME, what to do
    std::istringstream path(target.substr(1, end_of_path - 1));
    for (std::string part; std::getline(path, part, '/');) parts.push_back(part);
    const auto query = target.substr(end_of_path);
    if (parts.front() == "version") return HttpReply{200, "{}"};
    if (parts.front() == "images") return image(method, parts, query);
    if (parts.size() == 2 && method == "GET") return list(query);
    const auto& name = parts.at(1);
    if (boxes.count(name) == 0) return HttpReply{404, R"({"message":"No such container"})"};
    auto& box = boxes.at(name);
    if (method == "DELETE") return boxes.erase(name), HttpReply{204, ""};
    const auto& verb = parts.at(2);
    if (verb == "json") return inspect(name);
    if (verb == "update") box.policy = parse_json(body)->at("RestartPolicy").at("Name");
    if (verb == "start") box.running = true;
    if (verb == "kill") box.running = false;
    if (verb == "rename") {
      boxes[query.substr(std::string("?name=").size())] = box;
      boxes.erase(name);
    }
    return HttpReply{verb == "update" ? 200U : 204U, "{}"};
  }

  HttpReply inspect(const std::string& name) {
    return {200, to_text({{"Id", name + "-0123456789abcdef"},
                          {"RestartCount", 0},
                          {"State",
                           {{"Status", boxes[name].running ? "running" : "exited"},
                            {"ExitCode", 3},
                            {"OOMKilled", false},
                            {"StartedAt", "2026-01-01T00:00:00Z"}}}})};
  }

  HttpReply image(const std::string& method, const std::vector<std::string>& parts, const std::string& query) {
    const auto& name = parts.at(1);
    if (method == "POST") {
      images["shop:" + query.substr(query.find("&tag=") + 5)] = images.count(name) > 0 ? images.at(name) : name;
      return {201, ""};
    }
    if (method == "DELETE") {
      std::erase_if(images, [&](const auto& one) { return one.first == name || one.second == name; });
      return {200, "[]"};
    }
    for (const auto& [tag, id] : images) {
      if (tag != name && id != name) continue;
      std::vector<std::string> tags;
      for (const auto& [other, other_id] : images) {
        if (other_id == id) tags.push_back(other);
      }
      return {200, to_text({{"Id", id}, {"RepoTags", tags}})};
    }
    return {404, R"({"message":"No such image"})"};
  }

  HttpReply list(const std::string& query) {
    auto out = nlohmann::json::array();
    for (const auto& [name, box] : boxes) {
      const auto equals = box.label.find('=');
      const auto key = box.label.substr(0, equals);
      const auto value = box.label.substr(equals + 1);
      // Either of the label, or of just this value.
      const bool asked_for = query.find(key + "%3D" + value) != std::string::npos || query.find(key + "%22") != std::string::npos;
      if (!asked_for || (!box.running && query.find("all=false") != std::string::npos)) continue;
      out.push_back({{"Id", name}, {"State", box.running ? "running" : "exited"}, {"Labels", {{key, value}}}});
    }
    return {200, to_text(out)};
  }
};

struct Bench {
  FakeSystem machine;
  ManualClock clock;
  Engine engine;
  std::vector<std::string> told;
  std::string refusal;  // code of the error of whoever is told to hold
  ComposeRuntime runtime{
      machine, clock, [this](const std::string& socket, const std::string&, const std::string& path) {
        told.push_back(socket + " " + path);
        if (!refusal.empty() && path == "/admin/hold") return Result<std::string>(Error(refusal, "no"));
        return Result<std::string>(path == "/admin/hold" ? R"({"state":"holding"})" : R"({"state":"accepting"})");
      },
      [this](const std::string& method, const std::string& target, const std::string& body, auto) {
        return engine.answer(method, target, body);
      }};

  Bench() {
    machine.on({"docker", "load"}, [this](FakeSystem&, const CommandLine& line) {
      engine.loads.push_back(line.input);
      engine.images["shop:2"] = "sha256:" + sha256_hex("config");
      return CommandResult{};
    });
    machine.on({"docker", "compose"}, CommandResult{1, "", "docker: 'compose' is not a docker command."});
    machine.on({"docker-compose"}, [this](FakeSystem&, const CommandLine& line) {
      if (line.argv.size() > 5 && line.argv[5] == "up") {
        const auto id = line.argv[4].substr(std::string("/opt/shop/releases/").size(), 1);
        engine.boxes["shop-" + id] = {"sentinel.release=shop/" + id, true, "no"};
      }
      return CommandResult{};
    });
    machine.put_file("/usr/bin/docker", "");
    machine.put_file("/usr/bin/docker-compose", "");
    machine.put_directory("/etc/tmpfiles.d");
    machine.on({"systemd-run"}, [this](FakeSystem&, const CommandLine& line) {
      engine.boxes.at(line.argv.back()).running = false;
      return CommandResult{};
    });
  }

  Release release(const std::string& id) {
    Release out;
    out.id = id;
    out.app = "shop";
    out.runtime = RuntimeKind::kCompose;
    out.artefact.kind = Artefact::Kind::kImage;
    out.artefact.sha256 = sha256_hex("config");
    for (const auto* part : {"config", "layer"}) {
      out.artefact.parts.push_back({sha256_hex(part), false, 0});
      machine.put_file("/opt/shop/images/" + sha256_hex(part), part);
    }
    return out;
  }

  // `id` has the traffic and is what a boot starts.
  Release in_force(const std::string& id, const std::optional<Release>& former = {}) {
    const auto next = release(id);
    REQUIRE(runtime.prepare(next).ok());
    REQUIRE(runtime.start_candidate(next).ok());
    REQUIRE(runtime.switch_to(next, former).ok());
    REQUIRE(runtime.promote(next, former).ok());
    return next;
  }

  std::string link() { return machine.read_link("/run/shop-app/current").value_or(""); }
};

}  // namespace

TEST_CASE("a release that hangs is ended when another takes its traffic; one that died is left to the engine") {
  const std::string refusal = GENERATE("http.timeout", "http.connect");
  Bench bench;
  const auto one = bench.in_force("1");
  const auto two = bench.release("2");
  REQUIRE(bench.runtime.prepare(two).ok());
  REQUIRE(bench.runtime.start_candidate(two).ok());
  bench.refusal = refusal;
  REQUIRE(bench.runtime.switch_to(two, one).ok());
  CHECK(bench.link() == "2");
  CHECK(bench.engine.boxes.at("shop-1").running == (refusal != "http.timeout"));
}

TEST_CASE("a release that hangs is not waited for when it is taken back") {
  Bench bench;
  const auto one = bench.in_force("1");
  const auto two = bench.release("2");
  REQUIRE(bench.runtime.prepare(two).ok());
  REQUIRE(bench.runtime.start_candidate(two).ok());
  REQUIRE(bench.runtime.switch_to(two, one).ok());
  bench.refusal = "http.timeout";
  bench.machine.on({"systemd-run"}, CommandResult{1, "", "the end of a release that hangs was waited for"});
  REQUIRE(bench.runtime.back(two, one).ok());
  CHECK(bench.link() == "1");
  CHECK(bench.engine.boxes.count("shop-2") == 0);
}

// Each program takes 0.1 s to start on a small host; a rollback has a second besides the release's own start.
TEST_CASE("going back to a release starts one program besides the release's own start, and asks the engine seldom") {
  Bench bench;
  const auto one = bench.in_force("1");
  bench.engine.images["shop:1"] = "sha256:" + one.artefact.sha256;
  const auto two = bench.in_force("2", one);
  REQUIRE(bench.runtime.drain(one, false).ok());
  const auto programs = [&] { return bench.machine.commands().size(); };
  const auto before = programs();
  const auto asked = bench.engine.asked;
  REQUIRE(bench.runtime.prepare(one).ok());
  const auto prepared = programs();
  REQUIRE(bench.runtime.start_candidate(one).ok());
  const auto started = programs();
  REQUIRE(bench.runtime.switch_to(one, two).ok());
  REQUIRE(bench.runtime.promote(one, two).ok());
  REQUIRE(bench.runtime.drain(two, false).ok());
  REQUIRE(bench.runtime.remains({one}).ok());
  CHECK(prepared - before + programs() - started == 1);  // the drain of the former one
  CHECK(bench.engine.asked - asked <= 7);
}

TEST_CASE("a release gets the traffic by a link, and a boot starts it once it is promoted") {
  Bench bench;
  const auto one = bench.in_force("1");
  CHECK(bench.link() == "1");
  CHECK(bench.engine.boxes.at("shop-1").policy == "unless-stopped");
  const auto two = bench.release("2");
  REQUIRE(bench.runtime.prepare(two).ok());
  REQUIRE(bench.runtime.start_candidate(two).ok());
  CHECK(bench.link() == "1");
  REQUIRE(bench.runtime.switch_to(two, one).ok());
  CHECK(bench.link() == "2");
  CHECK(bench.told.back() == "/run/shop-app/1/admin.sock /admin/hold");
  CHECK(bench.machine.bytes("/etc/tmpfiles.d/shop-app.conf").find("current - - - - 1") != std::string::npos);

  SECTION("promoted, the former one is nothing a boot starts") {
    REQUIRE(bench.runtime.promote(two, one).ok());
    CHECK(bench.engine.boxes.at("shop-1").policy == "no");
    CHECK(bench.machine.bytes("/etc/tmpfiles.d/shop-app.conf").find("current - - - - 2") != std::string::npos);
    REQUIRE(bench.runtime.drain(one, true).ok());
    REQUIRE(bench.runtime.forget(one).ok());
    CHECK(bench.engine.boxes.count("shop-1") == 0);
  }
  SECTION("taken back, also twice, and also when the former one died meanwhile") {
    if (GENERATE(false, true)) bench.engine.boxes.at("shop-1").running = false;
    for (int time = 0; time < 2; ++time) REQUIRE(bench.runtime.back(two, one).ok());
    CHECK(bench.link() == "1");
    CHECK(bench.engine.boxes.at("shop-1").running);
    CHECK(bench.engine.boxes.count("shop-2") == 0);
    CHECK(bench.machine.status("/run/shop-app/2")->type == FileType::kAbsent);
  }
}

TEST_CASE("of a first release that fails nothing is left") {
  Bench bench;
  const auto one = bench.in_force("1");
  REQUIRE(bench.runtime.back(one, std::nullopt).ok());
  CHECK(bench.engine.boxes.empty());
  CHECK(bench.link().empty());
  CHECK(bench.machine.status("/etc/tmpfiles.d/shop-app.conf")->type == FileType::kAbsent);
}

TEST_CASE("an image is loaded when the engine lacks it, and goes with its last release") {
  Bench bench;
  REQUIRE(bench.runtime.prepare(bench.release("2")).ok());
  REQUIRE(bench.engine.loads.size() == 1);
  const auto sent = read_tar(bench.engine.loads.front()).value();
  CHECK(sent.size() == 3);
  REQUIRE(bench.runtime.prepare(bench.release("3")).ok());
  CHECK(bench.engine.loads.size() == 1);
  CHECK(bench.engine.images.size() == 2);
  REQUIRE(bench.runtime.discard(bench.release("2")).ok());
  CHECK(bench.engine.images.count("shop:3") == 1);
  REQUIRE(bench.runtime.discard(bench.release("3")).ok());
  CHECK(bench.engine.images.empty());
  const auto two = bench.release("2");
  bench.machine.put_file("/opt/shop/images/" + sha256_hex("layer"), "another");
  CHECK(bench.runtime.prepare(two).error().code == "release.altered");
}

TEST_CASE("a container that still ends its streams is left alone when its release comes again") {
  Bench bench;
  const auto one = bench.in_force("1");
  bench.machine.put_file("/run/shop-app/1/admin.sock", "");
  REQUIRE(bench.runtime.prepare(one).ok());
  REQUIRE(bench.runtime.start_candidate(one).ok());
  CHECK(bench.engine.boxes.size() == 2);
  CHECK(bench.machine.status("/run/shop-app/1/admin.sock")->type == FileType::kAbsent);
  CHECK(bench.runtime.activity(one)->running);
}

TEST_CASE("an engine that is away is waited for, but not for ever; one that is not there is said so") {
  Bench bench;
  bench.engine.away = 3;
  CHECK(bench.runtime.check(bench.release("1")).ok());
  bench.engine.away = 1'000'000;
  CHECK(bench.runtime.check(bench.release("1")).error().code == "release.docker");
  FakeSystem bare;
  ComposeRuntime nothing(bare, bench.clock, {}, [](const auto&, const auto&, const auto&, auto) {
    return Result<HttpReply>(Error("http.connect", "nobody listens"));
  });
  CHECK(nothing.check(bench.release("1")).error().code == "release.no-docker");
}

TEST_CASE("what remains of several releases is seen at once") {
  Bench bench;
  const auto one = bench.in_force("1");
  const auto two = bench.in_force("2", one);
  bench.engine.boxes.at("shop-1").running = false;
  const std::vector<Release> all{one, two, bench.release("3")};
  using Seen = std::map<std::string, Remains>;
  CHECK(bench.runtime.remains(all).value() == Seen{{"1", Remains::kLeftovers}, {"2", Remains::kRuns}});
  REQUIRE(bench.runtime.forget(one).ok());
  CHECK(bench.runtime.remains(all).value() == Seen{{"2", Remains::kRuns}});
}

TEST_CASE("what ended says how") {
  Bench bench;
  const auto one = bench.in_force("1");
  bench.engine.boxes.at("shop-1").running = false;
  CHECK(bench.runtime.activity(one)->ended == "it ended: status 3");
  bench.engine.boxes.clear();
  CHECK(bench.runtime.activity(one)->ended == "its container is gone");
}
