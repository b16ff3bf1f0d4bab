// SPDX-License-Identifier: Apache-2.0
// Every model value survives a round trip through its JSON, and malformed JSON is an error, never a crash.
#include <catch2/catch.hpp>

#include "core/model/json.h"

namespace sentinel {
namespace {

template <typename T>
void round_trip(const T& value) {
  const auto parsed = parse_json(to_text(nlohmann::json(value)));
  REQUIRE(parsed.ok());
  const auto back = decode<T>(*parsed);
  REQUIRE(back.ok());
  CHECK(*back == value);
}

std::vector<ResourceBody> one_of_each_kind() {
  return {File{"/etc/motd", {"ab", true, 3}, "root", "adm", 0640, Ensure::kAbsent, FileFormat::kCaddyfile},
          SshdConfig{"/etc/ssh/sshd_config.d/00-sentinel.conf", {"cd", false, 9}, {{"permitrootlogin", "no"}}},
          Directory{"/opt/app", "app", "app", 0750, Ensure::kPresent},
          Link{"/opt/app/current", "releases/1", Ensure::kPresent},
          Package{{"ufw", "fail2ban"}, Ensure::kPresent},
          AptSource{"docker", {"ef", false, 1}, "deb ...", Ensure::kPresent},
          User{"deploy", 1500, "deploy", {"sudo"}, "/home/deploy", "/bin/bash", "c", false, Ensure::kPresent, {"adm"}},
          Group{"app", std::nullopt, true, Ensure::kPresent},
          AuthorizedKeys{"deploy", {"ssh-ed25519 AAAA x"}, true},
          Sysctl{"/etc/sysctl.d/60-sentinel.conf", {{"net.ipv4.tcp_syncookies", "1"}}, Ensure::kPresent},
          Service{"caddy.service", true, std::nullopt, false, {"/etc/caddy"}},
          Firewall{true, "deny", "allow", "deny", "low", true, {{"allow", "22", "tcp", "any", "ssh"}}},
          Command{{"true"}, "/x", {"test", "-e", "/x"}, false, {"rm", "/x"}, 5}};
}

}  // namespace

TEST_CASE("every resource kind survives a JSON round trip") {
  const auto bodies = one_of_each_kind();
  REQUIRE(bodies.size() == std::variant_size_v<ResourceBody>);
  for (const auto& body : bodies) {
    round_trip(Resource{"role/x", "title", body, {{Effect::Kind::kReload, "caddy.service"}}, "a.yaml:3"});
  }
}

TEST_CASE("a plan with every action survives a JSON round trip") {
  const std::vector<Action> actions{WriteFile{"/a", {"d", false, 1}, "root", "root", 0600},
                                    RemoveFile{"/a"},
                                    MakeDirectory{"/d", "root", "root", 0700},
                                    RemoveDirectory{"/d"},
                                    MakeLink{"/l", "t"},
                                    SetAttributes{"/a", "x", "y", 0640},
                                    RunCommand{{"true"}, 3, true},
                                    InstallPackages{{"a"}},
                                    RemovePackages{{"b"}},
                                    PurgePackagesAddedSince{"snap"},
                                    SetKernelParameter{"net.x", "1"},
                                    RestoreFirewall{"snap"}};
  REQUIRE(actions.size() == std::variant_size_v<Action>);
  Plan plan{"web-1", "digest", {}, 7};
  plan.steps.push_back({"r/a", "file", "t", Risk::kLockout, {{"mode", "0644", "0600", false}}, actions, actions,
                        {{Effect::Kind::kDaemonReload, ""}}});
  plan.steps.push_back({"r/b", "command", "t", Risk::kIrreversible, {}, {}, Irreversible{"no undo"}, {}});
  round_trip(plan);
}

TEST_CASE("requests, facts, events and errors survive a JSON round trip") {
  Request request;
  request.host = "web-1";
  request.resources.push_back({"a", "b", File{}, {}, ""});
  request.secrets.push_back({"JWT", true, "base64", 48});
  round_trip(request);
  Facts facts;
  facts.os_id = "debian";
  facts.addresses = {"203.0.113.10"};
  round_trip(facts);
  Event event;
  event.type = Event::Type::kResult;
  event.errors.push_back(Error("x.y", "m", "h", ExitCode::kStuck).at({"f", 1, 2, 3, "abc"}).during("doing"));
  round_trip(event);
}

TEST_CASE("malformed JSON is an error with a code") {
  CHECK(parse_json("{").error().code == "json.syntax");
  CHECK(parse_json(R"({"a":1,"a":2})").error().code == "json.duplicate-key");
  CHECK(parse_json(std::string(200, '[') + std::string(200, ']')).error().code == "json.too-deep");
  CHECK(decode<ResourceBody>(*parse_json(R"({"nonsense":{}})")).error().code == "json.shape");
  CHECK(decode<ResourceBody>(*parse_json(R"({"file":{"path":1}})")).error().code == "json.shape");
  CHECK(decode<Effect>(*parse_json(R"("explode caddy")")).error().code == "json.shape");
}

TEST_CASE("a content with holes is parsed back to the same pieces and never shows a value") {
  Content content("password ");
  content.append(Hole{"REDIS_PASSWORD", {"shell"}});
  content.append(std::string("\n"));
  const auto back = Content::parse(content.serialize(), true);
  REQUIRE(back.ok());
  CHECK(*back == content);
  CHECK(content.display() == "password [secret REDIS_PASSWORD]\n");
  CHECK(Content::parse("{}", true).error().code == "content.malformed");
  CHECK(Content::parse("[1]", true).error().code == "content.malformed");
}

}  // namespace sentinel
