// SPDX-License-Identifier: Apache-2.0
#include "proxy/operation/settings.h"

#include <map>

#include <catch2/catch.hpp>

using namespace sentinel;
using namespace sentinel::proxy;

namespace {

using Variables = std::map<std::string, std::string>;

LoadedSettings load(Variables variables) {
  variables.emplace("SENTINEL_KEYS_FILE", "keys");
  variables.emplace("OPENAI_API_KEY", "k");
  const Environment environment = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  return load_settings(environment, "");
}

std::string problems(const LoadedSettings& loaded) {
  std::string all;
  for (const Error& error : loaded.errors) all += error.message + "\n";
  return all;
}

}  // namespace

TEST_CASE("Defaults listen on the service's and the operator's port and ask one upstream") {
  const LoadedSettings loaded = load({});
  REQUIRE(problems(loaded).empty());
  CHECK(loaded.settings.listen == std::vector{ListenAddress::tcp("0.0.0.0", 8080)});
  CHECK(loaded.settings.operator_listen == std::vector{ListenAddress::tcp("127.0.0.1", 9464)});
  REQUIRE(loaded.settings.upstream.upstreams.size() == 1);
  CHECK(loaded.settings.upstream.upstreams[0].base.origin.tls);
  CHECK(loaded.settings.upstream.offers.empty());
}

TEST_CASE("Every range has its ends") {
  struct Row {
    const char* name;
    const char* least;
    const char* most;
    const char* below;
    const char* above;
  };

  for (const Row& row :
       {Row{"SENTINEL_MAX_HEAD_BYTES", "1024", "1048576", "1023", "1048577"},
        Row{"SENTINEL_MAX_HEAD_FIELDS", "8", "1000", "7", "1001"},
        Row{"SENTINEL_MAX_CONNECTIONS", "1", "1000000", "0", "1000001"},
        Row{"SENTINEL_BODY_BYTES_PER_SECOND", "1", "1073741824", "0", "1073741825"},
        Row{"SENTINEL_WRITE_BYTES_PER_SECOND", "1", "1073741824", "0", "1073741825"},
        Row{"SENTINEL_ATTEMPTS", "1", "10", "0", "11"}, Row{"SENTINEL_BREAKER_FAILURES", "1", "1000", "0", "1001"},
        Row{"SENTINEL_BREAKER_SECONDS", "0.001", "86400", "0", "86401"},
        Row{"SENTINEL_DRAIN_SECONDS", "0.5", "86400", "-1", "1e9"},
        Row{"SENTINEL_POOL_CONNECTIONS", "0", "10000", "-1", "10001"},
        Row{"SENTINEL_SOCKET_MODE", "0", "0777", "8", "1000"}}) {
    INFO(row.name);
    CHECK(problems(load({{row.name, row.least}})).empty());
    CHECK(problems(load({{row.name, row.most}})).empty());
    CHECK(problems(load({{row.name, row.below}})).find(row.name) != std::string::npos);
    CHECK(problems(load({{row.name, row.above}})).find(row.name) != std::string::npos);
    CHECK_FALSE(problems(load({{row.name, "x"}})).empty());
    CHECK_FALSE(problems(load({{row.name, ""}})).empty());
  }
}

TEST_CASE("Being ready can't need a Redis that isn't there") {
  CHECK(problems(load({{"SENTINEL_READY_NEEDS_REDIS", "true"}})).find("needs REDIS_URL") != std::string::npos);
  CHECK(problems(load({{"SENTINEL_READY_NEEDS_REDIS", "true"}, {"REDIS_URL", "redis://h"}})).empty());
}

TEST_CASE("Upstreams and models may come in a variable, as YAML") {
  const LoadedSettings loaded =
      load({{"SENTINEL_UPSTREAMS", "[{name: a, url: 'http://h:1/v1', key_env: OPENAI_API_KEY, connect_seconds: 3}]"},
            {"SENTINEL_MODELS", "{fast: [{upstream: a, model: small, weight: 0}], '*': [{upstream: a}]}"}});
  REQUIRE(problems(loaded).empty());
  const UpstreamSettings& upstream = loaded.settings.upstream;
  CHECK(upstream.upstreams[0].times.connect == std::chrono::seconds(3));
  CHECK(upstream.upstreams[0].authorization == Secret("Bearer k"));
  CHECK(upstream.offers.at("fast")[0].model == "small");
  CHECK(upstream.offers.at("fast")[0].weight == 0);
}

TEST_CASE("A list of models allows those") {
  const LoadedSettings loaded = load({{"SENTINEL_MODELS", "[gpt-4o, gpt-4]"}});
  REQUIRE(problems(loaded).empty());
  CHECK(loaded.settings.upstream.offers.size() == 2);
}

TEST_CASE("Mistakes in upstreams and models are named") {
  const auto said = [](Variables variables, const char* what) {
    const std::string all = problems(load(std::move(variables)));
    INFO(all);
    CHECK(all.find(what) != std::string::npos);
  };
  said({{"SENTINEL_UPSTREAMS", "{}"}}, "must be a list of mappings");
  said({{"SENTINEL_UPSTREAMS", "[a]"}}, "each must be a mapping");
  said({{"SENTINEL_UPSTREAMS", "[{url: 'http://h', key_env: OPENAI_API_KEY}]"}}, "name is needed");
  said({{"SENTINEL_UPSTREAMS", "[{name: a, url: h, key_env: OPENAI_API_KEY}]"}}, "not an address");
  said({{"SENTINEL_UPSTREAMS", "[{name: a, url: 'http://h'}]"}}, "exactly one of key_env and key_file");
  said({{"SENTINEL_UPSTREAMS", "[{name: a, url: 'http://h', key_file: /nowhere}]"}}, "/nowhere");
  said({{"SENTINEL_UPSTREAMS", "[{name: a, url: 'http://h', key_env: OPENAI_API_KEY, idle_seconds: x}]"}},
       "idle_seconds");
  said({{"SENTINEL_MODELS", "x"}}, "must be a mapping, or a list");
  said({{"SENTINEL_MODELS", "{a: []}"}}, "must be a list of who answers");
  said({{"SENTINEL_MODELS", "{a: [{upstream: openia}]}"}}, "did you mean 'openai'?");
  said({{"SENTINEL_MODELS", "{a: [{upstream: openai, weight: 1001}]}"}}, "weight must be a whole number up to 1000");
  said({{"SENTINEL_MODELS", "{a: ["}}, "");
}

TEST_CASE("Accepting on command needs somewhere to be commanded") {
  CHECK_FALSE(problems(load({{"SENTINEL_ACCEPT_ON_COMMAND", "true"}})).empty());
  CHECK(problems(load({{"SENTINEL_ACCEPT_ON_COMMAND", "true"}, {"SENTINEL_ADMIN_SOCKET", "/run/a"}})).empty());
  CHECK_FALSE(problems(load({{"SENTINEL_ADMIN_SOCKET", "relative"}})).empty());
  CHECK_FALSE(problems(load({{"SENTINEL_ACCEPT_ON_COMMAND", "yes"}})).empty());
}
