// SPDX-License-Identifier: Apache-2.0
// fail2ban's socket speaks pickle; the answers here were made by Python's pickle.dumps, protocols 2 and 4.
#include "core/checks/pickle.h"

#include <catch2/catch.hpp>

namespace sentinel {
namespace {

std::string bytes(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return out;
}

}  // namespace

TEST_CASE("pickle: what fail2ban answers") {
  CHECK(unpickle(bytes("80024b005804000000706f6e6771008671012e")).value() == nlohmann::json{0, "pong"});
  CHECK(unpickle(bytes("8004950c000000000000004b008c04706f6e679486942e")).value() == nlohmann::json{0, "pong"});
  CHECK(unpickle(bytes("80024b005d710028580e0000004e756d626572206f66206a61696c71014b0186710258090000004a61696c206c69737"
                       "471035804000000737368647104867105658671062e"))
            .value() == nlohmann::json::parse(R"([0, [["Number of jail", 1], ["Jail list", "sshd"]]])"));
  CHECK(unpickle(bytes("80049533000000000000004b005d94288c0e4e756d626572206f66206a61696c944b0186948c094a61696c206c69737"
                       "4948c04737368649486946586942e"))
            .value() == nlohmann::json::parse(R"([0, [["Number of jail", 1], ["Jail list", "sshd"]]])"));
  CHECK(unpickle(bytes("80024b004a805101008671002e")).value() == nlohmann::json{0, 86400});
  CHECK(unpickle(bytes("8004950a000000000000004b004a8051010086942e")).value() == nlohmann::json{0, 86400});
  CHECK(unpickle(bytes("80024b004affffffff8671002e")).value() == nlohmann::json{0, -1});
  CHECK(unpickle(bytes("8004950a000000000000004b004affffffff86942e")).value() == nlohmann::json{0, -1});
  CHECK(unpickle(bytes("80024b005d71005d710128581a0000005f53595354454d445f554e49543d737368642e7365727669636571025801000"
                       "0002b7103580a0000005f434f4d4d3d73736864710465618671052e"))
            .value() == nlohmann::json{0, nlohmann::json::array({{"_SYSTEMD_UNIT=sshd.service", "+", "_COMM=sshd"}})});
  CHECK(unpickle(bytes("8004953a000000000000004b005d945d94288c1a5f53595354454d445f554e49543d737368642e73657276696365948"
                       "c012b948c0a5f434f4d4d3d7373686494656186942e"))
            .value() == nlohmann::json{0, nlohmann::json::array({{"_SYSTEMD_UNIT=sshd.service", "+", "_COMM=sshd"}})});
  CHECK(unpickle(bytes("80024b004e8671002e")).value() == nlohmann::json{0, nullptr});
  CHECK(unpickle(bytes("80049506000000000000004b004e86942e")).value() == nlohmann::json{0, nullptr});
  CHECK(unpickle(bytes("80024b00888671002e")).value() == nlohmann::json{0, true});
  CHECK(unpickle(bytes("80049506000000000000004b008886942e")).value() == nlohmann::json{0, true});
}

TEST_CASE("pickle: a question of words is what Python writes") {
  CHECK(unpickle(pickle_words({"get", "sshd", "bantime"})).value() == nlohmann::json{"get", "sshd", "bantime"});
}

TEST_CASE("pickle: an address is an object that says it is a text; of any other nothing is told") {
  const auto addresses = nlohmann::json::parse(R"([0, ["127.0.0.1", "::1", "x"]])");
  CHECK(unpickle(
            bytes("80024b005d710028635f5f6275696c74696e5f5f0a756e69636f64650a710158090000003132372e302e302e3171028571"
                  "03527104680158030000003a3a3171058571065271075801000000787108658671092e"))
            .value() == addresses);
  CHECK(
      unpickle(bytes("8004953c000000000000004b005d94288c086275696c74696e73948c037374729493948c093132372e302e302e3194859"
                     "4529468038c033a3a3194859452948c0178946586942e"))
          .value() == addresses);
  // (1, ValueError('no')), and (0, [Decimal('1')])
  for (const char* each :
       {"80024b0163657863657074696f6e730a56616c75654572726f720a710058020000006e6f71018571025271038671042e",
        "80049528000000000000004b018c086275696c74696e73948c0a56616c75654572726f729493948c026e6f948594529486942e",
        "80024b005d710063646563696d616c0a446563696d616c0a71015801000000317102857103527104618671052e",
        "80049526000000000000004b005d948c07646563696d616c948c07446563696d616c9493948c013194859452946186942e"}) {
    const auto read = unpickle(bytes(each));
    REQUIRE(read.ok());
    CHECK(read->at(0).is_number());
    CHECK(has_object(*read));
    CHECK(read->dump().find("no") == std::string::npos);
  }
  CHECK_FALSE(has_object(addresses));
}

TEST_CASE("pickle: truncated texts are refused, and so are calls of nothing") {
  for (const char* each : {"80025255", "8002522e", "8002622e", "8004932e", "800263612e", "80024b01622e"})
    CHECK_FALSE(unpickle(bytes(each)).ok());
  const auto whole = bytes("8004950f000000000000004b005d94288c0161944b016586942e");
  for (std::size_t i = 0; i < whole.size(); ++i) CHECK_FALSE(unpickle(std::string_view(whole).substr(0, i)).ok());
}

}  // namespace sentinel
