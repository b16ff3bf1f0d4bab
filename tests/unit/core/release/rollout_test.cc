// SPDX-License-Identifier: Apache-2.0
// The rollout over a machine in memory and a runtime that is a few flags: whatever fails, and wherever its process
// dies, exactly one release has the traffic at the end, and the registry says the same.
#include "core/release/rollout.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "core/base/digest.h"
#include "core/engine/room.h"
#include "core/model/json.h"
#include "core/release/release_plan.h"
#include "tests/support/fake_system.h"
#include "tests/support/faulty_system.h"
#include "tests/unit/core/engine/support.h"

using namespace sentinel;

namespace {

constexpr const char* kFirst = "11111111111111111111111111111111";
constexpr const char* kSecond = "22222222222222222222222222222222";

// Which release runs, which has the traffic, which a boot starts.
struct FakeRuntime final : Runtime {
  std::set<std::string> running;
  std::string traffic;
  std::string boots;
  std::string fails;  ///< name of the function that fails once
  bool dead = false;  ///< the candidate ended, some time after it was watched

  Result<void> strike(const std::string& name) {
    if (fails != name) return {};
    fails.clear();
    return Error("test.struck", name + " failed");
  }

  Result<void> check(const Release&) override { return strike("check"); }

  Result<void> prepare(const Release&) override { return strike("prepare"); }

  Result<void> start_candidate(const Release& next) override {
    running.insert(next.id);
    return strike("start");
  }

  Result<Activity> activity(const Release& release) override {
    return Activity{running.count(release.id) > 0, dead ? "killed" : "", 0, "1"};
  }

  ReleaseEndpoint endpoint(const Release&) const override { return {"/run/x"}; }

  Result<void> switch_to(const Release& next, const std::optional<Release>&) override {
    traffic = next.id;
    return strike("switch");
  }

  Result<void> back(const Release& next, const std::optional<Release>& former) override {
    traffic = former ? former->id : "";
    running.erase(next.id);
    return strike("back");
  }

  Result<void> promote(const Release& next, const std::optional<Release>&) override {
    boots = next.id;
    return strike("promote");
  }

  Result<void> drain(const Release& release, bool) override {
    running.erase(release.id);
    return strike("drain");
  }

  Result<std::map<std::string, Remains>> remains(const std::vector<Release>& releases) override {
    std::map<std::string, Remains> out;
    for (const auto& release : releases) {
      if (running.count(release.id) > 0) out[release.id] = Remains::kRuns;
    }
    return out;
  }

  Result<bool> must_end_first(const Release& next) override { return running.count(next.id) > 0; }

  Result<void> forget(const Release&) override { return strike("forget"); }

  Result<void> discard(const Release&) override { return {}; }

  std::vector<std::string> log(const Release&, std::size_t) override { return {"it said s3cret-value"}; }
};

struct FakeJudge final : ReleaseJudge {
  bool ready = true;
  bool well = true;

  Result<void> await_ready(const Release&, const std::optional<Release>&, Runtime&,
                           const std::function<bool()>&) override {
    if (ready) return {};
    return Error("release.unhealthy", "not ready", "", ExitCode::kRolledBack);
  }

  Result<std::string> watch(const Release&, Runtime&, const std::function<bool()>&) override {
    if (well) return std::string();
    return Error("release.unhealthy", "not well", "", ExitCode::kRolledBack);
  }
};

std::string tar_entry(const std::string& name, const std::string& bytes) {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  header.replace(100, 7, "0000644");
  header.replace(124, 11, fmt::format("{:011o}", bytes.size()));
  header.replace(148, 8, "        ");
  header[156] = '0';
  header.replace(257, 8, "ustar  ", 8);
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  header.replace(148, 7, fmt::format("{:06o}", sum) + std::string(1, '\0'));
  std::string padded = bytes;
  padded.resize((bytes.size() + 511) / 512 * 512, '\0');
  return header + padded;
}

std::string bundle_of(const std::string& version) {
  const std::string program = "program " + version;
  const nlohmann::json manifest{
      {"name", "app"},
      {"version", version},
      {"architecture", "x86_64"},
      {"files", {{"bin/app", {{"sha256", sha256_hex(program)}, {"size", program.size()}, {"mode", "0644"}}}}}};
  return tar_entry("bin/app", program) + tar_entry("manifest.json", manifest.dump()) + std::string(1024, '\0');
}

struct Bench {
  FakeSystem machine;
  FakeRuntime runtime;
  FakeJudge judge;
  ManualClock clock;
  RecordingSink events;
  ScriptedControl control;

