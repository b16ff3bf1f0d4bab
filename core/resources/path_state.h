// SPDX-License-Identifier: Apache-2.0
// What stands at a path, as a state: shared by every kind that owns files, directories or links.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "core/model/plan.h"
#include "core/resources/look.h"

namespace sentinel {

struct PathState {
  std::string type = "absent";  ///< absent, file, directory, link, other
  std::string content;          ///< of a file: SHA-256, or a sensitive name (core/resources/look.h)
  std::uint64_t size = 0;       ///< of a file
  std::string owner;            ///< of a file or directory; decimal when the id has no name
  std::string group;
  std::uint32_t mode = 0;
  std::string target;  ///< of a link

  bool exists() const { return type != "absent"; }

  bool operator==(const PathState&) const = default;
};

void to_json(nlohmann::json& json, const PathState& value);
void from_json(const nlohmann::json& json, PathState& value);

/// How to look at a path.
struct PathQuestion {
  std::string path;
  /// Wanted ones, so that "1000" and the name of user 1000 count as the same.
  std::string owner;
  std::string group;
  bool sensitive = false;             ///< name the content by HMAC whatever its mode
  bool private_is_sensitive = false;  ///< name it so when others can't read the file
};

/// Texts of contents that aren't sensitive are remembered in `look`.
Result<PathState> observe_path(const PathQuestion& question, Look& look);

/// Actions that bring `path` back to `then`; contents are captured right before acting. Nothing for "other".
std::vector<Action> undo_path(const std::string& path, const PathState& then);

/// The resource that brings the path back to `then`.
std::optional<ResourceBody> restored_path(const std::string& path, const PathState& then, FileFormat format);

/// "root:root 0644", "link to x", "absent": one phrase for a person.
std::string shown(const PathState& state);

/// What a mistake in this file can cost.
Risk risk_of_path(const std::string& path);

}  // namespace sentinel
