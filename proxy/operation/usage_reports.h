// SPDX-License-Identifier: Apache-2.0
// Where use goes: to the account service, or, where there is none, into totals that the log tells at the end.
#pragma once

#include <optional>

#include "proxy/operation/worker.h"

namespace sentinel::proxy {

class UsageReporter;
class UsageTotals;

/// Before anything is served, so that a journal that can't be opened is an error at the start.
class UsageReports {
 public:
  explicit UsageReports(std::optional<UsageJournal> journal) : journal_(std::move(journal)) {}

  /// Before the workers.
  void start(SharedState& shared);
  /// After the workers have ended.
  void finish(SharedState& shared);

 private:
  std::optional<UsageJournal> journal_;
  UsageReporter* reporter_ = nullptr;
  UsageTotals* totals_ = nullptr;
};

/// Errors of opening the journal.
Result<UsageReports> open_usage(const Settings& settings);

}  // namespace sentinel::proxy
