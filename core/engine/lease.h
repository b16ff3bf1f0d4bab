// SPDX-License-Identifier: Apache-2.0
// One writer per host: an exclusive flock on <state>/lease. The kernel frees it when the holder's process ends, so
// there is no stale lease; the JSON in the file is only for messages.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "core/base/clock.h"
#include "core/base/descriptor.h"
#include "core/base/result.h"

namespace sentinel {

struct LeaseHolder {
  std::string operator_name;
  std::string purpose;
  std::string started;  ///< RFC 3339
  int pid = 0;
  std::string transaction;

  bool operator==(const LeaseHolder&) const = default;
};

void to_json(nlohmann::json& json, const LeaseHolder& value);
void from_json(const nlohmann::json& json, LeaseHolder& value);

class Lease {
 public:
  /// `lease.held` (exit 9) names the holder and since when. Waits up to `patience` for it, polling.
  static Result<Lease> acquire(const std::string& path, const LeaseHolder& holder, Clock& clock,
                               std::chrono::seconds patience = std::chrono::seconds(0));
  /// Who holds it now; nothing when nobody does.
  static Result<std::optional<LeaseHolder>> holder(const std::string& path);

 private:
  explicit Lease(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  Descriptor descriptor_;
};

}  // namespace sentinel
