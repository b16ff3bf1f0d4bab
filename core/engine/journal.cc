// SPDX-License-Identifier: Apache-2.0
#include "core/engine/journal.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/engine/journal_format.h"
#include "core/model/transaction_id.h"

namespace sentinel::journal {
namespace {

// What one record changes in the summary. Records come in the order the transaction wrote them.
struct Fold {
  Summary& summary;

  void operator()(const Begin& record) const {
    summary.begin = record;
    summary.phase = Summary::Phase::kActing;
  }

  void operator()(const Intent& record) const { summary.intents.push_back(record); }

  void operator()(const Done&) const {}

  void operator()(const EffectPaid& record) const { summary.paid.push_back(record.effect); }

  void operator()(const RolloutPhase& record) const { summary.rollout.push_back(record); }

  void operator()(const GuardArmed&) const {}

  void operator()(const Activated& record) const {
    summary.activated_ns = record.since_boot_ns;
    summary.phase = Summary::Phase::kActivated;
  }

  void operator()(const AwaitConfirm& record) const { summary.confirm_deadline_ns = record.deadline_ns; }

  void operator()(const Confirmed&) const {}

  void operator()(const Commit& record) const {
    summary.commit = record;
    summary.phase = Summary::Phase::kCommitted;
  }

  void operator()(const RevertBegin& record) const {
    if (!summary.revert) summary.revert = record;
    summary.phase = Summary::Phase::kReverting;
  }

  void operator()(const RevertedStep& record) const { summary.reverted.push_back(record.step); }

  void operator()(const FilesRestored& record) const { summary.files_restored_boot = record.boot_id; }

  void operator()(const RevertEnd& record) const {
    summary.left = record.left;
    summary.phase = record.left.empty() ? Summary::Phase::kReverted : Summary::Phase::kStuck;
  }

  void operator()(const Closed& record) const {
    summary.outcome = record.outcome;
    summary.phase = Summary::Phase::kClosed;
  }
};

Result<std::string> log_bytes(Reader& machine, const std::string& path) {
  auto bytes = machine.read_file(path);
  if (!bytes.ok() && bytes.error().code == "system.ENOENT") return std::string();
  return bytes;
}

}  // namespace

Summary summarize(const std::vector<Record>& records) {
  Summary summary;
  for (const auto& record : records) std::visit(Fold{summary}, record);
  return summary;
}

Writer::Writer(System& machine, std::string path, std::string chain, std::size_t size)
    : machine_(&machine), path_(std::move(path)), chain_(std::move(chain)), size_(size) {}

Result<Writer> Writer::create(System& machine, const StateDirectory& directory, const std::string& transaction) {
  if (!is_transaction_id(transaction)) {
    return Error("journal.bad-id", fmt::format("'{}' is not a transaction id", transaction));
  }
  const auto path = directory.log(transaction);
  SENTINEL_TRY(const auto there, machine.status(path));
  if (there.type != FileType::kAbsent) {
    return Error("journal.known-transaction", fmt::format("transaction {} has begun before", transaction),
                 "attach to it, or begin a new one");
  }
  SENTINEL_CHECK(machine.make_directory(directory.journal(transaction), {0, 0, 0700}));
  SENTINEL_CHECK(machine.replace_file(path, first_line(), {0, 0, 0600}));
  return Writer(machine, path, "", first_line().size());
}

Result<std::pair<Writer, Reading>> Writer::resume(System& machine, const StateDirectory& directory,
                                                  const std::string& transaction) {
  const auto path = directory.log(transaction);
  SENTINEL_TRY(const auto bytes, log_bytes(machine, path));
  SENTINEL_TRY(auto reading, read(bytes));
  if (reading.valid_bytes != bytes.size() || bytes.empty()) {
    const auto intact = reading.valid_bytes == 0 ? first_line() : bytes.substr(0, reading.valid_bytes);
    SENTINEL_CHECK(machine.replace_file(path, intact, {0, 0, 0600}));
  }
  Writer writer(machine, path, reading.chain, std::max(reading.valid_bytes, first_line().size()));
  return std::pair(std::move(writer), std::move(reading));
}

Result<void> Writer::append(const Record& record) {
  if (broken_) SENTINEL_CHECK(repair());
  auto chain = chain_;
  const auto line = line_of(record, chain);
  auto appended = machine_->append_file(path_, line);
  if (!appended.ok()) {
    broken_ = true;
    return std::move(appended).error().during("writing the journal");
  }
  chain_ = std::move(chain);
  size_ += line.size();
  return {};
}

Result<void> Writer::repair() {
  if (!broken_) return {};
  SENTINEL_TRY(const auto bytes, machine_->read_file(path_));
  if (bytes.size() < size_)
    return Error("journal.corrupt", fmt::format("{} became shorter", path_), "", ExitCode::kStuck);
  SENTINEL_CHECK(machine_->replace_file(path_, bytes.substr(0, size_), {0, 0, 0600}));
  broken_ = false;
  return {};
}

Result<Summary> load(Reader& machine, const StateDirectory& directory, const std::string& transaction) {
  SENTINEL_TRY(const auto bytes, log_bytes(machine, directory.log(transaction)));
  auto reading = read(bytes);
  if (!reading.ok()) return std::move(reading).error().during("reading " + directory.log(transaction));
  return summarize(reading->records);
}

Result<Open> open_transactions(Reader& machine, const StateDirectory& directory) {
  Open open;
  SENTINEL_TRY(const auto ids, transactions(directory, machine));
  for (const auto& id : ids) {
    SENTINEL_TRY(const auto bytes, log_bytes(machine, directory.log(id)));
    if (is_closed(bytes)) continue;
    const auto summary = load(machine, directory, id);
    if (!summary.ok()) {
      open.damaged.emplace(id, summary.error());
    } else if (summary->phase != Summary::Phase::kEmpty) {
      open.transactions.push_back(id);
    }
  }
  return open;
}

}  // namespace sentinel::journal
