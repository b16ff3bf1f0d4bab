// SPDX-License-Identifier: Apache-2.0
// What is asked of the engine, and what is made of each kind of answer.
#include "core/release/docker.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include <catch2/catch.hpp>

#include "tests/support/fake_system.h"
#include "tests/unit/core/engine/support.h"

using namespace sentinel;

namespace {

constexpr std::chrono::seconds kPatience{5};

struct Bench {
  FakeSystem machine;
  ManualClock clock;
  std::vector<std::string> asked;
  std::vector<Result<HttpReply>> answers;  // one after the other, the last for ever
  Docker docker{machine, clock,
                [this](const std::string& method, const std::string& target, const std::string& body,
                       std::chrono::milliseconds limit) {
                  CHECK(limit == kPatience);
                  asked.push_back(fmt::format("{} {} {}", method, target, body));
                  auto answer = answers.front();
                  if (answers.size() > 1) answers.erase(answers.begin());
                  return answer;
                },
                kPatience};

  explicit Bench(HttpReply reply) : answers{std::move(reply)} { machine.put_file("/usr/bin/docker", ""); }
};

struct Case {
  std::string name;
  std::function<Result<void>(Docker&)> command;
  std::string asked;
  std::vector<unsigned> good;
};

const std::vector<Case> kCommands{
    {"start", [](Docker& docker) { return docker.start("shop-1"); }, "POST /containers/shop-1/start ", {204, 304}},
    {"kill", [](Docker& docker) { return docker.kill("shop-1"); }, "POST /containers/shop-1/kill ", {204, 404, 409}},
    {"rename", [](Docker& docker) { return docker.rename("shop-1", "shop-1-ab"); }, "POST /containers/shop-1/rename?name=shop-1-ab ", {204, 404}},
    {"remove", [](Docker& docker) { return docker.remove("shop-1"); }, "DELETE /containers/shop-1?force=true ", {204, 404}},
    {"restart_policy", [](Docker& docker) { return docker.restart_policy("shop-1", "unless-stopped"); },
     R"(POST /containers/shop-1/update {"RestartPolicy":{"Name":"unless-stopped"}})", {200, 404}},
    {"tag_image", [](Docker& docker) { return docker.tag_image("example.com:5000/a/b@sha256:0f", "shop", "1"); },
     "POST /images/example.com:5000/a/b@sha256:0f/tag?repo=shop&tag=1 ", {201}},
    {"remove_image", [](Docker& docker) { return docker.remove_image("shop:1", false); }, "DELETE /images/shop:1?force=false ", {200, 404}},
    {"remove_image by force", [](Docker& docker) { return docker.remove_image("sha256:0f", true); }, "DELETE /images/sha256:0f?force=true ",
     {200, 404}},
};

}  // namespace

TEST_CASE("each command is one request; every status but those it expects is an error in the engine's words") {
  for (const auto& one : kCommands) {
    for (const unsigned status : {200U, 201U, 204U, 304U, 400U, 404U, 409U, 500U, 503U}) {
      INFO(one.name << ", status " << status);
      Bench bench(HttpReply{status, R"({"message":"as the engine says"})"});
      const auto done = one.command(bench.docker);
      CHECK(bench.asked == std::vector{one.asked});
      const bool good = std::find(one.good.begin(), one.good.end(), status) != one.good.end();
      REQUIRE(done.ok() == good);
      if (good) continue;
      CHECK(done.error().code == "release.docker");
      CHECK(done.error().message.find("as the engine says") != std::string::npos);
    }
  }
}

TEST_CASE("a container as the engine tells of it") {
  Bench bench(HttpReply{200, R"({"Id":"0f","RestartCount":2,"State":{"Status":"exited","ExitCode":137,"OOMKilled":true,"StartedAt":"2026-01-01T00:00:00Z"}})"});
  const auto told = bench.docker.container("a b").value();
  CHECK(bench.asked.front() == "GET /containers/a%20b/json ");
  REQUIRE(told);
  CHECK(told->id == "0f");
  CHECK((told->ended && !told->running && told->out_of_memory));
  CHECK(told->exit_status == 137);
  CHECK(told->restarts == 2);
  CHECK(told->started == "2026-01-01T00:00:00Z");
}

