// SPDX-License-Identifier: Apache-2.0
// ufw's files against what the kernel has of them: what is not loaded, and what no file says.
#include "core/resources/ufw_kernel.h"

#include <catch2/catch.hpp>

namespace sentinel {
namespace {

using Texts = std::vector<std::string>;

UfwFiles files(const std::string& more = "") {
  UfwFiles out;
  out.before = parse_ufw_rules(
                   "*filter\n:ufw-before-input - [0:0]\n:ufw-before-output - [0:0]\n:ufw-before-forward - "
                   "[0:0]\n:ufw-not-local - [0:0]\n"
                   "-A ufw-before-input -i lo -j ACCEPT\n"
                   "-A ufw-before-input -p icmp --icmp-type echo-request -j ACCEPT\n"
                   "-A ufw-before-input -p udp --sport 67 --dport 68 -j ACCEPT\n"
                   "-A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j ufw-logging-deny\n" +
                   more + "COMMIT\n")
                   .value();
  return out;
}

FilterTable kernel(const std::string& more = "") {
  std::string text =
      "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:ufw-before-input - [0:0]\n"
      ":ufw-before-output - [0:0]\n:ufw-before-forward - [0:0]\n:ufw-not-local - [0:0]\n:ufw-user-input - [0:0]\n";
  for (const std::string chain : {"input", "output", "forward"}) text += ":ufw-skip-to-policy-" + chain + " - [0:0]\n";
  text +=
      "-A ufw-before-input -i lo -j ACCEPT\n"
      "-A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT\n"
      "-A ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT\n" +
      more +
      "-A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j ufw-logging-deny\n"
      "-A ufw-skip-to-policy-input -j DROP\n-A ufw-skip-to-policy-output -j ACCEPT\n"
      "-A ufw-skip-to-policy-forward -j DROP\n";
  for (const std::string chain : {"input", "output", "forward"})
    text += "-A ufw-before-" + chain + " -j ufw-user-" + chain + "\n";
  return parse_filter_table(text + "COMMIT\n").value();
}

UfwLoaded compare(const UfwFiles& said, const FilterTable& loaded) {
  auto out = compare_with_kernel(Family::kV4, said, UfwPolicies{}, loaded);
  std::erase_if(out.differences,
                [](const std::string& each) { return each.find("doesn't lead to") != std::string::npos; });
  return out;
}

}  // namespace

TEST_CASE("before.rules as it is loaded differs in nothing") {
  const auto loaded = compare(files(), kernel());
  CHECK(loaded.differences == Texts{});
  CHECK_FALSE(loaded.framework_differs);
  CHECK(loaded.unsaid == Texts{});
}

TEST_CASE("a rule of before.rules that is not loaded is named") {
  for (const std::string rule :
       {"-p tcp --dport 9999 -j ACCEPT", "-s 198.51.100.0/24 -j ACCEPT", "-m set --match-set friends src -j ACCEPT"}) {
    const auto loaded = compare(files("-A ufw-before-input " + rule + "\n"), kernel());
    CHECK(loaded.framework_differs);
    REQUIRE(loaded.differences.size() == 1);
    CHECK(loaded.differences[0] == "IPv4: ufw-before-input lacks " + canonical_rule(rule));
  }
}

TEST_CASE("a rule in another's place is named when its words are the kernel's, and not guessed when they aren't") {
  auto said = files();
  auto& rules = said.before.table.chains["ufw-before-input"].rules;
  rules[2] = "-p tcp --dport 9999 -j ACCEPT";
  auto loaded = compare(said, kernel());
  CHECK(loaded.differences == Texts{"IPv4: ufw-before-input lacks --dport 9999 -j ACCEPT -p tcp"});
  CHECK(loaded.unsaid == Texts{"ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT"});
  for (const char* spelt :
       {"-p tcp --dport ssh -j ACCEPT", "-s gate.example.net -j ACCEPT", "-m time --kerneltz -j ACCEPT"}) {
    rules[2] = spelt;
    loaded = compare(said, kernel());
    INFO(spelt);
    CHECK(loaded.differences == Texts{});
    CHECK_FALSE(loaded.framework_differs);
  }
}

TEST_CASE("a rule of the kernel in ufw's chain that no file says") {
  const auto loaded = compare(files(), kernel("-A ufw-before-input -p tcp -m tcp --dport 9999 -j ACCEPT\n"));
  CHECK(loaded.differences == Texts{});
  CHECK(loaded.unsaid == Texts{"ufw-before-input -p tcp -m tcp --dport 9999 -j ACCEPT"});
}

TEST_CASE("a chain that is empty in the kernel is one difference") {
  auto flushed = kernel();
  flushed.chains["ufw-before-input"].rules.clear();
  CHECK(compare(files(), flushed).differences == Texts{"IPv4: ufw-before-input has 0 of 4 rules"});
  flushed.chains["ufw-skip-to-policy-input"].rules.clear();
  CHECK(compare(files(), flushed).differences.back() == "IPv4: ufw-skip-to-policy-input has 0 of 1 rules");
}

TEST_CASE("a state that was recorded before it had every field is read") {
  nlohmann::json recorded(compare(files(), kernel()));
  recorded.erase("unsaid");
  CHECK(recorded.get<UfwLoaded>().unsaid == Texts{});
}

}  // namespace sentinel
