// SPDX-License-Identifier: Apache-2.0
// Collects what speaks for and against a control and ends in a verdict: any fault fails it, then anything that could
// not be told makes it unknown, then any doubt warns. Each fault says where it holds: now, after a reboot, or both.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "core/audit/judgement.h"

namespace sentinel {

class Ruling {
 public:
  explicit Ruling(std::string expected) { out_.expected = std::move(expected); }

  /// Evidence, good or bad.
  void saw(const std::string& probe, const std::string& value, const std::string& origin = {});
  void fault(const std::string& what, Persistence where = Persistence::kBoth);
  void doubt(const std::string& what);
  /// Something that decides could not be seen.
  void cannot_tell(const std::string& why);
  /// A known way to look right and be wrong; docs/checks.md has a section of that name.
  void trap(const std::string& name, const std::string& cause, const std::string& repair);

  bool has_faults() const { return !faults_.empty(); }

  /// `good` is what is so when nothing speaks against it; `sides` where a pass holds.
  Judged close(const std::string& good, Persistence sides = Persistence::kNone) &&;

 private:
  Judged out_;
  std::string faults_;
  std::string doubts_;
  std::string unseen_;
  bool now_ = false;
  bool at_boot_ = false;
  bool sided_ = false;
};

/// Faults of what runs against those of what will run: the same on both sides is one, `prefix` is before the others of
/// the later side.
void judge_sides(const std::set<std::string>& now, const std::set<std::string>& later, const std::string& prefix,
                 Ruling& ruling);

Judged not_applicable(const std::string& reason);

}  // namespace sentinel
