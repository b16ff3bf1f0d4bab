// SPDX-License-Identifier: Apache-2.0
// Secrets on the host. The store keeps committed values (secrets/<name>, 0600) and the host key; SecretView is what one
// plan or transaction sees: the values that came with the request over those in the store. Values change only by a
// journalled step (kind "secret"), whose undo puts the previous value back, so a revert and a crash need no special
// case.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/secret.h"
#include "core/engine/blob_store.h"
#include "core/model/plan.h"
#include "core/model/request.h"

namespace sentinel {

class SecretStore {
 public:
  SecretStore(System& machine, StateDirectory directory);

  /// The key under which contents with secrets are named: 32 random bytes, made once by this call.
  Result<Secret> host_key();
  /// The committed value; nothing when there is none.
  Result<std::optional<Secret>> read(const std::string& name);
  /// Committed names, sorted.
  Result<std::vector<std::string>> names();

  /// Where the value of `name` lies (for LoadCredential= and the like).
  std::string path_of(const std::string& name) const { return directory_.secret(name); }

 private:
  System& machine_;
  StateDirectory directory_;
  std::optional<Secret> host_key_;
};

/// A name that can be a file name: letters, digits, `_`, `-`, `.`; not starting with a dot.
bool is_secret_name(const std::string& name);

class SecretView {
 public:
  /// `given` are the values that came with the request; they win over the store.
  SecretView(SecretStore& store, std::vector<SecretSpec> specs, SecretValues given);

  /// For Surroundings and the executor; null: no value yet.
  const Secret* find(const std::string& name);
  /// Makes values for generated secrets that have none, in memory; their step writes them. Call once acting begins.
  Result<void> generate_missing();

  /// What the store has for a secret: {"value": "hmac:…"} or {"value": null}; never the value.
  Result<nlohmann::json> observe(const SecretSpec& spec, const Secret& host_key);
  /// The step that brings the store to the wanted value; no changes when it has it. The content it writes (one hole) is
  /// put into `blobs`. A given secret without value and without a stored one is error `secret.no-value`.
  Result<Step> plan(const SecretSpec& spec, BlobStore& blobs);

  const std::vector<SecretSpec>& specs() const { return specs_; }

 private:
  SecretStore& store_;
  std::vector<SecretSpec> specs_;
  SecretValues values_;
  std::map<std::string, Secret> stored_;
};

}  // namespace sentinel
