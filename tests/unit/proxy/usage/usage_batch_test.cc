// SPDX-License-Identifier: Apache-2.0
#include "proxy/usage/usage_batch.h"

#include <catch2/catch.hpp>

using namespace sentinel::proxy;

namespace {

UsageBatch batch_of(std::vector<std::pair<std::string, std::string>> names) {
  UsageBatch batch{"b-1", 2, 77, {}};
  for (auto& [email, model] : names) batch.rows.push_back({email, model, 1, 2, 3, "2026-02-01T12:00:00.123Z"});
  return batch;
}

std::vector<std::string> models(const std::optional<std::vector<UsageRow>>& rows) {
  std::vector<std::string> found;
  for (const UsageRow& row : rows.value()) found.push_back(row.model);
  return found;
}

}  // namespace

TEST_CASE("Rows are summed by user and model, and keep the earliest time") {
  UsageSums sums;
  sums.add({"a", "m", 1, 2, 1, "2026-02-01T12:00:01.000Z"});
  sums.add({"a", "m", 10, 20, 1, "2026-02-01T12:00:00.000Z"});
  sums.add({"a", "n", 5, 5, 1, "2026-02-01T12:00:02.000Z"});
  REQUIRE(sums.size() == 2);
  const std::vector<UsageRow> first = sums.take(1);
  CHECK((first[0].model == "m" && first[0].input_tokens == 11 && first[0].output_tokens == 22));
  CHECK((first[0].requests == 2 && first[0].time == "2026-02-01T12:00:00.000Z"));
  CHECK(sums.size() == 1);
}

TEST_CASE("What is 0 and a missing model are left out of a report") {
  const UsageBatch batch{"b", 0, 0, {{"a", "", 0, 0, 1, "t"}}};
  CHECK(batch_request(batch) == R"({"increments":[{"aiRequests":1,"email":"a","timestamp":"t"}]})");
}

TEST_CASE("Refused rows are found by their order, and by email and model when the order is another") {
  const UsageBatch batch = batch_of({{"a", "m"}, {"a", "n"}, {"b", "m"}});
  const std::string ordered =
      R"({"data":{"results":[{"email":"a","success":true},{"email":"a","success":false},{"email":"b","success":true}]}})";
  CHECK(models(refused_rows(batch, ordered)) == std::vector<std::string>{"n"});
  const std::string named = R"({"data":{"results":[{"email":"a","model":"n","success":false,"limitName":null}]}})";
  CHECK(models(refused_rows(batch, named)) == std::vector<std::string>{"n"});
  const std::string both = R"({"data":{"results":[{"email":"a","success":false},{"email":"a","success":false}]}})";
  CHECK(models(refused_rows(batch, both)) == std::vector<std::string>{"m", "n"});
  CHECK(refused_rows(batch, R"({"data":{"failed":0}})")->empty());
  CHECK(refused_rows(batch, R"({"data":{"results":[{"email":"stranger","success":false}]}})")->empty());
  for (const char* wrong : {"", "[]", "{}", R"({"data":1})"}) CHECK_FALSE(refused_rows(batch, wrong));
}

TEST_CASE("A batch goes through Redis and through text unchanged") {
  const UsageBatch batch = batch_of({{"a", "m"}, {"b", ""}});
  for (const std::optional<UsageBatch>& read :
       {batch_of_entries(entries_of(batch)), batch_of_text(batch_text(batch))}) {
    REQUIRE(read);
    CHECK((read->id == "b-1" && read->attempts == 2 && read->tried_at == 77));
    REQUIRE(read->rows.size() == 2);
    CHECK((read->rows[1].email == "b" && read->rows[1].model.empty() && read->rows[1].requests == 3));
  }
}

TEST_CASE("An entry of another version is a batch whose id is the same each time") {
  const std::string entry =
      R"({"email":"a","input_tokens":1,"output_tokens":2,"requests":1,"model":null,"timestamp":"t"})";
  const std::optional<UsageBatch> batch = batch_of_entries({entry});
  REQUIRE(batch);
  CHECK((!batch->id.empty() && batch->id == batch_of_entries({entry})->id));
  CHECK_FALSE(batch_of_entries({"no json"}));
}
