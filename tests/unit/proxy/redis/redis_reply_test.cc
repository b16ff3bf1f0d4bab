// SPDX-License-Identifier: Apache-2.0
#include "proxy/redis/redis_reply.h"

#include <catch2/catch.hpp>

#include "proxy/redis/redis_address.h"
#include "proxy/redis/redis_client.h"

using namespace sentinel::proxy;
using Kind = RedisReply::Kind;

TEST_CASE("Replies of every kind are read, however they are cut") {
  const std::string bytes =
      "+OK\r\n-ERR no\r\n:-7\r\n$3\r\na\r\n\r\n$-1\r\n*3\r\n:1\r\n*1\r\n$1\r\nx\r\n$-1\r\n*-1\r\n*0\r\n";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    RedisReader reader;
    std::vector<RedisReply> replies;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      reader.feed(std::string_view(bytes).substr(at, piece));
      while (std::optional<RedisReply> reply = reader.next()) replies.push_back(std::move(*reply));
    }
    REQUIRE_FALSE(reader.bad());
    REQUIRE(replies.size() == 8);
    CHECK((replies[0].is(Kind::kStatus) && replies[0].text == "OK"));
    CHECK((replies[1].is(Kind::kError) && replies[1].text == "ERR no"));
    CHECK(replies[2].integer == -7);
    CHECK((replies[3].is(Kind::kString) && replies[3].text == "a\r\n"));
    CHECK(replies[4].is(Kind::kNil));
    REQUIRE(replies[5].elements.size() == 3);
    CHECK(replies[5].elements[1].elements.at(0).text == "x");
    CHECK(replies[5].elements[2].is(Kind::kNil));
    CHECK(replies[6].is(Kind::kNil));
    CHECK((replies[7].is(Kind::kArray) && replies[7].elements.empty()));
  }
}

TEST_CASE("What is no reply, or an array no command of ours brings, is refused without being made room for") {
  for (const char* bytes : {"HTTP/1.1 400\r\n", "*2000000000\r\n", "*1\r\n!\r\n"}) {
    RedisReader reader;
    reader.feed(bytes);
    CHECK_FALSE(reader.next());
    CHECK(reader.bad());
  }
}

TEST_CASE("A command is sent by lengths, so that any byte can stand in a word") {
  CHECK(encode_command({"SET", "a b", "\r\n"}) == "*3\r\n$3\r\nSET\r\n$3\r\na b\r\n$2\r\n\r\n\r\n");
}

TEST_CASE("A script is named by the SHA-1 of its text") {
  CHECK(RedisScript("return 1").digest == "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
}

TEST_CASE("An address of Redis has all its parts, and a wrong one isn't repeated in the error") {
  const RedisAddress plain = parse_redis_url("redis://cache").value();
  CHECK((plain.origin.host == "cache" && plain.origin.port == 6379 && !plain.origin.tls && plain.database == 0 &&
         plain.password.empty()));
  const RedisAddress full = parse_redis_url("redis://me:p%40:s@[::1]:7000/3").value();
  CHECK((full.origin.host == "::1" && full.origin.port == 7000 && full.database == 3 && full.user == "me"));
  const Origin secure = parse_redis_url("rediss://:s@cache:7001").value().origin;
  CHECK((secure.tls && secure.host == "cache" && secure.port == 7001));
  CHECK(full.password.reveal() == "p@:s");
  CHECK(parse_redis_url("redis://:secret@h").value().user.empty());
  const RedisAddress socket = parse_redis_url("unix://me:pw@/run/x/redis.sock?db=2").value();
  CHECK(socket.origin.host == "/run/x/redis.sock");
  CHECK((socket.user == "me" && socket.password.reveal() == "pw" && socket.database == 2));
  CHECK(parse_redis_url("unix:///run/redis.sock").value().origin.host == "/run/redis.sock");
  for (const std::string wrong : {"unix://run/redis.sock", "unix://", "unix:///r?db=x", "unix:///r?x=1"}) {
    CHECK_FALSE(parse_redis_url(wrong).ok());
  }
  CHECK_FALSE(parse_redis_url("unix:///" + std::string(200, 'a')).ok());
  for (const char* wrong : {"http://h", "redis://", "redis://h:0", "rediss://", "redis://h:x", "redis://h/a",
                            "redis://u:%4@h", "redis://user@h", "redis://[::1", "redis://u:secret@ho st"}) {
    const auto result = parse_redis_url(wrong);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == "proxy.redis-url");
    CHECK(result.error().message.find("secret") == std::string::npos);
  }
}
