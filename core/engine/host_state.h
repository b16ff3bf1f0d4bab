// SPDX-License-Identifier: Apache-2.0
// Everything Sentinel remembers on one host, opened over one System: build one of these in main and hand it to planner,
// transaction and recovery.
#pragma once

#include <string>

#include "core/engine/audit_log.h"
#include "core/engine/blob_store.h"
#include "core/engine/generations.h"
#include "core/engine/secret_store.h"
#include "core/engine/state_directory.h"
#include "core/resources/survey.h"

namespace sentinel {

struct HostState {
  explicit HostState(System& machine_, StateDirectory directory_ = {});

  /// What a Survey needs, over this host's blobs and a view of its secrets. The view must outlive the survey.
  Result<Surroundings> surroundings(SecretView& secrets_view, const std::vector<std::string>& keep_open);

  System& machine;
  StateDirectory directory;
  BlobStore blobs;
  SecretStore secrets;
  Generations generations;
  AuditLog audit;
};

}  // namespace sentinel
