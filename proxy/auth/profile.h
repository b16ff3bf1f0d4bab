// SPDX-License-Identifier: Apache-2.0
// A user as the account service describes one, in its answer and in the cache entries that other versions of the proxy
// share: the same members in camelCase, absent ones as null.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/auth/authenticator.h"

namespace sentinel::proxy {

struct Profile {
  std::string id;
  std::string email;
  std::optional<std::string> name;
  std::optional<std::string> external_id;
  bool email_verified = false;
  std::string created_at;
  std::optional<std::string> last_login_at;

  /// Limits go by the external id where there is one.
  Identity identity() const { return {external_id ? *external_id : id, email}; }
};

/// {"success":…,"data":{profile}}; nothing when a required member is missing or of the wrong kind.
std::optional<Profile> profile_of_answer(const std::string& body);
std::optional<Profile> profile_of_cache(const std::string& text);
std::string profile_to_cache(const Profile& profile);

}  // namespace sentinel::proxy
