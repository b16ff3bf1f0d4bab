// SPDX-License-Identifier: Apache-2.0
#include "core/engine/recover.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/engine/commit.h"
#include "core/engine/leftovers.h"
#include "core/engine/revert.h"

namespace sentinel {
namespace {

constexpr const char* kBootIdPath = "/proc/sys/kernel/random/boot_id";

enum class Depth { kFiles, kEverything };

Recovery failed(const std::string& transaction, Error error) {
  Recovery recovery;
  recovery.transaction = transaction;
  recovery.outcome = "stuck";
  recovery.exit = ExitCode::kStuck;
  recovery.errors.push_back(std::move(error));
  return recovery;
}

class One {
 public:
  One(const RecoverSurroundings& around, const std::string& transaction, journal::Writer& writer,
      const journal::Summary& summary)
      : around_(around),
        writer_(writer),
        summary_(summary),
        transaction_(transaction),
        events_(around.events(transaction)),
        secrets_(around.host.secrets, summary.begin.request.secrets, {}),
        access_(around.host.machine, *events_, summary.begin.operator_address, transaction),
        revert_({around.host, around.clock, *events_, secrets_, around.lock_probe}, access_) {}

  Recovery files() {
    Recovery recovery{transaction_, "files-restored", ExitCode::kDone, {}};
    if (summary_.begin.request.release) return recovery;
    if (summary_.commit) {
      recovery.outcome = "changed";
      return recovery;
    }
    revert_.files_only(summary_);
    const auto boot = boot_id(around_.host.machine);
    if (auto marked = writer_.append(journal::FilesRestored{boot.value_or("")}); !marked.ok()) {
      recovery.errors.push_back(std::move(marked).error());
    }
    return recovery;
  }

  Recovery everything() {
    if (summary_.begin.request.release) return around_.rollout(writer_, summary_, *events_);
    auto recovery = summary_.commit ? finish() : revert();
    if (recovery.outcome != "stuck") (void)prune(around_.host, around_.clock);
    Event result;
    result.type = Event::Type::kResult;
    result.outcome = recovery.outcome;
    result.generation = around_.host.generations.current().value_or(0);
    if (summary_.commit) result.changed = summary_.commit->changed;
    result.errors = recovery.errors;
    events_->tell(std::move(result));
    return recovery;
  }

 private:
  Recovery finish() {
    if (auto done = finish_commit(writer_, summary_.begin, *summary_.commit, around_.host); !done.ok()) {
      return failed(transaction_, std::move(done).error());
    }
    return {transaction_, "changed", ExitCode::kDone, {}};
  }

  Recovery revert() {
    if (summary_.intents.empty()) return nothing_was_done();
    remove_leftovers_of(summary_.intents, around_.host.machine);
    const auto why =
        summary_.revert ? summary_.revert->why : std::string("the transaction's process ended before it was done");
    const auto exit = summary_.revert ? static_cast<ExitCode>(summary_.revert->exit) : ExitCode::kFailed;
    auto reverted = revert_.run(writer_, summary_, why, exit);
    Recovery recovery{transaction_, "reverted", exit, {}};
    recovery.errors.push_back(Error("engine.recovered", why, "", exit));
    if (reverted.left.empty()) return recovery;
    recovery.outcome = "stuck";
    recovery.exit = ExitCode::kStuck;
    recovery.errors.push_back(stuck_error(reverted.left, reverted.for_lack_of_room));
    for (auto& error : reverted.errors) recovery.errors.push_back(std::move(error));
    return recovery;
  }

  Recovery nothing_was_done() {
    Recovery recovery{transaction_, "failed", ExitCode::kFailed, {}};
    recovery.errors.push_back(Error("engine.recovered", "the transaction's process ended before it changed anything"));
    (void)writer_.append(journal::Closed{"failed"});
    return recovery;
  }

  const RecoverSurroundings& around_;
  journal::Writer& writer_;
  const journal::Summary& summary_;
  std::string transaction_;
  std::unique_ptr<EventSink> events_;
  SecretView secrets_;
  OperatorAccess access_;
  Revert revert_;
};

Recovery recover_one(const RecoverSurroundings& around, const std::string& transaction, Depth depth) {
  auto resumed = journal::Writer::resume(around.host.machine, around.host.directory, transaction);
  if (!resumed.ok()) return failed(transaction, std::move(resumed).error());
  auto& [writer, reading] = *resumed;
  const auto summary = journal::summarize(reading.records);
  One one(around, transaction, writer, summary);
  return depth == Depth::kFiles ? one.files() : one.everything();
}

Result<std::vector<Recovery>> recover(const RecoverSurroundings& around, Depth depth) {
  remove_own_leftovers(around.host);
  SENTINEL_TRY(const auto open, journal::open_transactions(around.host.machine, around.host.directory));
  std::vector<Recovery> out;
  for (const auto& [id, error] : open.damaged) out.push_back(failed(id, error));
  for (const auto& id : open.transactions) out.push_back(recover_one(around, id, depth));
  return out;
}

}  // namespace

Result<std::vector<Recovery>> recover_files(const RecoverSurroundings& around) {
  return recover(around, Depth::kFiles);
}

Result<std::vector<Recovery>> recover_now(const RecoverSurroundings& around) {
  return recover(around, Depth::kEverything);
}

Result<std::string> boot_id(Reader& machine) {
  auto text = machine.read_file(kBootIdPath);
  if (!text.ok()) return std::move(text).error().during("reading the boot id");
  return text->substr(0, text->find('\n'));
}

}  // namespace sentinel
