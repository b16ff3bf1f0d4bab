// SPDX-License-Identifier: Apache-2.0
// Holes are filled with quoted values; what goes wrong never tells a value.
#include "core/resources/fill.h"

#include <map>

#include <catch2/catch.hpp>

#include "core/base/digest.h"
#include "core/resources/look.h"

namespace sentinel {
namespace {

SecretLookup lookup(const std::map<std::string, Secret>& values) {
  return [&values](const std::string& name) -> const Secret* {
    const auto found = values.find(name);
    return found == values.end() ? nullptr : &found->second;
  };
}

}  // namespace

TEST_CASE("holes are filled in order, each through its filters") {
  const std::map<std::string, Secret> values{{"a", Secret("it's")}, {"b", Secret("x")}};
  Content content("A=");
  content.append(Hole{"a", {"shell"}});
  content.append("\nB=");
  content.append(Hole{"b", {"b64encode", "yaml"}});
  content.append(Hole{"b", {}});
  const auto filled = fill(content, lookup(values));
  REQUIRE(filled.ok());
  CHECK(filled->reveal() == "A='it'\\''s'\nB=\"eA==\"x");
  CHECK(fill(Content("plain"), lookup({}))->reveal() == "plain");
  CHECK(fill(Content(), lookup({}))->reveal().empty());
}

TEST_CASE("a value that a filter can't express is an error that doesn't show it") {
  const std::map<std::string, Secret> values{{"a", Secret("planted\nvalue")}};
  Content content;
  content.append(Hole{"a", {"ini"}});
  const auto filled = fill(content, lookup(values));
  REQUIRE_FALSE(filled.ok());
  CHECK(filled.error().code == "secret.not-quotable");
  CHECK(filled.error().message.find("planted") == std::string::npos);
  CHECK(filled.error().message.find("'a'") != std::string::npos);
}

TEST_CASE("secrets without a value are named once each") {
  const std::map<std::string, Secret> values{{"here", Secret("")}};
  Content content;
  for (const char* name : {"z", "here", "a", "z"}) content.append(Hole{name, {}});
  const auto secrets = lookup(values);
  CHECK(secrets_without_value(content, secrets) == std::vector<std::string>{"z", "a"});
  CHECK(fill(content, secrets).error().code == "secret.no-value");
}

TEST_CASE("a sensitive name depends on the key and is the same by bytes and by digest") {
  const Secret key("k1");
  CHECK(sensitive_name(key, "bytes") == sensitive_name_of_digest(key, sha256_hex("bytes")));
  CHECK(sensitive_name(key, "bytes") != sensitive_name(Secret("k2"), "bytes"));
  CHECK(is_sensitive_name(sensitive_name(key, "bytes")));
  CHECK_FALSE(is_sensitive_name(sha256_hex("bytes")));
}

}  // namespace sentinel
