// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/debug_handler.h"

#include <fmt/format.h>

#include "proxy/json/cursor.h"
#include "proxy/pipeline/percent.h"

namespace sentinel::proxy {
namespace {

constexpr std::string_view kAuthPrefix = "/debug/auth/";
constexpr std::string_view kDisabled =
    R"({"error":{"message":"Debug endpoints are disabled. Set SENTINEL_DEBUG=true to enable.",)"
    R"("type":"not_found_error","code":"debug_disabled"}})";

std::string cache_json(const DebugFacts::Cache& cache) {
  std::string samples;
  for (const std::string& key : cache.samples) samples.append(samples.empty() ? "" : ",").append(json_quoted(key));
  return fmt::format(R"({{"keys_count":{},"sample_keys":[{}]}})", cache.keys, samples);
}

}  // namespace

std::string DebugHandler::answer(std::string_view path) const {
  switch (question_) {
    case Question::kCache:
      return fmt::format(R"({{"limits_cache":{},"jwt_cache":{},"profile_cache":{},"redis_available":{}}})",
                         cache_json({}), cache_json({}), cache_json(facts_.profiles()), facts_.redis_connected());
    case Question::kAuth:
      // Limits are not cached by user here; -2 says that there is no such key.
      return fmt::format(R"({{"external_id":{},"cached_limits":null,"cache_ttl_remaining_seconds":-2}})",
                         json_quoted(percent_decoded(path.substr(kAuthPrefix.size()))));
    case Question::kConfig: break;
  }
  return fmt::format(R"({{"zion_api_url":{},"openai_api_url":{},"cache_ttl_seconds":{},"jwt_cache_ttl_seconds":{},)"
                     R"("redis_connected":{},"debug_enabled":true}})",
                     json_quoted(facts_.zion_api_url), json_quoted(facts_.openai_api_url), facts_.cache_ttl_seconds,
                     facts_.jwt_cache_ttl_seconds, facts_.redis_connected());
}

Task<void> DebugHandler::handle(RequestContext& context) {
  if (!facts_.enabled) {
    context.error_code = "debug_disabled";
    co_await context.answer(404, std::string(kDisabled));
    co_return;
  }
  co_await context.answer(200, answer(context.exchange.head().path));
}

}  // namespace sentinel::proxy
