// SPDX-License-Identifier: Apache-2.0
// What the watch remembers of the releases it took back, on disk and synced before each step: so that after a crash,
// too, a release is taken back once, and one that came by such a step never is. Two bad releases don't take turns.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/system/system.h"

namespace sentinel {

/// One automatic step back.
struct AutomaticRollback {
  std::string app;
  std::string from;  ///< the release that was taken back
  std::string to;    ///< the one that came; empty: not seen to have come
  std::string reason;
  std::string time;    ///< RFC 3339
  std::string failed;  ///< how it ended, when it did and nothing came; empty: it is under way, or was done

  bool operator==(const AutomaticRollback&) const = default;
};

struct RollbackCounts {
  std::size_t done = 0;
  std::size_t failed = 0;
};

class RollbackMemory {
 public:
  RollbackMemory(System& machine, std::string path) : machine_(machine), path_(std::move(path)) {}

  /// Reads what was remembered. Error when the file is there and can't be understood: then nothing may be taken back.
  Result<void> load();

  /// Why `release` must not be taken back by itself; empty: it may.
  std::string objection(const std::string& app, const std::string& release) const;
  /// To be called before the step; it may be taken when this returned well.
  Result<void> begin(AutomaticRollback step);
  /// The release that is in force after the step.
  Result<void> arrived(const std::string& app, const std::string& release);
  /// The step away from `release` ended, and it is still in force. True: that is news.
  Result<bool> failed(const std::string& app, const std::string& release, const std::string& how);
  /// Whether a step away from `release` was begun, and neither came to an end nor is known to have failed.
  bool under_way(const std::string& app, const std::string& release) const;

  RollbackCounts counts(const std::string& app) const;

  const std::vector<AutomaticRollback>& steps() const { return steps_; }

 private:
  Result<void> save(std::vector<AutomaticRollback> steps);

  System& machine_;
  std::string path_;
  std::vector<AutomaticRollback> steps_;
};

}  // namespace sentinel
