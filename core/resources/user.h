// SPDX-License-Identifier: Apache-2.0
// Kind `user`: an account of /etc/passwd with its groups. A removed user's home directory stays; one that was made by a
// transaction goes with its revert.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/model/plan.h"
#include "core/resources/look.h"
#include "core/resources/path_state.h"

namespace sentinel {

/// Attributes of a file that removing a user rewrites.
struct AccountFile {
  std::string path;
  std::string owner;
  std::string group;
  std::uint32_t mode = 0;

  bool operator==(const AccountFile&) const = default;
};

struct UserState {
  bool exists = false;
  std::uint32_t uid = 0;
  std::string group;                ///< primary
  std::vector<std::string> groups;  ///< of the wanted and unwanted ones, those the user is in; sorted
  std::string home;
  std::string shell;
  std::string comment;
  bool home_exists = false;                ///< of a user to be made: the home directory is there already and isn't ours
  std::optional<std::uint32_t> own_group;  ///< of a user to be made: gid of a group of that name that is there already
  std::vector<AccountFile> files;          ///< of a user to be removed
  bool empty_password = false;             ///< whoever asks for this user's login gets in without one

  bool operator==(const UserState&) const = default;
};

void to_json(nlohmann::json& json, const UserState& value);
void from_json(const nlohmann::json& json, UserState& value);

Result<UserState> observe(const User& want, Look& look);
Result<Step> plan(const User& want, const UserState& now);
std::optional<ResourceBody> restored(const User& managed, const UserState& then);

/// The home directory a user made by this resource gets.
std::string home_of(const User& user);

}  // namespace sentinel
