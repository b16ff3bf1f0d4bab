// SPDX-License-Identifier: Apache-2.0
// What each scalar type accepts and refuses, and what its reader makes of it.
#include "core/config/scalar_types.h"

#include <catch2/catch.hpp>

using namespace sentinel;

namespace {

bool accepts(const char* type, const std::string& yaml) {
  const auto node = parse_yaml("v: " + yaml, "test.yaml");
  REQUIRE(node.ok());
  return find_scalar_type(type)->accepts(*node->find("v"));
}

struct Case {
  const char* type;
  std::vector<std::string> good;
  std::vector<std::string> bad;
};

}  // namespace

TEST_CASE("scalar types accept what they should and nothing else") {
  const std::vector<Case> cases{
      {"bool", {"true", "false"}, {"yes", "\"true\"", "1", "~", "[]"}},
      {"int", {"0", "-3"}, {"1.0", "\"1\"", "x", "0x10", "~"}},
      {"mode", {"0644", "\"0644\"", "644", "1777", "\"0000\""}, {"0999", "64", "06444", "rw-r--r--", "-644", "4.5"}},
      {"path",
       {"/", "/etc/motd", "\"/with space\""},
       {"etc", "/etc/", "/etc//x", "/etc/../x", "/etc/./x", "\"/a\\nb\"", "~/x"}},
      {"relative_path", {"a", "a/b.conf"}, {"/a", "a/../b", "../a", "a//b", "\"\""}},
      {"duration", {"0s", "300s", "5m", "24h", "15d"}, {"300", "5 m", "1w", "s", "-1s", "1.5h", "99999999999s"}},
      {"size", {"256mb", "1gb", "512kb", "10b"}, {"256", "mb", "1tb", "-1mb", "99999999999999gb"}},
      {"port", {"1", "22", "65535", "\"22\""}, {"0", "65536", "ssh", "22/tcp", "-1"}},
      {"port_spec",
       {"22", "22/tcp", "53/any", "6000:6007/udp"},
       {"22/ssh", "0/tcp", "6007:6000/tcp", "6000:6007/any", "/tcp", "1:2:3/tcp"}},
      {"address",
       {"203.0.113.1", "2001:db8::1", "host", "a.example.com", "xn--bcher-kva.example.com"},
       {"203.0.113", "a..b", "-a", "a-", "\"a b\"", "http://a", "user@a", "\"\"", "999"}},
      {"network", {"192.0.2.0/24", "2001:db8::/32", "192.0.2.1"}, {"192.0.2.0/33", "any", "host", "192.0.2.0/"}},
      {"source_network", {"any", "192.0.2.0/24"}, {"all", "host"}},
      {"percent", {"0%", "1%", "100%"}, {"1", "101%", "\"%\"", "1.5%"}},
      {"date", {"2027-01-31", "2028-02-29"}, {"2027-02-29", "2027-13-01", "2027-1-1", "31.1.2027", "2027-00-10"}},
      {"user_name",
       {"root", "_apt", "a-b", "u1"},
       {"Root", "1a", "a b", "\"\"", "a.b", "-a", "aaaaaaaaaabbbbbbbbbbccccccccccddd"}},
      {"owner", {"root", "0", "1000"}, {"-1", "4294967296", "a b"}},
      {"name", {"web-1", "prod.eu", "a"}, {"-a", "a/b", "\"\"", "\"a b\"", ".a"}},
      {"file_name", {"60-deploy", "a.conf", "getty@tty1.service"}, {"a/b", "..", ".hidden", "-x", "\"\""}},
      {"unit", {"caddy.service", "getty@tty1.service", "app.slice"}, {"caddy", "a/b.service", ".service"}},
      {"variable", {"a", "_x", "A1"}, {"1a", "a-b", "a.b", "\"\""}},
      {"sysctl_key", {"net.ipv4.ip_forward", "net/ipv4/conf/eth0.1/rp_filter"}, {"swappiness", "a b.c", "\"\""}},
      {"host_key", {"ssh-ed25519 AAAA", "ecdsa-sha2-nistp256 AAAA me"}, {"AAAA", "SHA256:x", "ssh-ed25519"}},
      {"string", {"a", "1", "true", "\"\""}, {"~", "[]", "\"a\\nb\""}},
      {"text", {"a", "\"a\\nb\""}, {"~", "{}"}}};
  for (const auto& test : cases) {
    REQUIRE(find_scalar_type(test.type) != nullptr);
    for (const auto& text : test.good) {
      INFO(test.type << " should accept " << text);
      CHECK(accepts(test.type, text));
    }
    for (const auto& text : test.bad) {
      INFO(test.type << " should refuse " << text);
      CHECK_FALSE(accepts(test.type, text));
    }
  }
}

TEST_CASE("readers: octal modes, seconds, bytes and ports") {
  CHECK(parse_mode("0644").value() == 0644);
  CHECK(parse_mode("644").value() == 0644);
  CHECK(parse_mode("1777").value() == 01777);
  CHECK(parse_duration("90s").value() == 90);
  CHECK(parse_duration("15d").value() == 15U * 86400);
  CHECK(parse_size("256mb").value() == 256ULL << 20);
  CHECK(parse_size("10b").value() == 10);
  CHECK(parse_port_spec("443")->protocol == "tcp");
  CHECK(parse_port_spec("6000:6007/udp")->port == "6000:6007");
}

TEST_CASE("every scalar type has words for people, and those for editors have a pattern or a JSON type") {
  for (const auto& name : scalar_type_names()) {
    INFO(name);
    CHECK_FALSE(find_scalar_type(name)->expected.empty());
    if (name != "any") CHECK_FALSE(find_scalar_type(name)->json_type.empty());
  }
}
