// SPDX-License-Identifier: Apache-2.0
// What a power cut can leave is read up to the tear; what only damage can leave is an error. Every cut and every
// flipped byte of a real journal is tried.
#include "core/engine/journal.h"

#include <catch2/catch.hpp>

#include "core/engine/journal_format.h"
#include "core/model/json.h"
#include "tests/support/fake_system.h"
#include "tests/support/faulty_system.h"
#include "tests/unit/core/engine/support.h"

namespace sentinel::journal {
namespace {

Begin some_begin() {
  Begin begin;
  begin.transaction = kTestTransaction;
  begin.request.host = "web-1";
  begin.request.resources.push_back({"a/b", "t", File{}, {{Effect::Kind::kReload, "caddy.service"}}, "x.yaml:1"});
  begin.agent = "agent";
  begin.boot_id = "boot";
  begin.started = "2026-01-01T00:00:00.000Z";
  begin.deadline_ns = 5;
  begin.operator_address = "203.0.113.9";
  begin.states["a/b"] = {{"type", "absent"}};
  return begin;
}

std::vector<Record> one_of_each() {
  return {some_begin(),
          GuardArmed{9},
          Intent{0, "a/b", {RemoveFile{"/x"}}, "", {{Effect::Kind::kDaemonReload, ""}}},
          Done{0},
          EffectPaid{{Effect::Kind::kDaemonReload, ""}},
          Activated{77},
          AwaitConfirm{99},
          Confirmed{"somebody"},
          Commit{"now", {"a/b"}, {{"number", 1}}},
          RolloutPhase{"switch", "1.0.0-1"},
          RevertBegin{"why", 6},
          RevertedStep{0},
          FilesRestored{"boot"},
          RevertEnd{{"a/b"}},
          Closed{"changed"}};
}

std::string log_of(const std::vector<Record>& records) {
  std::string bytes = first_line();
  std::string chain;
  for (const auto& record : records) bytes += line_of(record, chain);
  return bytes;
}

/// Offsets at which a whole number of records ends.
std::vector<std::size_t> borders(const std::vector<Record>& records) {
  std::vector<std::size_t> out{first_line().size()};
  std::string chain;
  for (const auto& record : records) out.push_back(out.back() + line_of(record, chain).size());
  return out;
}

}  // namespace

TEST_CASE("every record survives the journal") {
  const auto records = one_of_each();
  REQUIRE(records.size() == std::variant_size_v<Record>);
  const auto reading = read(log_of(records));
  REQUIRE(reading.ok());
  REQUIRE(reading->records.size() == records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    CHECK(nlohmann::json(reading->records[i]) == nlohmann::json(records[i]));
    CHECK(reading->records[i].index() == records[i].index());
  }
  CHECK(reading->valid_bytes == log_of(records).size());
}

TEST_CASE("a journal cut anywhere gives exactly the records that were whole") {
  const auto records = one_of_each();
  const auto bytes = log_of(records);
  const auto ends = borders(records);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const auto reading = read(bytes.substr(0, size));
    INFO("cut at " << size);
    REQUIRE(reading.ok());
    std::size_t whole = 0;
    while (whole < records.size() && ends[whole + 1] <= size) ++whole;
    REQUIRE(reading->records.size() == whole);
    REQUIRE(reading->valid_bytes == (size < ends.front() ? 0 : ends[whole]));
  }
}

TEST_CASE("a last record whose blocks were not all written is a torn tail") {
  const auto records = one_of_each();
  const auto bytes = log_of(records);
  const auto last = borders(records)[records.size() - 1];
  for (const std::size_t hole : {last, last + 3, last + 20, bytes.size() - 8}) {
    auto torn = bytes;
    for (std::size_t i = hole; i < std::min(hole + 8, torn.size()); ++i) torn[i] = '\0';
    const auto reading = read(torn);
    REQUIRE(reading.ok());
    CHECK(reading->records.size() == records.size() - 1);
  }
  const auto zeros = read(bytes + std::string(4096, '\0'));
  REQUIRE(zeros.ok());
  CHECK(zeros->records.size() == records.size());
}

TEST_CASE("any single damaged byte is an error with an offset, and never a wrong record") {
  const auto records = one_of_each();
  const auto bytes = log_of(records);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    const auto reading = read(damaged);
    INFO("byte " << at);
    REQUIRE_FALSE(reading.ok());
    const bool in_first_line = at < first_line().size();
    REQUIRE(
        (reading.error().code == "journal.corrupt" || (in_first_line && reading.error().code == "journal.version")));
    REQUIRE(reading.error().exit == ExitCode::kStuck);
    if (!in_first_line) REQUIRE(reading.error().message.find("byte") != std::string::npos);
  }
}