  Bench() { machine.put_file("/proc/sys/kernel/random/boot_id", "boot\n"); }

  TransactionInput input(const std::string& id, const std::string& transaction) {
    HostState host(machine);
    REQUIRE(host.directory.prepare(machine).ok());
    const auto archive = bundle_of(id);
    REQUIRE(host.blobs.put(archive).ok());
    Content environment("KEY=");
    environment.append(Hole{"KEY", {"shell"}});
    REQUIRE(host.blobs.put(environment.serialize()).ok());
    TransactionInput input;
    input.id = transaction;
    input.agent = "agent";
    input.request.purpose = "deploy";
    input.request.secrets = {{"KEY", false, "hex", 32}};
    input.secrets.emplace("KEY", Secret("s3cret-value"));
    ReleaseOrder order;
    order.release.id = id;
    order.release.app = "app";
    order.release.artefact = {Artefact::Kind::kBundle, "app", id, sha256_hex(archive), archive.size()};
    order.release.files = {{kReleaseEnvironment, 0644, reference_to(environment)}};
    input.request.release = order;
    return input;
  }

  TransactionOutcome run(System& system, const TransactionInput& ordered) {
    HostState host(system);
    return Rollout({host, runtime, judge, clock, events}, control).run(ordered);
  }

  Plan plan(const TransactionInput& ordered) {
    HostState host(machine);
    SecretView secrets(host.secrets, ordered.request.secrets, ordered.secrets);
    auto planned = plan_release(ordered.request, host, secrets, [&](const std::string& digest) {
      auto stored = host.blobs.get(digest);
      return stored.ok() ? std::optional(std::move(stored).value()) : std::nullopt;
    });
    REQUIRE(planned.ok());
    return std::move(planned->plan);
  }

  AppReleases app() {
    HostState host(machine);
    return ReleaseRegistry(machine, host.directory).read("app").value();
  }

  void first() {
    REQUIRE(run(machine, input("1.0", kFirst)).outcome == "changed");
    REQUIRE(runtime.traffic == "1.0");
  }
};

}  // namespace

TEST_CASE("a second release takes over, and the first is where a rollback goes") {
  Bench bench;
  bench.first();
  CHECK(bench.run(bench.machine, bench.input("2.0", kSecond)).outcome == "changed");
  CHECK(bench.runtime.traffic == "2.0");
  CHECK(bench.runtime.boots == "2.0");
  CHECK(bench.runtime.running == std::set<std::string>{"2.0"});
  const auto app = bench.app();
  CHECK(app.current == "2.0");
  CHECK(app.previous == "1.0");
  CHECK(app.find("2.0")->state == ReleaseState::kConfirmed);
  CHECK(bench.machine.read_link("/opt/app/current").value() == "releases/2.0");
  CHECK(bench.machine.bytes("/var/lib/sentinel/releases/app/2.0/environment") == "KEY=s3cret-value");
}

TEST_CASE("whatever fails before the decision, the former release has the traffic and the reason is kept") {
  const std::string what = GENERATE("check", "prepare", "start", "switch", "promote", "not ready", "not well");
  CAPTURE(what);
  Bench bench;
  bench.first();
  bench.runtime.fails = what;
  bench.judge.ready = what != "not ready";
  bench.judge.well = what != "not well";
  const auto outcome = bench.run(bench.machine, bench.input("2.0", kSecond));
  CHECK(outcome.outcome == "reverted");
  CHECK(bench.runtime.traffic == "1.0");
  CHECK(bench.runtime.boots == "1.0");
  CHECK(bench.runtime.running.count("2.0") == 0);
  const auto app = bench.app();
  CHECK(app.current == "1.0");
  REQUIRE(app.find("2.0") != nullptr);
  CHECK(app.find("2.0")->state == ReleaseState::kFailed);
  CHECK(app.find("2.0")->reason == outcome.errors.front().message);
  for (const auto& line : app.find("2.0")->log) CHECK(line == "it said [secret KEY]");
}

TEST_CASE("a release that ends between the watch and the decision is not decided for") {
  Bench bench;
  bench.first();
  bench.runtime.dead = true;
  auto two = bench.input("2.0", kSecond);
  SECTION("it is taken back") {
    const auto outcome = bench.run(bench.machine, two);
    CHECK(outcome.outcome == "reverted");
    CHECK(outcome.exit == ExitCode::kRolledBack);
    CHECK(bench.runtime.traffic == "1.0");
    CHECK(bench.app().find("2.0")->reason == "release 2.0 ended while it had the traffic: killed");
  }
  SECTION("unless it was to be kept, whatever comes") {
    two.request.release->roll_back = false;
    const auto outcome = bench.run(bench.machine, two);
    CHECK(outcome.exit == ExitCode::kStuck);
    CHECK(outcome.errors.at(0).code == "release.kept");
    CHECK(bench.app().current == "2.0");
  }
}

