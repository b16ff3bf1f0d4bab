// SPDX-License-Identifier: Apache-2.0
// What Cloudflare says of a zone, over its API (https://developers.cloudflare.com/api/): settings, records, rules that
// override them. Reads only. The token goes to the API's own address and nowhere else: no redirect is followed, and no
// other address than one of this very machine (a test's) can stand in for it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/outside/web.h"
#include "core/model/observation.h"

namespace sentinel {

inline constexpr const char* kCloudflareTokenVariable = "CLOUDFLARE_API_TOKEN";

struct CloudflareAccess {
  std::string base;  ///< without a slash at its end
  std::string ca_file;
  Secret token;
};

/// Of the environment: CLOUDFLARE_API_TOKEN, and for tests SENTINEL_CLOUDFLARE_API (https on 127.0.0.1 or ::1 only)
/// with SENTINEL_CLOUDFLARE_CA. Errors `cloudflare.no-token`, `cloudflare.base`.
Result<CloudflareAccess> cloudflare_access(
    const std::function<std::optional<std::string>(const std::string&)>& variable);

/// The answer's `result`, with all pages of a list. Errors: those of ask_web; `cloudflare.token` (refused as such),
/// `cloudflare.forbidden` (the token may not read this), `cloudflare.absent` (404), `cloudflare.rate-limited`,
/// `cloudflare.answer` (no JSON of the documented shape).
class CloudflareApi {
 public:
  explicit CloudflareApi(CloudflareAccess access) : access_(std::move(access)) {}

  std::vector<Result<nlohmann::json>> get(const std::vector<std::string>& paths) const;

 private:
  WebRequest request(const std::string& path) const;

  CloudflareAccess access_;
};

/// Observations of the zone that `domain` is in, by probe name:
///   cloudflare.zone          {name, status, paused}
///   cloudflare.dns           {records: [{type, name, content, proxied}]}
///   cloudflare.settings      {ssl: "strict", always_use_https: "on", ...}; a setting that can't be read: {error: text}
///   cloudflare.config-rules  {rules: [{id, enabled, expression, settings}]}
///   cloudflare.cache-rules   {present, rules: [{id, enabled, action, cache, expression}]}
///   cloudflare.page-rules    {rules: [{id, enabled, targets: [pattern], actions: {ssl: "flexible"}}]}
///   cloudflare.bot           {fight_mode}
/// What can't be read is an observation with its error.
Observations observe_cloudflare(const CloudflareApi& api, const std::string& domain);

}  // namespace sentinel
