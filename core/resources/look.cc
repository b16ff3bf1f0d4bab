// SPDX-License-Identifier: Apache-2.0
// Wanted contents are looked up through the surroundings each time: the agent fetches missing ones and asks again.
#include "core/resources/look.h"

#include <algorithm>

#include "core/base/digest.h"

namespace sentinel {

Result<std::optional<Content>> Look::content(const ContentRef& reference) {
  const auto noted = std::find(missing_.begin(), missing_.end(), reference);
  const auto bytes = surroundings_.content(reference);
  if (!bytes) {
    if (noted == missing_.end()) missing_.push_back(reference);
    return std::optional<Content>{};
  }
  if (noted != missing_.end()) missing_.erase(noted);
  SENTINEL_TRY(auto parsed, Content::parse(*bytes, reference.holes));
  return std::optional<Content>(std::move(parsed));
}

Result<ContentRef> Look::keep(std::string text) {
  const Content content(std::move(text));
  if (surroundings_.keep) SENTINEL_CHECK(surroundings_.keep(content.serialize()));
  return reference_to(content);
}

const std::string* Look::remembered_text(const std::string& name) const {
  const auto found = texts_.find(name);
  return found == texts_.end() ? nullptr : &found->second;
}

void Look::forget() {
  shared_.clear();
  texts_.clear();
  removals_.clear();
}

std::string sensitive_name_of_digest(const Secret& host_key, std::string_view digest) {
  return "hmac:" + hmac_sha256_hex(host_key, digest);
}

std::string sensitive_name(const Secret& host_key, std::string_view bytes) {
  return sensitive_name_of_digest(host_key, sha256_hex(bytes));
}

bool is_sensitive_name(std::string_view name) {
  return name.starts_with("hmac:");
}

}  // namespace sentinel
