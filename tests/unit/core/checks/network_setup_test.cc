// SPDX-License-Identifier: Apache-2.0
// Readings of /proc/net, on lines as a kernel writes them.
#include "core/checks/network_setup.h"

#include <catch2/catch.hpp>

#include "core/checks/sockets.h"

using namespace sentinel;

namespace {

const char* kRoute =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    "eth0\t00000000\t017100CB\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    "eth0\t007100CB\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";

const char* kTrie =
    "Main:\n"
    "  +-- 0.0.0.0/0 3 0 5\n"
    "     |-- 0.0.0.0\n"
    "        /0 universe UNICAST\n"
    "     |-- 127.0.0.1\n"
    "        /32 host LOCAL\n"
    "     |-- 172.17.0.1\n"
    "        /32 host LOCAL\n"
    "     |-- 203.0.113.0\n"
    "        /24 link UNICAST\n"
    "     |-- 203.0.113.7\n"
    "        /32 host LOCAL\n"
    "     |-- 203.0.113.255\n"
    "        /32 link BROADCAST\n"
    "     |-- 192.0.2.99\n"
    "        /32 host LOCAL\n";

const char* kTcp =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1059 1 0000 100 0 0 10 "
    "0\n"
    "   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1060 1 0000 100 0 0 10 "
    "0\n"
    "   2: 077100CB:0016 0A7100CB:DEC0 01 00000000:00000000 03:000000D0 00000000     0        0 1061 3 0000\n";

}  // namespace

TEST_CASE("IPv4 addresses find their interfaces by the networks these are in") {
  std::vector<NetworkInterface> interfaces;
  REQUIRE(add_v4_addresses(kTrie, kRoute, interfaces).ok());
  CHECK(interfaces == std::vector<NetworkInterface>{{"lo", {"127.0.0.1/8"}, false},
                                                    {"docker0", {"172.17.0.1/16"}, false},
                                                    {"eth0", {"192.0.2.99/32", "203.0.113.7/24"}, false}});
}

TEST_CASE("IPv6 addresses name their interfaces") {
  std::vector<NetworkInterface> interfaces;
  REQUIRE(add_v6_addresses("20010db8000700000000000000000007 02 40 00 80     eth0\n", interfaces).ok());
  CHECK(interfaces == std::vector<NetworkInterface>{{"eth0", {"2001:db8:7::7/64"}, false}});
  CHECK(add_v6_addresses("not a line\n", interfaces).error().code == "network.malformed");
}

TEST_CASE("default routes of either family make an interface one of the world's") {
  const std::string zeros(32, '0');
  const auto v6 = zeros + " 00 " + zeros +
                  " 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth1\n" +  //
                  zeros + " 00 " + zeros + " 00 " + zeros + " ffffffff 00000001 00000000 00200200       lo\n";
  CHECK(default_interfaces(kRoute, v6) == std::vector<std::string>{"eth0", "eth1"});
}

TEST_CASE("only sockets that wait are listed") {
  const auto tcp = parse_socket_table(kTcp, false);
  REQUIRE(tcp.ok());
  CHECK(*tcp == std::vector<SocketEntry>{{"127.0.0.1", 6379, 1059}, {"0.0.0.0", 22, 1060}});
  const auto v6 = parse_socket_table(
      "heading\n   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 77 "
      "1\n"
      "   1: B80D0120000007000000000007000000:01BB 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 78 1\n",
      false);
  REQUIRE(v6.ok());
  CHECK(*v6 == std::vector<SocketEntry>{{"::", 80, 77}, {"2001:db8:7::7", 443, 78}});
  CHECK(parse_socket_table("heading\ngarbage\n", false).error().code == "network.malformed");
}

TEST_CASE("ss tells which sockets on :: serve IPv4 too") {
  const auto dual = parse_dual_stack(
      "tcp   LISTEN 0      4096         *:80         *:*\n"
      "tcp   LISTEN 0      128       [::]:22      [::]:*\n"
      "udp   UNCONN 0      0            *:443        *:*\n");
  CHECK(dual.tcp == std::vector<std::uint16_t>{80});
  CHECK(dual.udp == std::vector<std::uint16_t>{443});
}
