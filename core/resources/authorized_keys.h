// SPDX-License-Identifier: Apache-2.0
// Kind `authorized_keys`: lines of ~user/.ssh/authorized_keys (sshd(8), "AUTHORIZED_KEYS FILE FORMAT"). A key is its
// type and blob; its options count too, its comment doesn't. Lines that aren't ours stay as they are, unless exclusive.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/model/plan.h"
#include "core/resources/look.h"
#include "core/resources/path_state.h"

namespace sentinel {

struct AuthorizedKeysState {
  bool user_exists = false;
  std::string group;    ///< the user's primary one
  std::string path;     ///< of the file; a guess while the user doesn't exist
  PathState directory;  ///< ~/.ssh
  PathState file;
  std::vector<std::string> keys;  ///< fingerprints of the lines that hold keys, in order, options folded in

  bool operator==(const AuthorizedKeysState&) const = default;
};

void to_json(nlohmann::json& json, const AuthorizedKeysState& value);
void from_json(const nlohmann::json& json, AuthorizedKeysState& value);

Result<AuthorizedKeysState> observe(const AuthorizedKeys& want, Look& look);
Result<Step> plan(const AuthorizedKeys& want, const AuthorizedKeysState& now, Look& look);
/// The file as it was; a directory that was made for it stays.
std::optional<ResourceBody> restored(const AuthorizedKeys& managed, const AuthorizedKeysState& then);

/// One line that holds a key.
struct AuthorizedKey {
  std::string options;  ///< as written; empty: none
  std::string type;
  std::string blob;  ///< base64
  std::string comment;

  /// What ssh-keygen -l prints: "SHA256:" and unpadded base64.
  std::string fingerprint() const;

  bool same_key(const AuthorizedKey& other) const { return type == other.type && blob == other.blob; }
};

/// Nothing for comments, blank lines and what isn't a key.
std::optional<AuthorizedKey> parse_authorized_key(std::string_view line);

}  // namespace sentinel
