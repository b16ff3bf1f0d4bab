// SPDX-License-Identifier: Apache-2.0
// A bundle comes back as it was, and one flipped bit anywhere is found and its record named.
#include "core/audit/bundle.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "core/base/digest.h"
#include "tests/unit/core/audit/sample.h"

namespace sentinel {
namespace {

EvidenceBundle sample_bundle() {
  HostEvidence host;
  host.host = "web-1";
  host.asked_at = "2026-11-26T10:00:00.000Z";
  host.duration_ms = 657;
  host.controls = {control_of("000-02"), control_of("000-03", "Firewall")};
  host.waivers = {{"000-03", "", "ops", "moving", "2027-01-31"}};
  host.history = {{"2026-11-25T10:00:00.000Z", "vps", {{"Access", 1, 2}}, {{"000-02", Verdict::kFail}}}};
  host.record.host = "web-1";
  host.record.taken_at = "2026-11-26T10:00:01.000Z";
  host.record.pending = {{"ssh/drop-in", {"content"}}};
  host.record.observations = {
      {"sshd.effective", observation_of("sshd.effective", {{"port", 22}, {"ratio", 0.1}, {"text", "a\nb"}})},
      {"units", {"units", "systemctl", nullptr, Error("probe.timeout", "no answer"), 9}}};
  HostEvidence missing;
  missing.host = "web-2";
  missing.errors = {Error("ssh.timeout", "no answer", "is it up?", ExitCode::kUnreachable)};
  return {"0.1.0", "demo", "vps", "2026-11-26T10:00:00.000Z", {host, missing}};
}

// Records before the byte.
std::size_t record_at(const std::string& text, std::size_t byte) {
  return static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(byte), '\n'));
}

}  // namespace

TEST_CASE("A bundle comes back as it was") {
  const EvidenceBundle bundle = sample_bundle();
  const std::string text = evidence_text(bundle);
  const auto back = read_evidence(text);
  REQUIRE(back.ok());
  CHECK(*back == bundle);
  CHECK(evidence_text(*back) == text);
  const std::string last = text.substr(text.rfind('\n', text.size() - 2) + 1);
  CHECK(evidence_head(text) == sha256_hex(last.substr(65, last.size() - 66)));
}

TEST_CASE("One flipped bit is found, wherever it is, and its record named") {
  const std::string whole = evidence_text(sample_bundle());
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    const std::size_t byte = bit / 8;
    std::string text = whole;
    text[byte] = static_cast<char>(text[byte] ^ (1 << (bit % 8)));
    const auto back = read_evidence(text);
    REQUIRE_FALSE(back.ok());
    INFO("byte " << byte << ", bit " << bit % 8 << ": " << back.error().message);
    CHECK(back.error().code == "evidence.damaged");
    CHECK(back.error().message.starts_with("record " + std::to_string(record_at(whole, byte)) + " "));
  }
}

TEST_CASE("The record says what it is of") {
  std::string text = evidence_text(sample_bundle());
  text.replace(text.find("0.1,"), 4, "0.2,");
  const auto back = read_evidence(text);
  REQUIRE_FALSE(back.ok());
  CHECK(back.error().message.find("(observation \"sshd.effective\" of web-1)") != std::string::npos);
}

TEST_CASE("A record that was replaced with a good digest, moved or taken out breaks the chain") {
  const std::string whole = evidence_text(sample_bundle());
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < whole.size();) {
    const std::size_t end = whole.find('\n', begin);
    lines.push_back(whole.substr(begin, end - begin));
    begin = end + 1;
  }
  const auto joined = [](const std::vector<std::string>& list) {
    std::string out;
    for (const auto& line : list) out += line + "\n";
    return out;
  };
  REQUIRE(joined(lines) == whole);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto shorter = lines;
    shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK_FALSE(read_evidence(joined(shorter)).ok());
  }
  auto swapped = lines;
  std::swap(swapped[2], swapped[3]);
  CHECK_FALSE(read_evidence(joined(swapped)).ok());

  auto forged = lines;
  std::string json = forged[1].substr(65);
  json.replace(json.find("moving"), 6, "MOVING");
  forged[1] = sha256_hex(json) + " " + json;
  const auto back = read_evidence(joined(forged));
  REQUIRE_FALSE(back.ok());
  CHECK(back.error().message.starts_with("record 2 "));
}

TEST_CASE("What is no bundle is refused with a reason") {
  CHECK(read_evidence("").error().code == "evidence.unreadable");
  CHECK(read_evidence("hello\n").error().code == "evidence.damaged");
  const std::string json = R"({"format":9,"kind":"audit","previous":")" + std::string(64, '0') + R"("})";
  CHECK(read_evidence(sha256_hex(json) + " " + json + "\n").error().code == "evidence.unreadable");
}

}  // namespace sentinel
