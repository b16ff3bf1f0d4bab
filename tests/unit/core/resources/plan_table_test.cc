// SPDX-License-Identifier: Apache-2.0
// Runs every case of tests/table/resources/<kind>/*.json: what is wanted and what is there → changes, actions, undo and
// effects. After each case with changes the actions are carried out: planning again gives nothing, and the undo, run
// from any point and twice, brings the observed state back.
//
// A case: name, want (fields of the kind that differ from the defaults), content (text, or pieces), absent_content,
// secrets, files / directories / links (path to text or {bytes, uid, gid, mode}), commands (command line to {status,
// output}), for kind sshd: socket (ssh.socket owns the port), stale (files changed after the daemon read them), units
// (name to load, active, enabled, needs_daemon_reload), later (files that changed after the units were loaded),
// packages (name to dpkg's status), key (text), ufw (commands that made the firewall what it is), off_in_file,
// ipv6_off, after (more commands), rules as [action, port, from], commands_run (all command lines, in order), and what
// is expected: changes [[attribute, before, after]], actions, undo (fields that matter; default: not compared),
// effects, risk, missing (count), error (code), one_way (don't carry it out: the fake can't follow), stays (going back
// to the state before by a resource leaves something: files of others that were edited, a socket).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include <catch2/catch.hpp>

#include "core/base/file.h"
#include "core/model/json.h"
#include "core/model/kinds.h"
#include "tests/support/fake_accounts.h"
#include "tests/support/fake_sshd.h"
#include "tests/support/fake_ufw.h"
#include "tests/support/fake_units.h"
#include "tests/support/survey_bench.h"