TEST_CASE("an image as the engine tells of it") {
  Bench bench(HttpReply{200, R"({"Id":"sha256:0f","RepoTags":["shop:1"]})"});
  CHECK(bench.docker.image("shop:1").value()->tags == std::vector<std::string>{"shop:1"});
  bench.answers = {HttpReply{200, R"({"Id":"sha256:0f","RepoTags":null})"}};
  CHECK(bench.docker.image("sha256:0f").value()->tags.empty());
}

TEST_CASE("containers by their label") {
  const std::string list = R"([{"Id":"1","State":"running","Labels":{"l":"a"}},{"Id":"2","State":"exited","Labels":{"l":"a"}},)"
                           R"({"Id":"3","State":"created","Labels":{"l":"b"}}])";
  Bench bench(HttpReply{200, list});
  CHECK(bench.docker.labelled("l=a", true).value() == std::vector<std::string>{"1", "2", "3"});
  CHECK(bench.docker.label_values("l").value() == std::map<std::string, bool>{{"a", true}, {"b", false}});
  CHECK(bench.asked == std::vector<std::string>{"GET /containers/json?all=false&filters=%7B%22label%22:%5B%22l%3Da%22%5D%7D ",
                                                "GET /containers/json?all=true&filters=%7B%22label%22:%5B%22l%22%5D%7D "});
}

TEST_CASE("what isn't there is an answer, what can't be understood is an error") {
  Bench bench(HttpReply{404, R"({"message":"No such container: shop-1"})"});
  CHECK(!bench.docker.container("shop-1").value());
  CHECK(!bench.docker.image("shop:1").value());
  for (const auto* garbled : {"", "[", "null", "[]", "{}", R"({"Id":1})", R"([{"Id":"1","State":"running","Labels":{}}])", "7"}) {
    INFO(garbled);
    bench.answers = {HttpReply{200, garbled}};
    CHECK(bench.docker.container("shop-1").error().code == "release.docker");
    CHECK(bench.docker.image("shop:1").error().code == "release.docker");
    if (std::string_view(garbled) == "[]") continue;  // a list without containers
    CHECK(bench.docker.label_values("l").error().code == "release.docker");
  }
}

TEST_CASE("an engine that is away is waited for, in patience; one that hangs is not asked again") {
  const auto code = GENERATE(as<std::string>(), "http.connect", "http.answer");
  const Result<HttpReply> nobody = Error(code, "nobody");
  Bench bench(HttpReply{204, ""});
  bench.answers = {nobody, nobody, HttpReply{204, ""}};
  CHECK(bench.docker.start("shop-1").ok());
  CHECK(bench.asked.size() == 3);
  const auto before = bench.clock.since_boot();
  bench.answers = {nobody};
  CHECK(bench.docker.start("shop-1").error().code == "release.docker");
  CHECK(bench.clock.since_boot() - before >= kPatience);
  CHECK(bench.clock.since_boot() - before < kPatience + std::chrono::seconds(1));
  bench.asked.clear();
  bench.answers = {Error("http.timeout", "no answer within 5 s")};
  CHECK(bench.docker.start("shop-1").error().code == "release.docker");
  CHECK(bench.asked.size() == 1);
}

TEST_CASE("without Docker's program on the host nobody is waited for") {
  Bench bench(HttpReply{200, "{}"});
  REQUIRE(bench.machine.remove_file("/usr/bin/docker").ok());
  bench.answers = {Error("http.connect", "nobody")};
  CHECK(bench.docker.container("shop-1").error().code == "release.no-docker");
  CHECK(bench.asked.size() == 1);
}
