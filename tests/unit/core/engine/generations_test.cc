// SPDX-License-Identifier: Apache-2.0
// Generations: going back to one and forward again gives the same machine; what came later goes back to how it stood
// before.
#include <catch2/catch.hpp>

#include "core/engine/history.h"
#include "tests/unit/core/engine/session.h"

namespace sentinel {
namespace {

struct Lived {
  FakeSystem machine;
  Session session;
  HostState host{machine};
  int transactions = 0;

  Lived() { furnish(machine); }

  TransactionOutcome apply(const Request& request) {
    auto outcome = session.run(machine, request, transaction_number(++transactions));
    INFO(outcome.outcome << " "
                         << (outcome.errors.empty() ? "" : outcome.errors[0].code + ": " + outcome.errors[0].message));
    REQUIRE(outcome.outcome == "changed");
    return outcome;
  }

  TransactionOutcome go_back_to(std::uint64_t generation) {
    const auto request = host.generations.request_for_generation(generation);
    REQUIRE(request.ok());
    return apply(*request);
  }

  std::map<std::string, FakeSystem::Node> tree() const { return managed_tree(machine); }
};

Resource file(FakeSystem& machine, const std::string& id, const std::string& path, const std::string& text) {
  return {id, id, File{path, store_content(machine, Content(text)), "root", "root", 0644}, {}, ""};
}

}  // namespace

TEST_CASE("back to an earlier generation and forward again is the same machine each time") {
  Lived l;
  const auto at_0 = l.tree();
  auto request = realistic_request(l.machine);
  REQUIRE(l.apply(request).generation == 1);
  const auto at_1 = l.tree();

  request.resources[3].body = File{"/etc/motd", store_content(l.machine, Content("second\n")), "root", "root", 0600};
  request.resources.push_back(file(l.machine, "web/new", "/etc/app/new", "new\n"));
  REQUIRE(l.apply(request).generation == 2);
  const auto at_2 = l.tree();

  REQUIRE(l.go_back_to(1).generation == 3);
  CHECK(same_tree(l.tree(), at_1));
  REQUIRE(l.go_back_to(2).generation == 4);
  CHECK(same_tree(l.tree(), at_2));
  REQUIRE(l.go_back_to(0).generation == 5);
  auto now = l.tree();
  // A command has no state to go back to, and removing a package leaves its configuration; everything else is as it was
  // before the first transaction.
  for (const char* path : {"/var/marker", "/etc/redis/redis.conf", "/etc/redis", "/etc/caddy"})
    CHECK(now.erase(path) == 1);
  CHECK(same_tree(now, at_0));
  CHECK(l.machine.bytes("/etc/old") == "to be removed\n");
}

TEST_CASE("a request for some resources leaves the others managed") {
  Lived l;
  Request both;
  both.resources = {file(l.machine, "a", "/etc/a", "a1\n"), file(l.machine, "b", "/etc/b", "b1\n")};
  l.apply(both);
  Request one;
  one.resources = {file(l.machine, "a", "/etc/a", "a2\n")};
  l.apply(one);
  const auto second = l.host.generations.load(2);
  REQUIRE(second.ok());
  REQUIRE(second->managed.size() == 2);
  l.go_back_to(0);
  CHECK(l.machine.tree().count("/etc/a") == 0);
  CHECK(l.machine.tree().count("/etc/b") == 0);
  l.go_back_to(2);
  CHECK(l.machine.bytes("/etc/a") == "a2\n");
  CHECK(l.machine.bytes("/etc/b") == "b1\n");
}

TEST_CASE("a resource that drifted is no longer part of the next generation, unless it was asked for again") {
  Lived l;
  Request both;
  both.resources = {file(l.machine, "a", "/etc/a", "a1\n"), file(l.machine, "b", "/etc/b", "b1\n")};
  l.apply(both);
  l.machine.put_file("/etc/b", "by hand\n");
  Request one;
  one.resources = {file(l.machine, "a", "/etc/a", "a2\n")};
  l.apply(one);
  CHECK(l.host.generations.load(2)->managed.size() == 1);
  CHECK(l.machine.bytes("/etc/b") == "by hand\n");
}

TEST_CASE("what stood there before the first touch is kept over later changes") {
  Lived l;
  Request request;
  for (const char* text : {"one\n", "two\n", "three\n"}) {
    request.resources = {file(l.machine, "m", "/etc/motd", text)};
    l.apply(request);
  }
  l.go_back_to(0);
  CHECK(l.machine.bytes("/etc/motd") == "welcome\n");
}

TEST_CASE("the newest twenty generations are kept, with every blob they need, and old ones are named as gone") {
  Lived l;
  Request request;
  for (int i = 1; i <= 25; ++i) {
    request.resources = {file(l.machine, "m", "/etc/motd", "text " + std::to_string(i) + "\n")};
    l.apply(request);
    l.session.clock.pass(std::chrono::hours(24 * 365));  // far beyond the grace of uploads
  }
  CHECK(l.host.generations.kept()->size() == Generations::kRetained);
  CHECK(l.host.generations.current().value() == 25);
  CHECK(l.host.generations.request_for_generation(3).error().code == "generation.unknown");
  CHECK(l.host.generations.request_for_generation(99).error().code == "generation.unknown");
  CHECK_FALSE(l.host.blobs.has(sha256_hex("text 2\n")));
  l.go_back_to(7);
  CHECK(l.machine.bytes("/etc/motd") == "text 7\n");
  l.go_back_to(0);
  CHECK(l.machine.bytes("/etc/motd") == "welcome\n");
}

TEST_CASE("private contents come back from blobs without a plain digest") {
  Lived l;
  l.machine.put_file("/etc/private", "old secret\n", {0, 0, 0600});
  Request request;
  request.resources = {
      {"p", "p", File{"/etc/private", store_content(l.machine, Content("new\n")), "root", "root", 0600}, {}, ""}};
  l.apply(request);
  for (const auto& [path, node] : l.machine.tree()) CHECK(path.find(sha256_hex("old secret\n")) == std::string::npos);
  l.go_back_to(0);
  CHECK(l.machine.bytes("/etc/private") == "old secret\n");
  CHECK(l.machine.status("/etc/private")->mode == 0600);
}

TEST_CASE("history is newest first, says what can be restored, and survives reverts") {
  Lived l;
  Request request;
  request.operator_name = "me@here";
  request.purpose = "apply";
  request.resources = {file(l.machine, "m", "/etc/motd", "one\n")};
  l.apply(request);
  request.resources = {file(l.machine, "m", "/etc/motd", "two\n"), risky_resource(l.machine)};
  l.session.control.replies = {{Control::Answer::kExpired, "", {}}};
  CHECK(l.session.run(l.machine, request, transaction_number(50)).outcome == "reverted");
  const auto past = history(l.host);
  REQUIRE(past.ok());
  REQUIRE(past->size() == 2);
  CHECK(past->at(0).entry.outcome == "reverted");
  CHECK(past->at(0).entry.generation == 1);
  CHECK(past->at(0).entry.reason.find("confirmed") != std::string::npos);
  CHECK(past->at(1).entry.changed == std::vector<std::string>{"m"});
  CHECK(past->at(1).entry.operator_name == "me@here");
  CHECK(past->at(1).restorable);
}

TEST_CASE("a damaged number of the current generation is an error, not generation 0") {
  Lived l;
  l.machine.put_file(l.host.directory.current(), "x\n");
  CHECK(l.host.generations.current().error().code == "generation.damaged");
}

}  // namespace sentinel