namespace sentinel {
namespace {

using nlohmann::json;

template <std::size_t I = 0>
json defaults_of(const std::string& kind) {
  if constexpr (I < std::variant_size_v<ResourceBody>) {
    using Body = std::variant_alternative_t<I, ResourceBody>;
    if (kind == kind_name<Body>) return json(ResourceBody(Body{})).at(kind);
    return defaults_of<I + 1>(kind);
  } else {
    FAIL("unknown kind " << kind);
    return {};
  }
}

/// Objects may say less than what is there; all else has to be equal.
bool says_so(const json& expected, const json& actual) {
  if (expected.is_object() && actual.is_object()) {
    return std::all_of(expected.items().begin(), expected.items().end(), [&](const auto& item) {
      return actual.contains(item.key()) && says_so(item.value(), actual.at(item.key()));
    });
  }
  if (expected.is_array() && actual.is_array()) {
    return std::equal(expected.begin(), expected.end(), actual.begin(), actual.end(), says_so);
  }
  return expected == actual;
}

Content content_of(const json& value) {
  if (value.is_string()) return Content(value.get<std::string>());
  Content content;
  for (const auto& piece : value) {
    if (piece.is_string()) {
      content.append(piece.get<std::string>());
    } else {
      content.append(Hole{piece.at("secret").get<std::string>(), piece.value("filters", std::vector<std::string>{})});
    }
  }
  return content;
}

void put_command(FakeSystem& machine, const std::string& line, const json& result) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : line + " ") {
    if (c != ' ') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  machine.on(words, CommandResult{result.value("status", 0), result.value("output", ""), result.value("errors", "")});
}

FileAttributes attributes_of(const json& value, mode_t mode) {
  const auto text = value.value("mode", fmt::format("{:o}", mode));
  return {value.value("uid", 0U), value.value("gid", 0U), static_cast<mode_t>(std::stoul(text, nullptr, 8))};
}

void pay(SurveyBench& bench, const std::vector<Effect>& effects) {
  for (const auto& effect : effects) {
    CommandLine command;
    command.argv = {"systemctl", effect.kind == Effect::Kind::kRestart ? "try-restart" : "try-reload-or-restart",
                    effect.unit};
    if (effect.unit.empty()) command.argv = {"systemctl", "daemon-reload"};
    REQUIRE(bench.machine.run(command).ok());
  }
}

void arrange_firewall(SurveyBench& bench, const json& test) {
  auto& machine = bench.machine;
  put_systemd(machine);
  if (!test.contains("ufw")) return;
  put_ufw(machine);
  put_unit(machine, "ufw.service", {"loaded", "inactive", "enabled", false});
  const auto set = [&](const char* path, const std::string& before, const std::string& after) {
    auto text = machine.bytes(path);
    text.replace(text.find(before), before.size(), after);
    machine.put_file(path, text);
  };
  for (const auto& line : test.at("ufw")) on_host(machine, line.get<std::string>());
  if (test.value("off_in_file", false)) set("/etc/ufw/ufw.conf", "ENABLED=yes", "ENABLED=no");
  if (test.value("ipv6_off", false)) {
    set("/etc/default/ufw", "IPV6=yes", "IPV6=no");
    on_host(machine, "ufw reload");
  }
  for (const auto& line : test.value("after", std::vector<std::string>{})) on_host(machine, line);
}

void arrange(SurveyBench& bench, const std::string& kind, const json& test) {
  put_accounts(bench.machine);
  if (kind == "sshd" && test.value("installed", true)) put_sshd(bench.machine);
  if (test.value("socket", false)) enable_ssh_socket(bench.machine);
  static const json kNone = json::object();
  const auto items = [&](const char* key) -> const json& { return test.contains(key) ? test.at(key) : kNone; };
  for (const auto& [path, value] : items("directories").items())
    bench.machine.put_directory(path, attributes_of(value, 0755));
  for (const auto& [path, value] : items("files").items()) {
    if (value.is_string()) {
      bench.machine.put_file(path, value.get<std::string>());
    } else {
      bench.machine.put_file(path, value.value("bytes", ""), attributes_of(value, 0644));
    }
  }
  for (const auto& [path, target] : items("links").items()) bench.machine.put_link(path, target.get<std::string>());
  for (const auto& [line, result] : items("commands").items()) put_command(bench.machine, line, result);
  if (kind == "service") put_systemd(bench.machine);
  if (kind == "firewall") arrange_firewall(bench, test);
  for (const auto& [name, unit] : items("units").items()) {
    put_unit(bench.machine, name,
             {unit.value("load", "loaded"), unit.value("active", "inactive"), unit.value("enabled", "disabled"),
              unit.value("needs_daemon_reload", false)});
  }
  bench.machine.pass(std::chrono::seconds(5));
  for (const auto& [path, text] : items("later").items()) bench.machine.put_file(path, text.get<std::string>());
  std::vector<std::pair<std::string, std::string>> packages;
  for (const auto& [name, status] : items("packages").items()) packages.emplace_back(name, status.get<std::string>());
  if (!packages.empty()) put_packages(bench.machine, packages);
  for (const auto& path : test.value("erase", std::vector<std::string>{})) bench.machine.erase(path);
  if (kind == "sshd" && !test.value("stale", false)) pay(bench, {{Effect::Kind::kReload, "ssh.service"}});
  for (const auto& [name, value] : items("secrets").items())
    bench.secrets.emplace(name, Secret(value.get<std::string>()));
}

Resource wanted(SurveyBench& bench, const std::string& kind, const json& test) {
  auto body = defaults_of(kind);
  body.merge_patch(test.at("want"));
  if (test.contains("content")) {
    const auto content = content_of(test.at("content"));
    body["content"] = test.value("absent_content", false) ? reference_to(content) : bench.know(content);
  }
  if (kind == "firewall") {
    for (auto& rule : body["rules"])
      rule = {{"action", rule.at(0)},
              {"port", rule.at(1)},
              {"protocol", "tcp"},
              {"from", rule.size() > 2 ? rule.at(2) : json("any")},
              {"comment", ""}};
  }
  if (test.contains("key")) body["key"] = bench.know(Content(test.at("key").get<std::string>()));
  const auto decoded = decode<ResourceBody>(json{{kind, body}});
  INFO(body.dump() << (decoded.ok() ? "" : decoded.error().message));
  REQUIRE(decoded.ok());
  std::vector<Effect> notify;
  for (const auto& effect : test.value("notify", std::vector<std::string>{})) notify.push_back(*parse_effect(effect));
  return Resource{"role/thing", "thing", *decoded, notify, "role.yaml:1"};
}

void expect(const json& test, const Step& step) {
  json changes = json::array();
  for (const auto& change : step.changes) changes.push_back({change.attribute, change.before, change.after});
  CHECK(changes == test.value("changes", json::array()));
  const json actions = step.actions;
  INFO("actions: " << actions.dump());
  if (step.kind != "firewall") CHECK(says_so(test.value("actions", json::array()), actions));
  if (test.contains("commands_run")) {
    std::vector<std::string> lines;
    for (const auto& action : step.actions) {
      if (const auto* command = std::get_if<RunCommand>(&action))
        lines.push_back(fmt::format("{}", fmt::join(command->argv, " ")));
    }
    CHECK(lines == test.at("commands_run").get<std::vector<std::string>>());
  }
  const json undo = step.undo;
  INFO("undo: " << undo.dump());
  if (test.contains("undo")) CHECK(says_so(test.at("undo"), undo));
  std::vector<std::string> effects;
  for (const auto& effect : step.effects) effects.push_back(to_string(effect));
  CHECK(effects == test.value("effects", std::vector<std::string>{}));
  CHECK(to_string(step.risk) == test.value("risk", "none"));
}

/// Carries the plan out and then the plan of the resource that restored() names: what rolling back to a generation
/// does.
void act_and_restore(const std::string& kind, const json& test) {
  SurveyBench bench;
  arrange(bench, kind, test);
  const auto resource = wanted(bench, kind, test);
  const auto before = bench.observe(resource.body);
  const auto step = bench.plan(resource);
  REQUIRE((before.ok() && step.ok()));
  bench.captured(std::get<std::vector<Action>>(step->undo));
  REQUIRE(bench.act(step->actions).ok());
  pay(bench, step->effects);
  const auto back = restored(resource.body, *before);
  REQUIRE(back);
  const auto return_step = bench.plan({"role/back", "back", *back, {}, ""});
  INFO((return_step.ok() ? to_text(json(*return_step)) : return_step.error().message));
  REQUIRE(return_step.ok());
  const auto acted = bench.act(return_step->actions);
  INFO((acted.ok() ? "" : acted.error().message));
  REQUIRE(acted.ok());
  pay(bench, return_step->effects);
  CHECK(lasting(*bench.observe(resource.body)) == lasting(*before));
}

/// Runs the first `count` actions and then the undo, twice, as after a crash.
void act_and_undo(const std::string& kind, const json& test, std::size_t count) {
  CAPTURE(count);
  SurveyBench bench;
  arrange(bench, kind, test);
  const auto resource = wanted(bench, kind, test);
  const auto before = bench.observe(resource.body);
  const auto step = bench.plan(resource);
  REQUIRE((before.ok() && step.ok()));
  const auto undo = bench.captured(std::get<std::vector<Action>>(step->undo));
  const auto acted =
      bench.act(std::vector<Action>(step->actions.begin(), step->actions.begin() + static_cast<std::ptrdiff_t>(count)));
  INFO((acted.ok() ? "" : acted.error().message));
  REQUIRE(acted.ok());
  if (count == step->actions.size()) {
    pay(bench, step->effects);
    const auto again = bench.plan(resource);
    REQUIRE(again.ok());
    CHECK(json(again->changes) == json::array());
  }
  for (int round = 0; round < 2; ++round) {
    const auto undone = bench.act(undo);
    INFO((undone.ok() ? "" : undone.error().message));
    REQUIRE(undone.ok());
    const auto now = bench.observe(resource.body);
    REQUIRE(now.ok());
    CHECK(lasting(*now) == lasting(*before));
  }
}

void run_case(const std::string& kind, const json& test) {
  SurveyBench bench;
  arrange(bench, kind, test);
  const auto resource = wanted(bench, kind, test);
  bench.machine.clear_records();
  const auto step = bench.plan(resource);
  CHECK(bench.machine.mutations().empty());
  if (test.contains("error")) {
    REQUIRE_FALSE(step.ok());
    INFO(step.error().message);
    CHECK(step.error().code == test.at("error").get<std::string>());
    return;
  }
  INFO((step.ok() ? "" : step.error().message));
  REQUIRE(step.ok());
  CHECK(step->id == "role/thing");
  CHECK(step->kind == kind);
  if (kind == "command") CHECK_FALSE(restored(resource.body, *bench.observe(resource.body)));
  expect(test, *step);
  CHECK(bench.missing.size() == test.value("missing", 0U));
  for (const auto& [name, value] : bench.secrets) {
    CHECK(to_text(json(*step)).find(value.reveal()) == std::string::npos);
    CHECK(to_text(*bench.observe(resource.body)).find(value.reveal()) == std::string::npos);
  }
  if (test.value("one_way", false) || !std::holds_alternative<std::vector<Action>>(step->undo)) return;
  if (kind != "command" && !test.value("stays", false)) act_and_restore(kind, test);
  for (std::size_t count = 0; count <= step->actions.size(); ++count) act_and_undo(kind, test, count);
}

}  // namespace

TEST_CASE("every case of the tables of resource kinds") {
  std::size_t cases = 0;
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(SENTINEL_SOURCE_DIR "/tests/table/resources")) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    const auto kind = file.parent_path().filename().string();
    const auto parsed = parse_json(*read_whole_file(file.string()));
    INFO(file.string());
    REQUIRE(parsed.ok());
    for (const auto& test : *parsed) {
      ++cases;
      INFO(kind << ": " << test.at("name").get<std::string>());
      run_case(kind, test);
    }
  }
  CHECK(cases >= 60);
}

}  // namespace sentinel
