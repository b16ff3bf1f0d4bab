// SPDX-License-Identifier: Apache-2.0
// Blobs, secrets and the audit log: what is kept is found again, what is not is named, and no secret has a plain
// digest.
#include <catch2/catch.hpp>

#include "core/base/digest.h"
#include "core/engine/host_state.h"
#include "core/resources/look.h"
#include "tests/support/fake_system.h"
#include "tests/unit/core/engine/support.h"

namespace sentinel {
namespace {

struct Host {
  FakeSystem machine;
  HostState state{machine};

  Host() { REQUIRE(state.directory.prepare(machine).ok()); }
};

AuditEntry entry(const std::string& transaction) {
  return {"2026-01-01T00:00:00.000Z", transaction, "me@here", "apply", "p", "changed", 1, {"a"}, ""};
}

}  // namespace

TEST_CASE("state directories are private, and preparing them again changes nothing") {
  Host host;
  for (const char* path : {"/var/lib/sentinel", "/var/lib/sentinel/blobs", "/var/lib/sentinel/secrets"}) {
    CHECK(host.machine.status(path)->mode == 0700);
  }
  host.machine.clear_records();
  REQUIRE(host.state.directory.prepare(host.machine).ok());
  CHECK(host.machine.mutations().empty());
}

TEST_CASE("a blob is named by its digest, stored once and checked when it is read") {
  Host host;
  const auto name = host.state.blobs.put("hello");
  REQUIRE(name.ok());
  CHECK(*name == sha256_hex("hello"));
  CHECK(host.state.blobs.get(*name).value() == "hello");
  host.machine.clear_records();
  REQUIRE(host.state.blobs.put("hello").ok());
  CHECK(host.machine.mutations().empty());
  host.machine.put_file(host.state.directory.blobs() + "/" + *name, "other");
  CHECK(host.state.blobs.get(*name).error().code == "blob.corrupt");
  CHECK(host.state.blobs.get(std::string(64, '0')).error().code == "blob.missing");
  CHECK(host.state.blobs.get("../secrets/x").error().code == "blob.bad-name");
}

TEST_CASE("a sensitive blob has the name that observed states use, and its digest appears nowhere") {
  Host host;
  const auto key = host.state.secrets.host_key();
  REQUIRE(key.ok());
  const auto name = host.state.blobs.put_sensitive("hunter2", *key);
  REQUIRE(name.ok());
  CHECK(*name == sensitive_name(*key, "hunter2"));
  for (const auto& [path, node] : host.machine.tree()) {
    CHECK(path.find(sha256_hex("hunter2")) == std::string::npos);
    if (node.type == FileType::kRegular) CHECK(node.attributes.mode == 0600);
  }
}

TEST_CASE("pruning removes what is old and not referred to") {
  Host host;
  const auto kept = host.state.blobs.put("kept");
  const auto dropped = host.state.blobs.put("dropped");
  std::set<std::string> referenced;
  BlobStore::collect_names({{"deep", {{{"content", *kept}}}}, {"short", "abc"}}, referenced);
  CHECK(referenced == std::set<std::string>{*kept});
  const std::chrono::system_clock::time_point before(std::chrono::duration_cast<std::chrono::system_clock::duration>(
      std::chrono::nanoseconds(host.machine.now_ns() - 10'000'000'000)));
  REQUIRE(host.state.blobs.prune(referenced, before).ok());
  CHECK(host.state.blobs.has(*dropped));  // young: may be meant for a transaction that is about to begin
  REQUIRE(host.state.blobs.prune(referenced, before + std::chrono::seconds(60)).ok());
  CHECK(host.state.blobs.has(*kept));
  CHECK_FALSE(host.state.blobs.has(*dropped));
}

TEST_CASE("the host key is made once and a damaged one is refused") {
  Host host;
  const auto first = host.state.secrets.host_key();
  REQUIRE(first.ok());
  SecretStore again(host.machine, host.state.directory);
  CHECK(*again.host_key() == *first);
  host.machine.put_file(host.state.directory.host_key(), "short");
  SecretStore damaged(host.machine, host.state.directory);
  CHECK(damaged.host_key().error().code == "secret.host-key-damaged");
}

TEST_CASE("a secret's step appears when its value is new or other, and shows nothing of it") {
  Host host;
  const SecretSpec spec{"TOKEN", false, "hex", 32};
  SecretView view(host.state.secrets, {spec}, {{"TOKEN", Secret("s3cr3t")}});
  const auto step = view.plan(spec, host.state.blobs);
  REQUIRE(step.ok());
  REQUIRE(step->changes.size() == 1);
  CHECK(step->changes[0].sensitive);
  CHECK(std::get<std::vector<Action>>(step->undo) ==
        std::vector<Action>{RemoveFile{"/var/lib/sentinel/secrets/TOKEN"}});
  host.machine.put_file("/var/lib/sentinel/secrets/TOKEN", "s3cr3t", {0, 0, 0600});
  CHECK(view.plan(spec, host.state.blobs)->changes.empty());
  SecretView changed(host.state.secrets, {spec}, {{"TOKEN", Secret("other")}});
  CHECK(changed.plan(spec, host.state.blobs)->changes.size() == 1);
  const auto key = host.state.secrets.host_key();
  CHECK(view.observe(spec, *key)->at("value") == sensitive_name(*key, "s3cr3t"));
}

TEST_CASE("a given secret without any value is an error; a generated one is made once, of the wanted form") {
  Host host;
  const SecretSpec given{"GIVEN", false, "hex", 32};
  SecretView empty(host.state.secrets, {given}, {});
  CHECK(empty.plan(given, host.state.blobs).error().code == "secret.no-value");
  const SecretSpec hex{"HEX", true, "hex", 16};
  const SecretSpec base64{"B64", true, "base64", 30};
  SecretView view(host.state.secrets, {hex, base64}, {});
  CHECK(view.find("HEX") == nullptr);
  REQUIRE(view.generate_missing().ok());
  REQUIRE(view.find("HEX") != nullptr);
  const auto value = view.find("HEX")->reveal();
  CHECK(value.size() == 32);
  CHECK(view.find("B64")->reveal().size() == 40);
  REQUIRE(view.generate_missing().ok());
  CHECK(view.find("HEX")->reveal() == value);
  host.machine.put_file(host.state.secrets.path_of("HEX"), value, {0, 0, 0600});
  SecretView later(host.state.secrets, {hex}, {});
  REQUIRE(later.generate_missing().ok());
  CHECK(later.plan(hex, host.state.blobs)->changes.empty());
}

TEST_CASE("secret names that could leave their directory are refused") {
  for (const char* name : {"", ".", "..", ".hidden", "a/b", "a b", "a\n"}) CHECK_FALSE(is_secret_name(name));
  for (const char* name : {"JWT_SECRET", "a-b.c", "x"}) CHECK(is_secret_name(name));
}

TEST_CASE("the audit log is a chain: appended once per transaction, and a changed line breaks it") {
  Host host;
  auto& audit = host.state.audit;
  CHECK(audit.head().value() == std::string(64, '0'));
  REQUIRE(audit.append(entry("t1")).ok());
  REQUIRE(audit.append(entry("t1")).ok());
  REQUIRE(audit.append(entry("t2")).ok());
  const auto head = audit.head().value();
  REQUIRE(audit.append(entry("t3")).ok());
  REQUIRE(audit.read()->size() == 3);
  CHECK(audit.contains_head(head).value());
  CHECK_FALSE(audit.contains_head(std::string(64, 'f')).value());
  const auto path = host.state.directory.audit_log();
  const auto good = host.machine.bytes(path);
  auto changed = good;
  changed.replace(changed.find("me@here"), 7, "him@her");
  host.machine.put_file(path, changed);
  CHECK(audit.read().error().code == "audit.broken");
  host.machine.put_file(path, good.substr(good.find('\n') + 1));
  CHECK(audit.read().error().code == "audit.broken");
  host.machine.put_file(path, good + "{\"half");
  CHECK(audit.read()->size() == 3);
  REQUIRE(audit.append(entry("t4")).ok());
  CHECK(audit.read()->size() == 4);
}

TEST_CASE("events are lines on disk before the listener hears them") {
  Host host;
  ManualClock clock;
  const auto path = host.state.directory.events(kTestTransaction);
  REQUIRE(host.machine.make_directory(host.state.directory.journal(kTestTransaction), {0, 0, 0700}).ok());
  std::vector<std::size_t> on_disk;
  EventLog log(host.machine, clock, path,
               [&](const Event&) { on_disk.push_back(parse_events(host.machine.bytes(path))->size()); });
  Event event;
  event.text = "one\ntwo";
  log.tell(event);
  log.tell(event);
  CHECK(on_disk == std::vector<std::size_t>{1, 2});
  const auto events = parse_events(host.machine.bytes(path) + "{\"torn");
  REQUIRE(events.ok());
  REQUIRE(events->size() == 2);
  CHECK(events->front().text == "one\ntwo");
  CHECK_FALSE(events->front().time.empty());
}

}  // namespace sentinel