TEST_CASE("a plan shows no value of a probe's header, be it of the release in force or of the next") {
  Bench bench;
  const auto probed = [&](const std::string& id, const std::string& transaction, const std::string& value) {
    auto input = bench.input(id, transaction);
    HttpProbe chat;
    chat.headers["Authorization"] = value;
    input.request.release->release.policy.health.probes = {{"chat", ProbeKind::kVerify, chat, 1, 1, 1, 1}};
    return input;
  };
  REQUIRE(bench.run(bench.machine, probed("1.0", kFirst, "hunter1")).outcome == "changed");
  auto next = probed("2.0", kSecond, "hunter2");
  next.request.release->release.policy.keep = 9;
  const auto shown = nlohmann::json(bench.plan(next)).dump();
  CHECK(shown.find("policy") != std::string::npos);
  CHECK(shown.find("hunter") == std::string::npos);
}

TEST_CASE("a release's name is no change where every release has its own, and one in all other files") {
  const auto [path, differs] =
      GENERATE(table<std::string, bool>({{kReleaseUnit, false}, {kReleaseCompose, false}, {kReleaseConfig, true}}));
  CAPTURE(path);
  Bench bench;
  const auto named = [&bench, file = path](const std::string& id, const std::string& transaction) {
    auto input = bench.input("1.0", transaction);
    auto& release = input.request.release->release;
    release.id = id;
    const Content text("from: /srv/" + id + "/models\n");
    REQUIRE(HostState(bench.machine).blobs.put(text.serialize()).ok());
    release.files.push_back({file, 0644, reference_to(text)});
    return input;
  };
  REQUIRE(bench.run(bench.machine, named("1.0", kFirst)).outcome == "changed");
  const auto plan = bench.plan(named("2.0", kSecond));
  REQUIRE(plan.steps.size() == (differs ? 1U : 0U));
  if (differs) CHECK(plan.steps.front().changes.back().attribute == kReleaseConfig);
}

TEST_CASE("a way back that fails is said to need a person") {
  Bench bench;
  bench.first();
  bench.judge.ready = false;
  bench.runtime.fails = "back";
  const auto outcome = bench.run(bench.machine, bench.input("2.0", kSecond));
  CHECK(outcome.outcome == "stuck");
  CHECK(outcome.exit == ExitCode::kStuck);
  CHECK(outcome.errors.at(1).message.find("which release has the traffic") != std::string::npos);
}

TEST_CASE("what could not be taken back whole for lack of room stays open, and is when there is some") {
  Bench bench;
  bench.first();
  bench.judge.ready = false;
  bench.events.on_event = [&](const Event& event) {
    if (event.text == "revert") bench.machine.leave_room(64);
  };
  const auto outcome = bench.run(bench.machine, bench.input("2.0", kSecond));
  CHECK(outcome.exit == ExitCode::kStuck);
  CHECK(outcome.errors.at(1).hint == "make room on the host's disk; it is put back by itself then");
  CHECK(bench.runtime.traffic == "1.0");
  HostState host(bench.machine);
  REQUIRE(journal::open_transactions(bench.machine, host.directory).value().transactions.size() == 1);
  CHECK_FALSE(has_room(host));
  bench.machine.leave_room(SIZE_MAX);
  CHECK(has_room(host));
  const auto rollout = [&](journal::Writer& writer, const journal::Summary& summary, EventSink& events) {
    return recover_rollout({host, bench.runtime, bench.judge, bench.clock, events}, writer, summary);
  };
  const auto sink = [](const std::string&) { return std::make_unique<RecordingSink>(); };
  const auto recovered = recover_now({host, bench.clock, sink, probe_record_lock, rollout});
  REQUIRE(recovered.ok());
  CHECK(recovered->at(0).outcome == "reverted");
  CHECK(bench.app().find("2.0")->reason == "not ready");
  CHECK(journal::open_transactions(bench.machine, host.directory).value().transactions.empty());
}

