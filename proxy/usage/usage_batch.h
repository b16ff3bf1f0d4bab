// SPDX-License-Identifier: Apache-2.0
// What is billed in one call, and its three written forms: the account service's, one entry per row in Redis (which
// other versions of the proxy read), and the journal's. A batch never changes once it has its id, so that a call that
// may have been heard can be repeated under the same id without billing twice.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/usage/usage_sink.h"

namespace sentinel::proxy {

struct UsageRow {
  std::string email;
  std::string model;  ///< empty: none
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  std::uint64_t requests = 0;
  std::string time;  ///< RFC 3339 with milliseconds and Z: the earliest
};

struct UsageBatch {
  std::string id;             ///< goes along as Idempotency-Key
  int attempts = 0;           ///< that were the batch's own fault
  std::int64_t tried_at = 0;  ///< unix ms of the last attempt; 0: none
  std::vector<UsageRow> rows;
};

/// Rows by (email, model): tokens and requests summed, the earliest time.
class UsageSums {
 public:
  void add(const UsageRow& row);

  void erase(const UsageRow& row) { sums_.erase({row.email, row.model}); }

  /// Takes out at most so many.
  std::vector<UsageRow> take(std::size_t most);

  std::size_t size() const { return sums_.size(); }

  bool empty() const { return sums_.empty(); }

  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& [key, row] : sums_) visit(row);
  }

 private:
  std::map<std::pair<std::string, std::string>, UsageRow> sums_;
};

UsageRow row_of(const UsageItem& item);

/// {"increments":[…]}; numbers that are 0 and an empty model are left out.
std::string batch_request(const UsageBatch& batch);
/// The rows that the service refused, of its answer's `results`; those are in the order of the rows, or else tell email
/// (and perhaps model). Nothing: not such an answer.
std::optional<std::vector<UsageRow>> refused_rows(const UsageBatch& batch, const std::string& answer);

/// Entries for the list in Redis, one per row: snake_case, with the batch they belong to.
std::vector<std::string> entries_of(const UsageBatch& batch);
/// The batch of entries that belong together. An entry without a batch makes one of its own. A batch has each email and
/// model once: what comes again is the same batch kept a second time. Nothing: unreadable.
std::optional<UsageBatch> batch_of_entries(const std::vector<std::string>& entries);

std::string row_text(const UsageRow& row);
std::optional<UsageRow> row_of_text(const std::string& text);
std::string batch_text(const UsageBatch& batch);
std::optional<UsageBatch> batch_of_text(const std::string& text);

}  // namespace sentinel::proxy
