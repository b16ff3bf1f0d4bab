// SPDX-License-Identifier: Apache-2.0
// The file of `plan --out`: what `apply FILE` does exactly, or refuses. Holds no value of a secret. docs/formats/plan.md.
#pragma once

#include <string>
#include <vector>

#include "core/model/plan.h"
#include "core/model/request.h"
#include "core/wire/agent_client.h"

namespace sentinel {

struct SavedHostPlan {
  std::string transaction;  ///< the id it is applied under: a host's agent takes each once
  Request request;
  Contents contents;
  Plan plan;                ///< with the digest of what was observed
};

struct SavedPlan {
  std::string created;         ///< RFC 3339
  std::string project;
  std::string project_digest;  ///< of sentinel.yaml: another one today means that the project changed since
  std::vector<SavedHostPlan> hosts;

  const SavedHostPlan* find(const std::string& host) const;
};

/// Mode 0600: contents may be confidential even without secrets.
Result<void> write_saved_plan(const std::string& path, const SavedPlan& plan);
/// Errors `plan.unreadable` (usage) for anything that isn't a whole plan of this version; `plan.damaged` when a content
/// isn't what its name says.
Result<SavedPlan> read_saved_plan(const std::string& path);

/// SHA-256 of the project file; empty when there is none.
std::string digest_of_project(const std::string& directory);

}  // namespace sentinel
