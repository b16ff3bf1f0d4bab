// SPDX-License-Identifier: Apache-2.0
// A program against its package, on recorded answers.
#include <catch2/catch.hpp>

#include "tests/unit/core/audit/records.h"

namespace sentinel {
namespace {

using nlohmann::json;

const std::string kPath = "/usr/bin/caddy";
const std::string kMd5 = "0123456789abcdef0123456789abcdef";
const json kCaddy{{"package", "caddy"}, {"path", kPath}, {"unit", "caddy.service"}};

json touched() {
  return {{kPath,
           {{"package", "caddy"},
            {"state", "installed"},
            {"version", "2.6.2-5"},
            {"exists", true},
            {"untouched", false},
            {"recorded", kMd5},
            {"found", kMd5},
            {"pid", 812},
            {"exe", kPath}}}};
}

json untouched() {
  auto out = touched();
  out[kPath]["untouched"] = true;
  out[kPath]["found"] = "";
  return out;
}

/// What is said of the program with this in place of a value.
Finding with(const std::string& name, const json& value, json program = touched()) {
  program[kPath][name] = value;
  return judged("program-as-packaged", kCaddy, record_of({{"program", program}}));
}

[[maybe_unused]] const bool kPasses = passes("program-as-packaged", kCaddy, {{"program", touched()}}) &
                                      passes("program-as-packaged", kCaddy, {{"program", untouched()}});

}  // namespace

TEST_CASE("a program is the package's, or it is not") {
  CHECK(with("found", kMd5).verdict == Verdict::kPass);
  CHECK(with("found", "", untouched()).verdict == Verdict::kPass);
  const auto other = with("found", "ffffffffffffffffffffffffffffffff");
  CHECK(other.verdict == Verdict::kFail);
  CHECK(other.persistence == Persistence::kBoth);
  CHECK(with("found", "").verdict == Verdict::kFail);  // a link, say
  CHECK(with("exists", false).verdict == Verdict::kFail);
  CHECK(with("state", "absent").verdict == Verdict::kFail);
  CHECK(with("state", "broken", untouched()).verdict == Verdict::kFail);
  CHECK(with("recorded", nullptr, untouched()).verdict == Verdict::kPass);
  for (const json& garbled : {json(nullptr), json(""), json("0123"), json(7), json::array()})
    CHECK(with("recorded", garbled).verdict == Verdict::kUnknown);
}

TEST_CASE("what runs is the file that is there") {
  const auto replaced = with("exe", kPath + " (deleted)");
  CHECK(replaced.verdict == Verdict::kFail);
  CHECK(replaced.persistence == Persistence::kRuntimeOnly);
  const auto another = with("exe", "/opt/caddy/caddy");
  CHECK(another.verdict == Verdict::kFail);
  CHECK(another.persistence == Persistence::kBoth);
  CHECK(with("exe", "").verdict == Verdict::kUnknown);
  CHECK(with("exe", nullptr).verdict == Verdict::kUnknown);
  CHECK(with("pid", nullptr).verdict == Verdict::kUnknown);
  CHECK(with("pid", "812").verdict == Verdict::kUnknown);
  CHECK(with("pid", 0).verdict == Verdict::kPass);  // it is off: other rows say so
}

}  // namespace sentinel
