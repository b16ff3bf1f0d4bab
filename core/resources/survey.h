// SPDX-License-Identifier: Apache-2.0
// The registry of resource kinds: observe and plan any resource. Per kind there are two free functions in one file
// (observe looks and can't act, plan is pure); this class dispatches to them and shares what several resources of one kind
// need (one parse of dpkg's status file, one `systemctl show`), because process starts are what costs.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/secret.h"
#include "core/model/plan.h"
#include "core/system/reader.h"

namespace sentinel {

/// Everything observing may use beside the machine.
struct Surroundings {
  Reader& machine;
  /// Serialized bytes of a content, if they are here; otherwise the content is reported as missing.
  std::function<std::optional<std::string>(const ContentRef&)> content;
  /// Value of a secret; null when it has none yet (a generated one before the first transaction).
  std::function<const Secret*(const std::string&)> secret;
  /// Key under which contents with secrets are named (HMAC), so that states and journals hold no digest of them.
  Secret host_key;
  /// TCP ports that must stay open whatever the firewall resource says: the one this session uses, the next one's.
  std::vector<std::string> keep_open;
  /// Takes contents that a plan makes itself (a sysctl file, authorized keys), so that its actions, which name them by
  /// SHA-256, find them: the blob store. Without it such a plan can be shown, but not run.
  std::function<Result<void>(std::string_view bytes)> keep = {};
};

class Look;

class Survey {
 public:
  explicit Survey(Surroundings surroundings);
  ~Survey();
  Survey(const Survey&) = delete;
  Survey& operator=(const Survey&) = delete;

  /// Looks at everything these resources share in as few process starts as possible. Optional, for speed.
  void prefetch(const std::vector<Resource>& resources);

  /// What the machine has now for that resource: canonical JSON of the kind's state, without secrets.
  Result<nlohmann::json> observe(const ResourceBody& body);

  /// What would have to be done; no changes: already so. Pure but for looking up contents.
  Result<Step> plan(const Resource& resource, const nlohmann::json& state);

  /// Contents that were needed (a file that differs, or one with secrets) and are not here; the plan is not final while
  /// there are any.
  const std::vector<ContentRef>& missing() const;

  /// To be called after something was changed: shared looks are taken again.
  void forget();

  /// What resources share, for whoever else looks at the same machine at the same time: both then read it once.
  Look& look();

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

/// The resource that brings the machine back to `then`, a state observed earlier for `managed`; contents it refers to are
/// those the state names. Nothing for kinds that have no state to go back to (a command).
std::optional<ResourceBody> restored(const ResourceBody& managed, const nlohmann::json& then);

/// The part of a state that a revert has to bring back: without its member "stale" (a daemon that runs with older files
/// than those on disk), which effects pay and which comparing states before and after a revert would trip over.
nlohmann::json lasting(nlohmann::json state);

}  // namespace sentinel