TEST_CASE("records that were swapped, repeated or dropped are damage") {
  const std::vector<Record> records{some_begin(), Done{1}, Done{2}, Done{3}};
  const auto bytes = log_of(records);
  const auto ends = borders(records);
  const auto part = [&](std::size_t i) { return bytes.substr(ends[i], ends[i + 1] - ends[i]); };
  const auto head = first_line() + part(0);
  CHECK(read(head + part(2) + part(1) + part(3)).error().code == "journal.corrupt");
  CHECK(read(head + part(1) + part(1) + part(2)).error().code == "journal.corrupt");
  CHECK(read(head + part(2) + part(3)).error().code == "journal.corrupt");
}

TEST_CASE("a journal of another version or another file is refused") {
  CHECK(read("sentinel-journal 2\nxyz\n").error().code == "journal.version");
  CHECK(read("something else").error().code == "journal.corrupt");
  CHECK(read("").ok());
}

TEST_CASE("the writer refuses an id it knows and continues after a torn tail") {
  FakeSystem machine;
  const StateDirectory directory;
  REQUIRE(directory.prepare(machine).ok());
  auto writer = Writer::create(machine, directory, kTestTransaction);
  REQUIRE(writer.ok());
  REQUIRE(writer->append(some_begin()).ok());
  REQUIRE(writer->append(Done{0}).ok());
  CHECK(Writer::create(machine, directory, kTestTransaction).error().code == "journal.known-transaction");
  CHECK(Writer::create(machine, directory, "../../etc").error().code == "journal.bad-id");
  const auto whole = machine.bytes(directory.log(kTestTransaction));
  machine.put_file(directory.log(kTestTransaction), whole + "00000020 0123");
  auto resumed = Writer::resume(machine, directory, kTestTransaction);
  REQUIRE(resumed.ok());
  CHECK(machine.bytes(directory.log(kTestTransaction)) == whole);
  REQUIRE(resumed->first.append(Closed{"reverted"}).ok());
  const auto summary = load(machine, directory, kTestTransaction);
  REQUIRE(summary.ok());
  CHECK(summary->phase == Summary::Phase::kClosed);
  CHECK(summary->outcome == "reverted");
}

TEST_CASE("after a failed append the log is cut back before the next record") {
  for (const auto fault : {Fault::kFailOnce, Fault::kFailAfterDoing}) {
    FakeSystem machine;
    const StateDirectory directory;
    REQUIRE(directory.prepare(machine).ok());
    FaultySystem faulty(machine, fault, 4);  // directory, first line, begin, then the failing one
    auto writer = Writer::create(faulty, directory, kTestTransaction);
    REQUIRE(writer.ok());
    REQUIRE(writer->append(some_begin()).ok());
    REQUIRE_FALSE(writer->append(Done{0}).ok());
    REQUIRE(writer->append(RevertBegin{"why", 1}).ok());
    const auto reading = read(machine.bytes(directory.log(kTestTransaction)));
    REQUIRE(reading.ok());
    REQUIRE(reading->records.size() == 2);
    CHECK(std::holds_alternative<RevertBegin>(reading->records[1]));
  }
}

TEST_CASE("only an intact last record says that a journal is closed") {
  const auto open = log_of({some_begin(), Done{0}});
  const auto closed = log_of({some_begin(), Done{0}, Closed{"changed"}});
  CHECK(is_closed(closed));
  CHECK(is_closed(log_of({some_begin(), Closed{"failed"}})));
  CHECK_FALSE(is_closed(open));
  CHECK_FALSE(is_closed(""));
  CHECK_FALSE(is_closed("\n\n\n"));
  for (std::size_t size = 0; size < closed.size(); ++size) REQUIRE_FALSE(is_closed(closed.substr(0, size)));
  for (std::size_t at = open.size(); at < closed.size(); ++at) {
    auto damaged = closed;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    REQUIRE_FALSE(is_closed(damaged));
  }
}

TEST_CASE("open transactions are those with a beginning and no end; damaged ones are named") {
  FakeSystem machine;
  const StateDirectory directory;
  REQUIRE(directory.prepare(machine).ok());
  const std::string open_id(32, 'a');
  const std::string closed_id(32, 'b');
  const std::string damaged_id(32, 'c');
  const std::string empty_id(32, 'd');
  machine.put_file(directory.log(open_id), log_of({some_begin()}));
  machine.put_file(directory.log(closed_id), log_of({some_begin(), Closed{"changed"}}));
  machine.put_file(directory.log(damaged_id), log_of({some_begin(), Done{1}}) + "junk\n");
  machine.put_file(directory.log(empty_id), first_line());
  machine.put_file(directory.journals() + "/not-an-id", "");
  const auto open = open_transactions(machine, directory);
  REQUIRE(open.ok());
  CHECK(open->transactions == std::vector<std::string>{open_id});
  REQUIRE(open->damaged.size() == 1);
  CHECK(open->damaged.begin()->first == damaged_id);
}

}  // namespace sentinel::journal
