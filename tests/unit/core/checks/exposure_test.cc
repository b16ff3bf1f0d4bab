// SPDX-License-Identifier: Apache-2.0
// The prediction on rule sets small enough to be judged by reading; tests/e2e/exposure_test.py holds it against real
// hosts.
#include "core/checks/exposure.h"

#include <algorithm>

#include <catch2/catch.hpp>

using namespace sentinel;

namespace {

SavedTables saved(const std::string& text) {
  auto tables = parse_saved_tables(text);
  REQUIRE(tables.ok());
  return *tables;
}

const std::string kDropInput = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n";

/// A host at 203.0.113.7 and 2001:db8:7::7 with a container network, and these sockets.
NetworkSetup host(std::vector<ListeningSocket> sockets) {
  NetworkSetup setup;
  setup.interfaces = {{"lo", {"127.0.0.1/8", "::1/128"}, false},
                      {"eth0", {"203.0.113.7/24", "2001:db8:7::7/64", "fe80::1/64"}, true},
                      {"docker0", {"172.17.0.1/16"}, false}};
  setup.sockets = std::move(sockets);
  setup.v4.forwards = true;
  return setup;
}

ListeningSocket tcp(const std::string& address, std::uint16_t port) {
  return {"tcp", address, port, std::nullopt, "server"};
}

NetworkSetup filtered(const std::string& v4_rules, std::vector<ListeningSocket> sockets) {
  auto setup = host(std::move(sockets));
  setup.v4.backends = {saved(v4_rules)};
  setup.v6.backends = {saved(kDropInput + "COMMIT\n")};
  return setup;
}

/// "IPv4 tcp 22 anywhere", for reading.
std::vector<std::string> shown(const std::vector<Reach>& reaches) {
  std::vector<std::string> out;
  for (const auto& reach : reaches) {
    std::string text = reach.family + " " + reach.protocol + " " + std::to_string(reach.port);
    for (const auto& source : reach.sources) text += " " + source;
    for (const auto& source : reach.except) text += " !" + source;
    if (!reach.answered) text += " unanswered";
    if (!reach.unclear.empty()) text += " unclear";
    out.push_back(text);
  }
  return out;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("without a filter every socket on an outside address is reachable, and only those") {
  const auto reach = predict_exposure(host({tcp("0.0.0.0", 80), tcp("::", 22), tcp("127.0.0.1", 6379), tcp("::1", 9090),
                                            tcp("172.17.0.1", 53), tcp("203.0.113.7", 8443)}));
  CHECK(shown(reach) ==
        Texts{"IPv4 tcp 22 anywhere", "IPv4 tcp 80 anywhere", "IPv4 tcp 8443 anywhere", "IPv6 tcp 22 anywhere"});
  CHECK(reach.front().owner == "server");
  CHECK(reach.front().addresses == Texts{"203.0.113.7"});
  CHECK(reach.front().leads_to == ":::22");
}

TEST_CASE("a socket on :: that leaves IPv4 out isn't reachable by it") {
  auto socket = tcp("::", 80);
  socket.v6_only = true;
  CHECK(shown(predict_exposure(host({socket}))) == Texts{"IPv6 tcp 80 anywhere"});
}

TEST_CASE("a policy of DROP leaves what rules accept, by anyone or by the prefixes they name") {
  const auto setup = filtered(
      kDropInput +
          ":user - [0:0]\n"
          "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
          "-A INPUT -m conntrack --ctstate INVALID -j DROP\n"
          "-A INPUT -j user\n"
          "-A user -p tcp -m tcp --dport 443 -j ACCEPT\n"
          "-A user -s 198.18.0.0/15 -p tcp -m multiport --dports 22,5000:5010 -j ACCEPT\n"
          "-A user -s 192.0.2.66/32 -p tcp -m tcp --dport 80 -j DROP\n"
          "-A user -p tcp -m tcp --dport 80 -j ACCEPT\n"
          "COMMIT\n",
      {tcp("0.0.0.0", 22), tcp("0.0.0.0", 80), tcp("0.0.0.0", 443), tcp("0.0.0.0", 5005), tcp("0.0.0.0", 9100)});
  const auto reach = predict_exposure(setup);
  CHECK(shown(reach) == Texts{"IPv4 tcp 22 198.18.0.0/15", "IPv4 tcp 80 anywhere !192.0.2.66", "IPv4 tcp 443 anywhere",
                              "IPv4 tcp 5005 198.18.0.0/15"});
  CHECK(reach[2].why == "user: -p tcp -m tcp --dport 443 -j ACCEPT");
}

TEST_CASE("nested prefixes are different senders") {
  const auto setup = filtered(kDropInput +
                                  "-A INPUT -s 10.0.0.0/16 -p tcp -m tcp --dport 22 -j DROP\n"
                                  "-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT\n"
                                  "COMMIT\n",
                              {tcp("0.0.0.0", 22)});
  CHECK(shown(predict_exposure(setup)) == Texts{"IPv4 tcp 22 10.0.0.0/8 !10.0.0.0/16"});
}

TEST_CASE("a published container port is reachable past the host's own input rules") {
  const std::string docker =
      "*nat\n:PREROUTING ACCEPT [0:0]\n:DOCKER - [0:0]\n"
      "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
      "-A DOCKER -i docker0 -j RETURN\n"
      "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80\n"
      "-A DOCKER -d 127.0.0.1/32 ! -i docker0 -p tcp -m tcp --dport 6379 -j DNAT --to-destination 172.17.0.3:6379\n"
      "COMMIT\n" +
      kDropInput +
      ":DOCKER - [0:0]\n:DOCKER-USER - [0:0]\n"
      "-A FORWARD -j DOCKER-USER\n"
      "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
      "-A FORWARD -o docker0 -j DOCKER\n"
      "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT\n"
      "-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT\n"
      "-A DOCKER -d 172.17.0.3/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 6379 -j ACCEPT\n"
      "-A DOCKER-USER -j RETURN\nCOMMIT\n";
  auto setup = filtered(docker, {tcp("127.0.0.1", 6379)});
  setup.containers = {{"172.17.0.2", "web"}};
  const auto reach = predict_exposure(setup);
  REQUIRE(shown(reach) == Texts{"IPv4 tcp 8080 anywhere"});
  CHECK(reach[0].translated);
  CHECK(reach[0].owner == "web");
  CHECK(reach[0].leads_to == "172.17.0.2:80");

  SECTION("unless DOCKER-USER drops it") {
    auto closed = docker;
    closed.replace(closed.find("-A DOCKER-USER -j RETURN"), 24,
                   "-A DOCKER-USER -i eth0 -m conntrack --ctorigdstport 8080 -j DROP");
    CHECK(predict_exposure(filtered(closed, {})).empty());
  }
  SECTION("or the host doesn't forward") {
    setup.v4.forwards = false;
    CHECK(predict_exposure(setup).empty());
  }
}

TEST_CASE("a redirected port is reachable where its target listens") {
  const auto rules =
      "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 443 -j REDIRECT --to-ports 8443\nCOMMIT\n" +
      kDropInput + "-A INPUT -p tcp -m tcp --dport 8443 -m conntrack --ctstate DNAT -j ACCEPT\nCOMMIT\n";
  CHECK(shown(predict_exposure(filtered(rules, {tcp("0.0.0.0", 8443)}))) == Texts{"IPv4 tcp 443 anywhere"});
}

TEST_CASE("a translation to loopback needs route_localnet") {
  const auto rules =
      "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 6379 -j DNAT --to-destination "
      "127.0.0.1\nCOMMIT\n";
  auto setup = filtered(rules, {tcp("127.0.0.1", 6379)});
  CHECK(predict_exposure(setup).empty());
  setup.routes_localnet = true;
  CHECK(shown(predict_exposure(setup)) == Texts{"IPv4 tcp 6379 anywhere"});
}

TEST_CASE("ufw's limit is an open door for who comes first") {
  const auto rules = kDropInput +
                     ":limit - [0:0]\n:limit-accept - [0:0]\n"
                     "-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name DEFAULT "
                     "--mask 255.255.255.255 --rsource\n"
                     "-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 30 "
                     "--hitcount 6 --name DEFAULT "
                     "--mask 255.255.255.255 --rsource -j limit\n"
                     "-A INPUT -p tcp -m tcp --dport 22 -j limit-accept\n"
                     "-A limit -m limit --limit 3/min -j LOG --log-prefix \"[UFW LIMIT BLOCK] \"\n"
                     "-A limit -j REJECT --reject-with icmp-port-unreachable\n"
                     "-A limit-accept -j ACCEPT\nCOMMIT\n";
  CHECK(shown(predict_exposure(filtered(rules, {tcp("0.0.0.0", 22)}))) == Texts{"IPv4 tcp 22 anywhere"});
}

TEST_CASE("when answers are dropped on their way out the door says so") {
  const std::string rules = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\nCOMMIT\n";
  CHECK(shown(predict_exposure(filtered(rules, {tcp("0.0.0.0", 22)}))) == Texts{"IPv4 tcp 22 anywhere unanswered"});
}

TEST_CASE("both back ends are asked, and one that drops is enough") {
  auto setup = filtered("*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n",
                        {tcp("0.0.0.0", 22), tcp("0.0.0.0", 80)});
  setup.v4.backends.push_back(
      saved("*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 80 -j DROP\nCOMMIT\n"));
  CHECK(shown(predict_exposure(setup)) == Texts{"IPv4 tcp 22 anywhere"});
}

TEST_CASE("what can't be told is said, and counts as open") {
  const auto rules = kDropInput + "-A INPUT -p tcp --dport 22 -m set --match-set office src -j ACCEPT\nCOMMIT\n";
  const auto reach = predict_exposure(filtered(rules, {tcp("0.0.0.0", 22), tcp("0.0.0.0", 80)}));
  REQUIRE(shown(reach) == Texts{"IPv4 tcp 22 anywhere unclear"});
  CHECK(reach[0].unclear == Texts{"INPUT: -p tcp --dport 22 -m set --match-set office src -j ACCEPT"});
}

TEST_CASE("a sender may choose its source port") {
  const auto rules = kDropInput + "-A INPUT -p tcp -m tcp --sport 53 -j ACCEPT\nCOMMIT\n";
  CHECK(shown(predict_exposure(filtered(rules, {tcp("0.0.0.0", 6379)}))) == Texts{"IPv4 tcp 6379 anywhere"});
}

TEST_CASE("single rules, asked about one packet") {
  Packet packet;
  packet.protocol = "tcp";
  packet.source = *Prefix::parse("198.51.100.1");
  packet.destination = *Prefix::parse("203.0.113.7");
  packet.source_port = 40000;
  packet.destination_port = 80;
  packet.in = "eth0";
  packet.destination_is_local = true;
  const auto answer = [&](const char* rule) { return read_packet_rule(rule).matches(packet); };
  CHECK(answer("-j ACCEPT") == Match::kYes);
  CHECK(answer("! -i lo -j ACCEPT") == Match::kYes);
  CHECK(answer("-i eth+ -j ACCEPT") == Match::kYes);
  CHECK(answer("-i lo -j ACCEPT") == Match::kNo);
  CHECK(answer("-p udp -j ACCEPT") == Match::kNo);
  CHECK(answer("! -s 198.51.100.0/24 -j ACCEPT") == Match::kNo);
  CHECK(answer("-p tcp -m tcp ! --dport 80 -j DROP") == Match::kNo);
  CHECK(answer("-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT") == Match::kYes);
  CHECK(answer("-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -j DROP") == Match::kNo);
  CHECK(answer("-m conntrack ! --ctstate NEW -j ACCEPT") == Match::kNo);
  CHECK(answer("-m addrtype --dst-type LOCAL -j RETURN") == Match::kYes);
  CHECK(answer("-m addrtype --dst-type MULTICAST -j RETURN") == Match::kNo);
  CHECK(answer("-m iprange --src-range 198.51.100.0-198.51.100.9 -j DROP") == Match::kYes);
  CHECK(answer("-m iprange --src-range 198.51.100.2-198.51.100.9 -j DROP") == Match::kNo);
  CHECK(answer("-m rt --rt-type 0 -j DROP") == Match::kNo);
  CHECK(answer("-m rpfilter --invert -j DROP") == Match::kNo);
  CHECK(answer("-m mark --mark 0x1 -j ACCEPT") == Match::kMaybe);
  CHECK(answer("-m comment --comment \"-p udp -j DROP\" -j ACCEPT") == Match::kYes);
  CHECK(answer("-m connlimit --connlimit-above 20 -j DROP") == Match::kNo);
  CHECK(read_packet_rule("-m comment --comment \"-j DROP\" -j ACCEPT").target == "ACCEPT");
  CHECK(read_packet_rule("-g other").goes_to);
}
