// SPDX-License-Identifier: Apache-2.0
// The proxy's settings: environment variables, or the same keys in a YAML file; the environment wins. Everything is
// checked before anything starts.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/result.h"
#include "core/base/secret.h"
#include "proxy/auth/jwks_authenticator.h"
#include "proxy/limits/reservations.h"
#include "proxy/net/http_server.h"
#include "proxy/net/listen.h"
#include "proxy/operation/upstream_settings.h"
#include "proxy/redis/redis_address.h"
#include "proxy/usage/usage_reporter.h"

namespace sentinel::proxy {

/// Who may be given an answer that was kept: nobody, the same user, anybody.
enum class ResponseCacheUse { kOff, kUser, kShared };

struct Settings {
  std::string host = "0.0.0.0";             ///< SENTINEL_HOST: an address
  std::uint16_t port = 8080;                ///< SENTINEL_PORT; 0: any free one
  std::string operator_host = "127.0.0.1";  ///< SENTINEL_METRICS_HOST
  std::uint16_t operator_port = 9464;       ///< SENTINEL_METRICS_PORT: /metrics and /health*
  unsigned workers = 0;                     ///< SENTINEL_WORKERS; 0: as many as cores
  std::string keys_file;  ///< SENTINEL_KEYS_FILE: see auth/static_keys.h; may be empty with an account service

  std::optional<BaseUrl> zion_url;                 ///< ZION_API_URL; none: static keys only
  Secret zion_key;                                 ///< ZION_API_KEY
  std::chrono::milliseconds zion_timeout{10'000};  ///< SENTINEL_ZION_TIMEOUT_SECONDS, of a whole call
  std::chrono::seconds profile_ttl{300};           ///< JWT_CACHE_TTL_SECONDS; 0: not cached
  std::chrono::seconds refused_ttl{0};             ///< SENTINEL_NEGATIVE_CACHE_SECONDS; 0: not cached
  std::chrono::seconds stale{3600};                ///< SENTINEL_STALE_SECONDS: past the TTL, while Zion is away
  std::size_t profile_cache_entries = 10'000;      ///< SENTINEL_PROFILE_CACHE_ENTRIES

  std::optional<JwksOptions> jwks;  ///< SENTINEL_JWKS (path or address), SENTINEL_JWT_ISSUER, SENTINEL_JWT_AUDIENCE

  std::optional<RedisAddress> redis;         ///< REDIS_URL; none: limits and caches in process
  std::string redis_ca_file;                 ///< SENTINEL_REDIS_CA_FILE: whom to trust of rediss; empty: as ca_file
  std::chrono::milliseconds redis_time{20};  ///< SENTINEL_REDIS_TIMEOUT_SECONDS, of a command

  UserLimits user_limits;  ///< SENTINEL_TOKENS_PER_MINUTE, _TOKEN_BUDGET, _TOKEN_BUDGET_PERIOD, _MAX_CONCURRENT
  std::int64_t output_guess = 1024;  ///< SENTINEL_DEFAULT_OUTPUT_TOKENS: reserved when a request names no maximum
  bool quota = false;                ///< SENTINEL_QUOTA: enforce the quota Zion knows
  std::string state_directory;       ///< SENTINEL_STATE_DIRECTORY, or systemd's; empty: no journal
  UsageTimes usage_times;            ///< SENTINEL_USAGE_FLUSH_SECONDS, _CIRCUIT_SECONDS, _RETRY_SECONDS
  UsageReporter::Sync usage_sync = UsageReporter::Sync::kSoon;  ///< SENTINEL_USAGE_FSYNC: always, soon, never

  UpstreamSettings upstream;                      ///< SENTINEL_UPSTREAMS, SENTINEL_MODELS, …: see upstream_settings.h
  std::string ca_file;                            ///< SENTINEL_CA_FILE: whom to trust; empty: the system's bundle
  PoolLimits pool;                                ///< SENTINEL_POOL_CONNECTIONS, SENTINEL_POOL_IDLE_SECONDS
  std::int64_t rate_limit = 100;                  ///< SENTINEL_RATE_LIMIT: requests per minute and user
  std::size_t most_body = std::size_t{32} << 20;  ///< SENTINEL_MAX_BODY_BYTES
  std::chrono::milliseconds keep_alive{15'000};   ///< SENTINEL_KEEP_ALIVE_SECONDS: silence before a comment
  std::chrono::milliseconds connect{10'000};      ///< SENTINEL_CONNECT_TIMEOUT_SECONDS, of an upstream
  std::chrono::milliseconds upstream_idle{120'000};  ///< SENTINEL_UPSTREAM_IDLE_SECONDS: without a byte
  std::chrono::milliseconds drain{30'000};           ///< SENTINEL_DRAIN_SECONDS: after SIGTERM
  bool passthrough_errors = true;                    ///< SENTINEL_PASSTHROUGH_ERRORS: see pipeline/upstream_error.h
  bool cors = true;                                  ///< SENTINEL_CORS: browsers of any origin may call
  bool debug = false;                                ///< SENTINEL_DEBUG: /debug/* answers
  bool operator_on_api = false;                      ///< SENTINEL_OPERATOR_ON_API: /metrics and /debug/* there too
  bool ready_needs_redis = false;                    ///< SENTINEL_READY_NEEDS_REDIS: /health/ready is 503 without it
  /// SENTINEL_PASSTHROUGH: paths under /v1 that pass as they are, separated by commas; a trailing '*' for any rest.
  std::vector<std::string> passthrough{"/v1/moderations", "/v1/audio/*", "/v1/images/*", "/v1/responses/*"};
  ResponseCacheUse response_cache = ResponseCacheUse::kOff;  ///< SENTINEL_RESPONSE_CACHE: off, user or shared
  std::size_t response_cache_bytes = std::size_t{64} << 20;  ///< SENTINEL_RESPONSE_CACHE_BYTES
  std::chrono::seconds cache_ttl{300};                       ///< CACHE_TTL_SECONDS: of answers and quotas
  std::vector<ListenAddress> listen;                         ///< SENTINEL_LISTEN; else host and port
  std::vector<ListenAddress> operator_listen;                ///< SENTINEL_METRICS_LISTEN; else its host and port
  SocketAccess socket;             ///< SENTINEL_SOCKET_OWNER, _GROUP, _MODE: of the unix sockets listened on
  std::string admin_socket;        ///< SENTINEL_ADMIN_SOCKET: path of the hand-over's socket; empty: none
  bool accept_on_command = false;  ///< SENTINEL_ACCEPT_ON_COMMAND: listen, but accept only when told to
  ServerLimits server;             ///< SENTINEL_MAX_HEAD_BYTES and what follows it in settings.cc
};

struct LoadedSettings {
  Settings settings;
  std::map<std::string, std::string> values;  ///< as written; secrets are in it
  Errors errors;                              ///< all that is wrong; then the settings are not to be used
};

/// `config_file` empty: only the environment. Errors `proxy.setting`, `proxy.url` and those of reading YAML.
LoadedSettings load_settings(const Environment& environment, const std::string& config_file);

}  // namespace sentinel::proxy
