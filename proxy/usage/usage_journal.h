// SPDX-License-Identifier: Apache-2.0
// Use that was accepted and isn't settled yet, in an append-only file of this process: what was written survives the
// process, and with a sync the machine. One line per record, "<checksum> <kind> <text>\n"; a torn or damaged line is
// passed over. Each process has a file of its own, locked while it lives; a later one adopts what a dead one left.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/descriptor.h"
#include "core/base/result.h"
#include "proxy/usage/usage_batch.h"

namespace sentinel::proxy {

/// What a journal says is still to be done.
struct JournalContents {
  UsageSums pending;                ///< in no batch yet
  std::vector<UsageBatch> batches;  ///< not settled, in their order
  std::size_t damaged = 0;          ///< lines
};

JournalContents read_journal(const std::string& text);

/// Not safe for several threads but for sync(): its owner locks.
class UsageJournal {
 public:
  /// Makes the directory (0700) and a file of its own in it. Errors `system.E…`.
  static Result<UsageJournal> open(const std::string& directory);

  /// Each false when the file can't take it.
  bool append_item(const UsageRow& row);
  /// Takes the rows out of what is pending.
  bool append_sealed(const UsageBatch& batch);
  /// A batch from elsewhere, or another state of one.
  bool append_batch(const UsageBatch& batch);
  bool append_done(const std::string& id);
  bool sync();

  /// Replaces the contents with what is still to be done.
  bool rewrite(const JournalContents& contents);
  /// Nothing is to be done: the file goes.
  void remove();

  std::size_t size() const { return size_; }

  /// A journal whose process has gone. Pending rows are in batches, whose ids are the same each time it is read.
  struct Orphan {
    std::string path;
    Descriptor lock;
    std::vector<UsageBatch> batches;
    std::size_t damaged = 0;
  };

  std::vector<Orphan> orphans() const;
  /// Keeps for a person what can't be billed.
  bool bury(const UsageBatch& batch);

  static constexpr std::size_t kMostRows = 100;  ///< of a batch

 private:
  UsageJournal(std::string directory, std::string name, Descriptor file)
      : directory_(std::move(directory)), name_(std::move(name)), file_(std::move(file)) {}

  std::string path() const { return directory_ + "/" + name_; }

  bool append(char kind, const std::string& text);

  std::string directory_;
  std::string name_;
  Descriptor file_;
  std::size_t size_ = 0;
};

}  // namespace sentinel::proxy
