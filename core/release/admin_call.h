// SPDX-License-Identifier: Apache-2.0
// A running release is told what to do at its admin socket (docs/decisions/013-handover.md).
#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>

#include "core/base/result.h"

namespace sentinel {

/// One request to a release's admin socket; the body of a good answer, or an error. Bounded in time.
using AdminCall =
    std::function<Result<std::string>(const std::string& socket, const std::string& method, const std::string& path)>;

/// Gives a command ("accept", "hold"), after which the release must be in `state`. Error `release.admin`.
inline Result<void> tell_release(const AdminCall& admin, const std::string& socket, const std::string& id,
                                 const std::string& command, const std::string& state) {
  auto answer = admin(socket, "POST", "/admin/" + command);
  if (!answer.ok()) return std::move(answer).error().during(fmt::format("telling release {} to {}", id, command));
  if (answer->find("\"" + state + "\"") != std::string::npos) return {};
  return Error("release.admin", fmt::format("told to {}, release {} answered: {}", command, id, *answer));
}

/// What came of the order to hold.
enum class Held {
  kHolds,
  kHangs,  ///< it answered nothing in time, twice
  kGone,   ///< nobody is there to answer: its process ended, or is just starting
};

/// Tells it to hold. Error `release.admin`: it answers, but does something else.
inline Result<Held> hold_release(const AdminCall& admin, const std::string& socket, const std::string& id) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto told = tell_release(admin, socket, id, "hold", "holding");
    if (told.ok()) return Held::kHolds;
    if (told.error().code == "release.admin") return std::move(told).error();
    if (told.error().code != "http.timeout") return Held::kGone;
  }
  return Held::kHangs;
}

}  // namespace sentinel
