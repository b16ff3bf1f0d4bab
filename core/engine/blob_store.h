// SPDX-License-Identifier: Apache-2.0
// Bytes by name: wanted and previous contents, package lists, firewall snapshots. A name is the SHA-256 of the bytes,
// or "hmac:<hex>" under the host key for bytes that hold (or may hold) secrets, because from a plain digest a short
// secret can be guessed. Both are the names that observed states use (core/resources/look.h).
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base/secret.h"
#include "core/engine/state_directory.h"

namespace sentinel {

class BlobStore {
 public:
  BlobStore(System& machine, StateDirectory directory);

  /// Durable when it returns; a blob that is already there is not written again. Returns its name.
  Result<std::string> put(std::string_view bytes);
  Result<std::string> put_sensitive(std::string_view bytes, const Secret& host_key);
  /// The bytes, checked against their name unless it is an HMAC. `blob.missing`, `blob.corrupt`, `blob.bad-name`.
  Result<std::string> get(const std::string& name);
  bool has(const std::string& name);
  /// Removes blobs that are not in `referenced` and were stored before `unused_before`: younger ones may be meant for a
  /// transaction that has not begun yet.
  Result<void> prune(const std::set<std::string>& referenced, std::chrono::system_clock::time_point unused_before);

  /// Every string anywhere in `json` that has the form of a blob name, added to `names`: what journals and generations
  /// refer to.
  static void collect_names(const nlohmann::json& json, std::set<std::string>& names);

 private:
  Result<void> store(const std::string& name, std::string_view bytes);

  System& machine_;
  StateDirectory directory_;
};

}  // namespace sentinel
