// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/name_resolver.h"

#include <poll.h>

#include <atomic>

#include <catch2/catch.hpp>

using namespace sentinel::proxy;

namespace {

using boost::asio::ip::make_address;

std::atomic<int> asked{0};

Addresses answer(const std::string& host) {
  ++asked;
  if (host == "nowhere") return {};
  return {make_address("::1"), make_address("::2"), make_address("127.0.0.1"), make_address("127.0.0.2")};
}

void wait_for(const NameResolver::Lookup& lookup) {
  pollfd waiting{lookup.ready.get(), POLLIN, 0};
  REQUIRE(poll(&waiting, 1, 10'000) == 1);
}

}  // namespace

TEST_CASE("A name is asked for once, and its families come in turn") {
  asked = 0;
  NameResolver resolver(&answer);
  CHECK(resolver.known("host").empty());
  const auto first = resolver.look_up("host");
  const auto second = resolver.look_up("host");
  wait_for(first);
  wait_for(second);
  const Addresses known = resolver.known("host");
  REQUIRE(known.size() == 4);
  CHECK(known[0].to_string() == "::1");
  CHECK(known[1].to_string() == "127.0.0.1");
  CHECK(asked == 1);
}

TEST_CASE("The address that worked comes first, also after another lookup") {
  NameResolver resolver(&answer);
  wait_for(resolver.look_up("host"));
  resolver.prefer("host", make_address("127.0.0.2"));
  CHECK(resolver.known("host").front().to_string() == "127.0.0.2");
  wait_for(resolver.look_up("host"));
  CHECK(resolver.known("host").front().to_string() == "127.0.0.2");
}

TEST_CASE("A name without addresses ends the wait, and is asked for again") {
  asked = 0;
  NameResolver resolver(&answer);
  wait_for(resolver.look_up("nowhere"));
  CHECK(resolver.known("nowhere").empty());
  wait_for(resolver.look_up("nowhere"));
  CHECK(asked == 2);
}
