// SPDX-License-Identifier: Apache-2.0
// Whole documents as text: their shape is a contract with people's scripts.
#include "core/report/documents.h"

#include <catch2/catch.hpp>

namespace sentinel {
namespace {

Step sample_step() {
  Step step;
  step.id = "ssh/drop-in";
  step.kind = "sshd";
  step.title = "sshd drop-in";
  step.risk = Risk::kLockout;
  step.changes = {{"mode", "0600", "0644", false}, {"content", "(secret content)", "(secret content)", true}};
  step.effects = {Effect{Effect::Kind::kReload, "ssh.service"}, Effect{Effect::Kind::kDaemonReload, ""}};
  return step;
}

TEST_CASE("The plan document has every field for changes, in-sync and error") {
  HostPlan changing{"a", Plan{"a", "digest", {sample_step()}, 3}, {}};
  HostPlan same{"b", Plan{}, {}};
  HostPlan failed{"c", std::nullopt, {Error("ssh.refused", "connection refused", "is it up?", ExitCode::kUnreachable)}};
  CHECK(document_line(plan_document({changing, same, failed})) ==
        R"({"schema_version":1,"hosts":[)"
        R"({"host":"a","status":"changes","error":null,"steps":[{"id":"ssh/drop-in","kind":"sshd","title":"sshd drop-in",)"
        R"("risk":"lockout","changes":[{"attribute":"mode","before":"0600","after":"0644","sensitive":false},)"
        R"j({"attribute":"content","before":"(secret content)","after":"(secret content)","sensitive":true}],)j"
        R"("effects":["reload ssh.service","daemon-reload"]}]},)"
        R"({"host":"b","status":"in-sync","error":null,"steps":[]},)"
        R"({"host":"c","status":"error","error":{"code":"ssh.refused","message":"connection refused","position":null,)"
        R"("context":[],"hint":"is it up?","exit":8,"also":[]},"steps":[]}]})"
        "\n");
}

TEST_CASE("The run document has every field, null where nothing is known") {
  HostRun changed{"a", Outcome::kChanged, 3, "00112233445566778899aabbccddeeff", 1234, {"ssh/drop-in"}, {}, "1.0.0-1", {}};
  HostRun unreachable{"b", Outcome::kUnreachable, std::nullopt, "", 5, {}, {Error("ssh.timeout", "no answer")}, "", {"last words"}};
  CHECK(document_line(run_document({changed, unreachable})) ==
        R"({"schema_version":1,"hosts":[{"host":"a","outcome":"changed","generation":3,"release":"1.0.0-1",)"
        R"("transaction":"00112233445566778899aabbccddeeff","duration_ms":1234,"changed":["ssh/drop-in"],"log":[],"error":null},)"
        R"({"host":"b","outcome":"unreachable","generation":null,"release":null,"transaction":null,"duration_ms":5,)"
        R"("changed":[],"log":["last words"],"error":{"code":"ssh.timeout","message":"no answer","position":null,"context":[],"hint":null,)"
        R"("exit":1,"also":[]}}]})"
        "\n");
}

TEST_CASE("The status document has every field") {
  HostStatus status;
  status.host = "a";
  status.reachable = true;
  status.generation = 2;
  status.drift = false;
  CHECK(document_line(status_document({status})) ==
        R"({"schema_version":1,"hosts":[{"host":"a","reachable":true,"generation":2,"release":null,"healthy":null,)"
        R"("drift":false,"last_transaction":null,"error":null}]})"
        "\n");
}

TEST_CASE("Further errors are kept beside the first") {
  const Document record = error_record({Error("a", "first"), Error("b", "second")});
  CHECK(record["code"] == "a");
  REQUIRE(record["also"].size() == 1);
  CHECK(record["also"][0]["code"] == "b");
}

TEST_CASE("An event line names its host and has every field") {
  Event event;
  event.type = Event::Type::kStepDone;
  event.time = "2026-01-31T08:15:30.123Z";
  event.step = "ssh/drop-in";
  event.text = "changed";
  CHECK(document_line(event_line("a", event)) ==
        R"({"schema_version":1,"host":"a","type":"step-done","time":"2026-01-31T08:15:30.123Z","step":"ssh/drop-in",)"
        R"("text":"changed","deadline_ms":0,"outcome":"","generation":0,"changed":[],"release":"","log":[],"error":null})"
        "\n");
}

TEST_CASE("Bytes that are no UTF-8 never break the output") {
  HostRun run;
  run.host = "bad\xff";
  CHECK(document_text(run_document({run})).find("bad\xEF\xBF\xBD") != std::string::npos);
}

TEST_CASE("Outcomes go to their words and back") {
  for (const Outcome outcome : {Outcome::kUnchanged, Outcome::kChanged, Outcome::kReverted, Outcome::kFailed,
                                Outcome::kStuck, Outcome::kUnreachable}) {
    CHECK(outcome_of(to_string(outcome)) == outcome);
  }
  CHECK(outcome_of("nonsense") == Outcome::kFailed);
}

}  // namespace
}  // namespace sentinel