TEST_CASE("wherever the process dies or the disk fails, recovery leaves one release in force and the registry says which") {
  const auto fault = GENERATE(Fault::kDieBefore, Fault::kDieAfter, Fault::kFailForever);
  for (std::uint64_t at = 1;; ++at) {
    CAPTURE(at);
    Bench bench;
    bench.first();
    const auto ordered = bench.input("2.0", kSecond);
    FaultySystem faulty(bench.machine, fault, at);
    try {
      (void)bench.run(faulty, ordered);
    } catch (const Died&) {
    }
    if (!faulty.struck()) break;
    HostState host(bench.machine);
    const auto rollout = [&](journal::Writer& writer, const journal::Summary& summary, EventSink& events) {
      return recover_rollout({host, bench.runtime, bench.judge, bench.clock, events}, writer, summary);
    };
    const auto sink = [](const std::string&) { return std::make_unique<RecordingSink>(); };
    const auto recovered = recover_now({host, bench.clock, sink, probe_record_lock, rollout});
    REQUIRE(recovered.ok());
    for (const auto& one : *recovered) CHECK(one.outcome != "stuck");
    const auto app = bench.app();
    CHECK((app.current == "1.0" || app.current == "2.0"));
    CHECK(bench.runtime.traffic == app.current);
    CHECK(bench.runtime.boots == app.current);
    CHECK(app.find(app.current)->state == ReleaseState::kConfirmed);
    REQUIRE(journal::open_transactions(bench.machine, host.directory).value().transactions.empty());
  }
}

namespace {

ReleaseMigration migration(const std::string& id, bool undo = true) {
  return {id, {"run", id}, undo ? std::vector<std::string>{"undo", id} : std::vector<std::string>(), undo ? "" : "why"};
}

// Which migrations are in effect on the machine: those whose run was seen and whose undo was not.
struct Migrated {
  std::set<std::string> effect;
  std::string fails;

  explicit Migrated(FakeSystem& machine) {
    machine.on({"systemctl", "stop"}, CommandResult{});
    machine.on({"systemd-run"}, [this](FakeSystem&, const CommandLine& command) {
      const auto& id = command.argv.back();
      const auto& verb = command.argv.at(command.argv.size() - 2);
      if (verb == "run") effect.insert(id);
      if (verb == "undo") effect.erase(id);
      return fails == verb + " " + id ? CommandResult{3, "", "no such table\n"} : CommandResult{};
    });
  }
};

std::set<std::string> remembered(const AppReleases& app) {
  std::set<std::string> out;
  for (const auto& done : app.migrations) out.insert(done.migration.id);
  return out;
}

TransactionInput back_to(const std::string& id, const std::string& transaction) {
  TransactionInput input;
  input.id = transaction;
  input.agent = "agent";
  ReleaseOrder order;
  order.action = ReleaseOrder::Action::kRollback;
  order.release.app = "app";
  order.release.id = id;
  input.request.release = order;
  return input;
}

}  // namespace

TEST_CASE("migrations are run once, undone by a way back where they can be, and run again by a way forward") {
  Bench bench;
  Migrated machine(bench.machine);
  auto one = bench.input("1.0", kFirst);
  one.request.release->release.migrations = {migration("a")};
  REQUIRE(bench.run(bench.machine, one).outcome == "changed");
  bench.clock.sleep(std::chrono::seconds(1));
  auto two = bench.input("2.0", kSecond);
  two.request.release->release.migrations = {migration("a"), migration("b"), migration("c", false)};
  REQUIRE(bench.run(bench.machine, two).outcome == "changed");
  CHECK(machine.effect == std::set<std::string>{"a", "b", "c"});
  CHECK(remembered(bench.app()) == machine.effect);
  bench.clock.sleep(std::chrono::seconds(1));
  REQUIRE(bench.run(bench.machine, back_to("1.0", std::string(32, '3'))).outcome == "changed");
  CHECK(machine.effect == std::set<std::string>{"a", "c"});
  CHECK(remembered(bench.app()) == machine.effect);
  REQUIRE(bench.run(bench.machine, back_to("2.0", std::string(32, '4'))).outcome == "changed");
  CHECK(machine.effect == std::set<std::string>{"a", "b", "c"});
  CHECK(remembered(bench.app()) == machine.effect);
}

TEST_CASE("a release that is taken back takes its migrations along, and one that can't be undone is remembered") {
  const std::string what = GENERATE("not ready", "not well", "run b");
  CAPTURE(what);
  Bench bench;
  bench.first();
  Migrated machine(bench.machine);
  machine.fails = what;
  bench.judge.ready = what != "not ready";
  bench.judge.well = what != "not well";
  auto two = bench.input("2.0", kSecond);
  two.request.release->release.migrations = {migration("a", false), migration("b")};
  const auto outcome = bench.run(bench.machine, two);
  CHECK(outcome.outcome == "reverted");
  CHECK(machine.effect == std::set<std::string>{"a"});
  CHECK(remembered(bench.app()) == std::set<std::string>{"a"});
  CHECK(bench.runtime.traffic == "1.0");
}

