// SPDX-License-Identifier: Apache-2.0
#include "proxy/auth/profile.h"

#include "core/model/json.h"

namespace sentinel::proxy {
namespace {

using Json = nlohmann::json;

bool read_text(const Json& object, const char* name, std::string& into) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return false;
  into = found->get<std::string>();
  return true;
}

bool read_optional(const Json& object, const char* name, std::optional<std::string>& into) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return true;
  return found->is_string() && read_text(object, name, into.emplace());
}

Json or_null(const std::optional<std::string>& value) {
  return value ? Json(*value) : Json();
}

std::optional<Profile> read_profile(const Json& object) {
  Profile profile;
  if (!object.is_object() || !object.contains("emailVerified") || !object["emailVerified"].is_boolean()) {
    return std::nullopt;
  }
  profile.email_verified = object["emailVerified"].get<bool>();
  const bool whole = read_text(object, "id", profile.id) && read_text(object, "email", profile.email) &&
                     read_text(object, "createdAt", profile.created_at) &&
                     read_optional(object, "name", profile.name) &&
                     read_optional(object, "externalId", profile.external_id) &&
                     read_optional(object, "lastLoginAt", profile.last_login_at);
  if (!whole) return std::nullopt;
  return profile;
}

}  // namespace

std::optional<Profile> profile_of_answer(const std::string& body) {
  const Result<Json> json = parse_json(body);
  if (!json.ok() || !json->is_object() || !json->contains("success") || !json->contains("data")) return std::nullopt;
  return read_profile((*json)["data"]);
}

std::optional<Profile> profile_of_cache(const std::string& text) {
  const Result<Json> json = parse_json(text);
  if (!json.ok()) return std::nullopt;
  return read_profile(*json);
}

std::string profile_to_cache(const Profile& profile) {
  return to_text(Json{{"id", profile.id},
                      {"email", profile.email},
                      {"name", or_null(profile.name)},
                      {"externalId", or_null(profile.external_id)},
                      {"emailVerified", profile.email_verified},
                      {"createdAt", profile.created_at},
                      {"lastLoginAt", or_null(profile.last_login_at)}});
}

}  // namespace sentinel::proxy
