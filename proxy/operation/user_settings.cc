// SPDX-License-Identifier: Apache-2.0
#include "proxy/operation/user_settings.h"

namespace sentinel::proxy {
namespace {

void whole_seconds(SettingsReader& reader, const std::string& name, std::chrono::seconds& into) {
  auto count = static_cast<std::uint64_t>(into.count());
  reader.number(name, count, 0, 30 * 86'400);
  into = std::chrono::seconds(count);
}

/// What may stand in a header.
Secret header_secret(SettingsReader& reader, const std::string& name) {
  std::string value = reader.text(name).value_or("");
  if (value.empty()) reader.wrong(name, "is needed");
  for (const char letter : value) {
    if (letter <= 0x20 || letter > 0x7e) {
      reader.wrong(name, "holds a byte that no header may hold");
      break;
    }
  }
  return Secret(std::move(value));
}

void read_jwks(SettingsReader& reader, Settings& settings) {
  JwksOptions options;
  const std::optional<std::string> source = reader.text("SENTINEL_JWKS");
  options.issuer = reader.text("SENTINEL_JWT_ISSUER").value_or("");
  options.audience = reader.text("SENTINEL_JWT_AUDIENCE").value_or("");
  whole_seconds(reader, "SENTINEL_JWKS_REFRESH_SECONDS", options.refresh);
  if (!source) return;
  if (options.issuer.empty()) reader.wrong("SENTINEL_JWT_ISSUER", "is needed with SENTINEL_JWKS");
  if (options.audience.empty()) reader.wrong("SENTINEL_JWT_AUDIENCE", "is needed with SENTINEL_JWKS");
  if (source->starts_with("/")) {
    options.source = *source;
  } else {
    Result<BaseUrl> url = parse_base_url(*source);
    if (!url.ok()) {
      reader.add(std::move(url).error().during("reading SENTINEL_JWKS"));
      return;
    }
    options.source = std::move(*url);
  }
  settings.jwks = std::move(options);
}

void read_account_service(SettingsReader& reader, Settings& settings) {
  settings.keys_file = reader.text("SENTINEL_KEYS_FILE").value_or("");
  if (const std::optional<std::string> address = reader.text("ZION_API_URL")) {
    Result<BaseUrl> url = parse_base_url(*address);
    if (!url.ok()) {
      reader.add(std::move(url).error().during("reading ZION_API_URL"));
    } else {
      settings.zion_url = std::move(*url);
    }
    settings.zion_key = header_secret(reader, "ZION_API_KEY");
  } else {
    reader.text("ZION_API_KEY");
    if (settings.keys_file.empty() && !settings.jwks) {
      reader.wrong("SENTINEL_KEYS_FILE", "is needed where there is neither ZION_API_URL nor SENTINEL_JWKS");
    }
  }
  reader.seconds("SENTINEL_ZION_TIMEOUT_SECONDS", settings.zion_timeout);
  whole_seconds(reader, "JWT_CACHE_TTL_SECONDS", settings.profile_ttl);
  whole_seconds(reader, "SENTINEL_NEGATIVE_CACHE_SECONDS", settings.refused_ttl);
  whole_seconds(reader, "SENTINEL_STALE_SECONDS", settings.stale);
  if (settings.jwks) settings.jwks->ttl = settings.profile_ttl;
  reader.number("SENTINEL_PROFILE_CACHE_ENTRIES", settings.profile_cache_entries, 16, 10'000'000);
}

void read_limits(SettingsReader& reader, Settings& settings) {
  constexpr std::uint64_t kMost = 1'000'000'000'000;
  reader.number("SENTINEL_RATE_LIMIT", settings.rate_limit, 1, 1'000'000'000);
  reader.number("SENTINEL_TOKENS_PER_MINUTE", settings.user_limits.tokens_per_minute, 0, kMost);
  reader.number("SENTINEL_TOKEN_BUDGET", settings.user_limits.budget, 0, kMost);
  const std::string period = reader.text("SENTINEL_TOKEN_BUDGET_PERIOD").value_or("month");
  if (period != "day" && period != "month") reader.wrong("SENTINEL_TOKEN_BUDGET_PERIOD", "must be day or month");
  settings.user_limits.period = period == "day" ? UserLimits::Period::kDay : UserLimits::Period::kMonth;
  reader.number("SENTINEL_MAX_CONCURRENT", settings.user_limits.concurrent, 0, 1'000'000);
  reader.number("SENTINEL_DEFAULT_OUTPUT_TOKENS", settings.output_guess, 0, 10'000'000);
  reader.flag("SENTINEL_QUOTA", settings.quota);
  if (settings.quota && !settings.zion_url) reader.wrong("SENTINEL_QUOTA", "needs ZION_API_URL");
}

void read_usage(SettingsReader& reader, Settings& settings) {
  settings.state_directory =
      reader.text("SENTINEL_STATE_DIRECTORY").value_or(reader.text("STATE_DIRECTORY").value_or(""));
  if (!settings.state_directory.empty() && settings.state_directory.front() != '/') {
    reader.wrong("SENTINEL_STATE_DIRECTORY", "must be an absolute path");
  }
  reader.seconds("SENTINEL_USAGE_FLUSH_SECONDS", settings.usage_times.flush);
  reader.seconds("SENTINEL_USAGE_CIRCUIT_SECONDS", settings.usage_times.open);
  reader.seconds("SENTINEL_USAGE_RETRY_SECONDS", settings.usage_times.retry);
  const std::string sync = reader.text("SENTINEL_USAGE_FSYNC").value_or("soon");
  using Sync = UsageReporter::Sync;
  if (sync != "always" && sync != "soon" && sync != "never") {
    reader.wrong("SENTINEL_USAGE_FSYNC", "must be always, soon or never");
  }
  settings.usage_sync = sync == "always" ? Sync::kAlways : sync == "never" ? Sync::kNever : Sync::kSoon;
}

void read_redis(SettingsReader& reader, Settings& settings) {
  reader.seconds("SENTINEL_REDIS_TIMEOUT_SECONDS", settings.redis_time);
  settings.redis_ca_file = reader.text("SENTINEL_REDIS_CA_FILE").value_or("");
  const std::optional<std::string> address = reader.text("REDIS_URL");
  if (!address) return;
  Result<RedisAddress> redis = parse_redis_url(*address);
  if (redis.ok()) {
    settings.redis = std::move(*redis);
  } else {
    reader.add(std::move(redis).error().during("reading REDIS_URL"));
  }
}

}  // namespace

void read_user_settings(SettingsReader& reader, Settings& settings) {
  read_jwks(reader, settings);
  read_account_service(reader, settings);
  read_limits(reader, settings);
  read_redis(reader, settings);
  read_usage(reader, settings);
}

}  // namespace sentinel::proxy
