// SPDX-License-Identifier: Apache-2.0
// A judgement: a pure function from what was seen (observations) and what is wanted (the control's parameters) to a
// verdict. Same record, same verdict, also offline and years later. Whatever a judgement can't see makes it unknown:
// there is no way to a pass but through a value that was observed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/model/audit.h"
#include "core/model/observation.h"

namespace sentinel {

/// What a judgement says; the rest of a Finding comes from its control.
struct Judged {
  Verdict verdict = Verdict::kUnknown;
  Persistence persistence = Persistence::kNone;
  std::string expected;
  std::string actual;
  std::string reason;  ///< of unknown and not-applicable
  std::vector<Evidence> evidence;
  std::vector<Trap> traps;
};

/// What a judgement looks at.
class Case {
 public:
  Case(const Control& control, const HostRecord& record) : control_(control), record_(record) {}

  /// The control's parameters.
  const nlohmann::json& with() const { return control_.with; }

  /// A probe's value. Errors: `audit.unseen` when it was not asked or saw nothing, otherwise the probe's own.
  Result<const nlohmann::json*> seen(const std::string& probe) const;
  /// Where a probe read its value; empty when it was not asked.
  std::string origin(const std::string& probe) const;

  const HostRecord& record() const { return record_; }

 private:
  const Control& control_;
  const HostRecord& record_;
};

struct Judgement {
  std::string_view name;  ///< "ssh-keys-only"
  /// The probes it needs, for these parameters.
  std::vector<ProbeOrder> (*probes)(const nlohmann::json& with);
  /// An error makes the finding unknown, and so does a value of another shape than expected (a JSON exception).
  Result<Judged> (*judge)(const Case& subject);
};

/// All of them, sorted by name.
const std::vector<Judgement>& judgements();
/// Null for an unknown name.
const Judgement* find_judgement(std::string_view name);

}  // namespace sentinel