TEST_CASE("a way back to a release that still drains waits for its end") {
  Bench bench;
  bench.first();
  REQUIRE(bench.run(bench.machine, bench.input("2.0", kSecond)).outcome == "changed");
  bench.runtime.running.insert("1.0");
  bench.runtime.fails = "drain";
  CHECK(bench.run(bench.machine, back_to("1.0", std::string(32, '3'))).errors.at(0).message == "drain failed");
  CHECK(bench.runtime.traffic == "2.0");
  bench.runtime.running.insert("1.0");
  CHECK(bench.run(bench.machine, back_to("1.0", std::string(32, '4'))).outcome == "changed");
  CHECK(bench.runtime.traffic == "1.0");
}

TEST_CASE("a way back whose undo fails goes forward again, with all its migrations") {
  Bench bench;
  bench.first();
  Migrated machine(bench.machine);
  bench.clock.sleep(std::chrono::seconds(1));
  auto two = bench.input("2.0", kSecond);
  two.request.release->release.migrations = {migration("a"), migration("b")};
  REQUIRE(bench.run(bench.machine, two).outcome == "changed");
  machine.fails = "undo a";
  CHECK(bench.run(bench.machine, back_to("1.0", std::string(32, '3'))).outcome == "reverted");
  CHECK(machine.effect == std::set<std::string>{"a", "b"});
  CHECK(remembered(bench.app()) == machine.effect);
  CHECK(bench.runtime.traffic == "2.0");
}

TEST_CASE("wherever the process dies, migrations are in effect as they are remembered") {
  for (std::uint64_t at = 1;; ++at) {
    CAPTURE(at);
    Bench bench;
    bench.first();
    Migrated machine(bench.machine);
    auto two = bench.input("2.0", kSecond);
    two.request.release->release.migrations = {migration("a"), migration("b")};
    FaultySystem faulty(bench.machine, Fault::kDieAfter, at);
    try {
      (void)bench.run(faulty, two);
    } catch (const Died&) {
    }
    if (!faulty.struck()) break;
    HostState host(bench.machine);
    const auto rollout = [&](journal::Writer& writer, const journal::Summary& summary, EventSink& events) {
      return recover_rollout({host, bench.runtime, bench.judge, bench.clock, events}, writer, summary);
    };
    const auto sink = [](const std::string&) { return std::make_unique<RecordingSink>(); };
    REQUIRE(recover_now({host, bench.clock, sink, probe_record_lock, rollout}).ok());
    const auto app = bench.app();
    CHECK(remembered(app) == machine.effect);
    CHECK(machine.effect.size() == (app.current == "2.0" ? 2U : 0U));
  }
}

TEST_CASE("the release in force brings its watch, and the watch begins anew only where it differs") {
  Bench bench;
  bench.machine.on({"systemctl", "restart"}, CommandResult{});
  auto one = bench.input("1.0", kFirst);
  HostState host(bench.machine);
  const Content settings("{\"port\": 1}\n");
  REQUIRE(host.blobs.put(settings.serialize()).ok());
  one.request.release->release.files.push_back({kReleaseWatch, 0644, reference_to(settings)});
  REQUIRE(bench.run(bench.machine, one).outcome == "changed");
  CHECK(bench.machine.bytes("/etc/sentinel/watch.json") == "{\"port\": 1}\n");
  CHECK(bench.machine.commands().back() == "systemctl restart --no-block sentinel-watch.service");
  bench.machine.clear_records();
  auto two = bench.input("2.0", kSecond);
  two.request.release->release.files.push_back({kReleaseWatch, 0644, reference_to(settings)});
  REQUIRE(bench.run(bench.machine, two).outcome == "changed");
  CHECK(bench.machine.commands().empty());
}

TEST_CASE("retention keeps the one in force, the way back, and what still drains") {
  AppReleases app;
  for (const char* id : {"a", "b", "c", "d", "e"}) {
    app.releases.emplace_back();
    app.releases.back().release.id = id;
  }
  app.current = "e";
  app.previous = "a";
  CHECK(releases_to_remove(app, 5, {}).empty());
  CHECK(releases_to_remove(app, 3, {}) == std::vector<std::string>{"b", "c"});
  CHECK(releases_to_remove(app, 1, {"c"}) == std::vector<std::string>{"b", "d"});
}
