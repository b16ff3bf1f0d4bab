// SPDX-License-Identifier: Apache-2.0
// The journal of one transaction: append-only records, each synced before what it announces is done. Format and
// meaning: docs/formats/journal.md. A torn tail was never acted on and is dropped; damage anywhere else is an error,
// never a guess.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/engine/state_directory.h"
#include "core/model/plan.h"
#include "core/model/request.h"

namespace sentinel::journal {

/// Everything recovery needs to finish or revert without the CLI.
struct Begin {
  std::string transaction;
  Request request;
  std::string agent;              ///< SHA-256 of the agent's binary: recovery runs that very one
  std::string boot_id;            ///< of /proc/sys/kernel/random/boot_id
  std::string started;            ///< RFC 3339
  std::uint64_t deadline_ns = 0;  ///< since boot: when an unfinished transaction is reverted
  std::uint64_t base_generation = 0;
  std::string operator_address;  ///< empty when unknown
  /// Observed state by resource id before anything was done: what a revert must end in.
  std::map<std::string, nlohmann::json> states;
};

/// About to act on a step; `undo` is complete (contents and snapshots are captured blobs).
struct Intent {
  std::uint32_t step = 0;  ///< counts from 0 within the transaction
  std::string id;
  std::vector<Action> undo;
  std::string irreversible;  ///< why there is no undo; empty when there is one
  std::vector<Effect> effects;
};

struct Done {
  std::uint32_t step = 0;
};

struct EffectPaid {
  Effect effect;
};

/// A rollout is about to go one phase further (core/release/rollout.h). What has been done is undone by bringing the
/// release named here back into force; each phase's own undo can be repeated and needs nothing else.
struct RolloutPhase {
  std::string phase;   ///< stage, candidate, switch, promote
  std::string former;  ///< id of the release in force before; empty: there was none
};

struct GuardArmed {
  std::uint64_t deadline_ns = 0;  ///< since boot
};

/// Everything is done and proved; a confirmation counts only from a session that began after this.
struct Activated {
  std::uint64_t since_boot_ns = 0;
};

struct AwaitConfirm {
  std::uint64_t deadline_ns = 0;  ///< since boot; a later record extends it
};

struct Confirmed {
  std::string by;
};

/// The decision: from here on the transaction is finished forward.
struct Commit {
  std::string time;                  ///< RFC 3339
  std::vector<std::string> changed;  ///< step ids
  nlohmann::json generation;         ///< the whole Generation, so that recovery can write it
};

struct RevertBegin {
  std::string why;
  int exit = 1;
};

struct RevertedStep {
  std::uint32_t step = 0;
};

/// Recovery at boot put the files back; the rest is still owed.
struct FilesRestored {
  std::string boot_id;
};

/// Empty `left`: the managed state is the old one.
struct RevertEnd {
  std::vector<std::string> left;
};

/// Nothing is owed any more: generation and audit line are written.
struct Closed {
  std::string outcome;  ///< changed, reverted, stuck
};

using Record = std::variant<Begin, Intent, Done, EffectPaid, RolloutPhase, GuardArmed, Activated, AwaitConfirm, Confirmed, Commit,
                            RevertBegin, RevertedStep, FilesRestored, RevertEnd, Closed>;

void to_json(nlohmann::json& json, const Record& value);
void from_json(const nlohmann::json& json, Record& value);

/// Records read back from a log's bytes.
struct Reading {
  std::vector<Record> records;
  std::size_t valid_bytes = 0;  ///< what is intact; anything after it is a torn tail
  std::string chain;            ///< checksum of the last record: the next one continues from it
};

/// `journal.corrupt` (exit 7) names the offset; `journal.version` for a format this program doesn't know. Empty bytes,
/// or a torn first line, are a reading without records.
Result<Reading> read(const std::string& bytes);

/// True when the log ends with an intact `closed`: nothing is owed, whatever stands before it. Looks at its end only,
/// so that asking for open transactions doesn't cost a parse of everything that ever was.
bool is_closed(const std::string& bytes);

/// What became of a transaction, folded from its records.
struct Summary {
  enum class Phase { kEmpty, kActing, kActivated, kCommitted, kReverting, kReverted, kStuck, kClosed };
  Phase phase = Phase::kEmpty;
  Begin begin;
  std::vector<Intent> intents;          ///< in order
  std::vector<std::uint32_t> reverted;  ///< steps whose undo has run to its end
  std::vector<Effect> paid;
  std::vector<RolloutPhase> rollout;  ///< in order; empty for a transaction over resources
  std::optional<std::uint64_t> activated_ns;
  std::optional<std::uint64_t> confirm_deadline_ns;
  std::optional<Commit> commit;
  std::optional<RevertBegin> revert;
  std::optional<std::string> files_restored_boot;
  std::vector<std::string> left;
  std::string outcome;  ///< of Closed; empty while open
};

Summary summarize(const std::vector<Record>& records);

/// Appends to one transaction's log. One writer at a time: whoever holds the lease.
class Writer {
 public:
  /// Makes the journal directory and an empty log. `journal.known-transaction` when there is one.
  static Result<Writer> create(System& machine, const StateDirectory& directory, const std::string& transaction);
  /// For recovery: reads what is there, cuts a torn tail off, and continues.
  static Result<std::pair<Writer, Reading>> resume(System& machine, const StateDirectory& directory,
                                                   const std::string& transaction);
  /// Durable when it returns. After a failure nobody knows how much of the line is on the disk.
  Result<void> append(const Record& record);
  /// After a failed append: cuts the log back to the last record that was appended whole. append() does it by itself;
  /// to be called where going on depends on the failed record not being there.
  Result<void> repair();

 private:
  Writer(System& machine, std::string path, std::string chain, std::size_t size);

  System* machine_;
  std::string path_;
  std::string chain_;
  std::size_t size_;
  bool broken_ = false;
};

/// The summary of one transaction as it lies on disk; a torn tail is ignored, nothing is written.
Result<Summary> load(Reader& machine, const StateDirectory& directory, const std::string& transaction);

/// Transactions that are neither closed nor stuck-and-acknowledged: what recovery has to look at. A damaged journal is
/// in `damaged` with its error.
struct Open {
  std::vector<std::string> transactions;
  std::map<std::string, Error> damaged;
};

Result<Open> open_transactions(Reader& machine, const StateDirectory& directory);

}  // namespace sentinel::journal
