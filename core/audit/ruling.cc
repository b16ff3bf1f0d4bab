// SPDX-License-Identifier: Apache-2.0
#include "core/audit/ruling.h"

namespace sentinel {
namespace {

void append(std::string& text, const std::string& more) {
  if (!text.empty()) text += "; ";
  text += more;
}

}  // namespace

void Ruling::saw(const std::string& probe, const std::string& value, const std::string& origin) {
  out_.evidence.push_back({probe, value, origin});
}

void Ruling::fault(const std::string& what, Persistence where) {
  append(faults_, what);
  now_ = now_ || where == Persistence::kBoth || where == Persistence::kRuntimeOnly;
  at_boot_ = at_boot_ || where == Persistence::kBoth || where == Persistence::kBootOnly;
  sided_ = sided_ || where != Persistence::kNone;
}

void Ruling::doubt(const std::string& what) {
  append(doubts_, what);
}

void Ruling::cannot_tell(const std::string& why) {
  append(unseen_, why);
}

void Ruling::trap(const std::string& name, const std::string& cause, const std::string& repair) {
  out_.traps.push_back({name, cause, repair});
}

Judged Ruling::close(const std::string& good, Persistence sides) && {
  if (!faults_.empty()) {
    out_.verdict = Verdict::kFail;
    out_.actual = faults_;
    if (sided_) {
      out_.persistence = now_ && at_boot_ ? Persistence::kBoth
                         : now_           ? Persistence::kRuntimeOnly
                                          : Persistence::kBootOnly;
    }
  } else if (!unseen_.empty()) {
    out_.verdict = Verdict::kUnknown;
    out_.reason = unseen_;
  } else {
    out_.verdict = doubts_.empty() ? Verdict::kPass : Verdict::kWarn;
    out_.actual = doubts_.empty() ? good : doubts_;
    out_.persistence = sides;
  }
  return std::move(out_);
}

void judge_sides(const std::set<std::string>& now, const std::set<std::string>& later, const std::string& prefix,
                 Ruling& ruling) {
  for (const auto& fault : now)
    ruling.fault(fault, later.contains(fault) ? Persistence::kBoth : Persistence::kRuntimeOnly);
  for (const auto& fault : later) {
    if (!now.contains(fault)) ruling.fault(prefix + fault, Persistence::kBootOnly);
  }
}

Judged not_applicable(const std::string& reason) {
  Judged out;
  out.verdict = Verdict::kNotApplicable;
  out.reason = reason;
  return out;
}

}  // namespace sentinel
