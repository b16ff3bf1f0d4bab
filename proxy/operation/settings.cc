// SPDX-License-Identifier: Apache-2.0
// One line per setting.
#include "proxy/operation/settings.h"

#include <fmt/format.h>

#include "proxy/operation/user_settings.h"

namespace sentinel::proxy {
namespace {

std::vector<ListenAddress> read_addresses(SettingsReader& reader, const std::string& name) {
  std::vector<ListenAddress> addresses;
  for (const std::string& text : reader.list(name)) {
    Result<ListenAddress> address = parse_listen_address(text);
    if (address.ok()) {
      addresses.push_back(std::move(*address));
    } else {
      reader.add(std::move(address).error().during("reading " + name));
    }
  }
  return addresses;
}

void read_passthrough(SettingsReader& reader, std::vector<std::string>& into) {
  const std::string name = "SENTINEL_PASSTHROUGH";
  if (!reader.is_set(name)) return;
  into = reader.list(name);
  for (const std::string& path : into) {
    if (path.starts_with("/v1/") && path.find_first_of(" \t") == std::string::npos) continue;
    reader.wrong(name, fmt::format("names '{}', which is no path below /v1/", path));
  }
}

void read_response_cache(SettingsReader& reader, Settings& settings) {
  const std::string use = reader.text("SENTINEL_RESPONSE_CACHE").value_or("off");
  if (use == "user") {
    settings.response_cache = ResponseCacheUse::kUser;
  } else if (use == "shared") {
    settings.response_cache = ResponseCacheUse::kShared;
  } else if (use != "off") {
    reader.wrong("SENTINEL_RESPONSE_CACHE", "must be off, user or shared");
  }
  reader.number("SENTINEL_RESPONSE_CACHE_BYTES", settings.response_cache_bytes, 0, std::uint64_t{1} << 34);
  std::uint32_t ttl = 300;
  reader.number("CACHE_TTL_SECONDS", ttl, 1, 31'536'000);
  settings.cache_ttl = std::chrono::seconds(ttl);
}

void read_listeners(SettingsReader& reader, Settings& settings) {
  settings.listen = read_addresses(reader, "SENTINEL_LISTEN");
  if (settings.listen.empty()) settings.listen = {ListenAddress::tcp(settings.host, settings.port)};
  settings.operator_listen = read_addresses(reader, "SENTINEL_METRICS_LISTEN");
  if (settings.operator_listen.empty()) {
    settings.operator_listen = {ListenAddress::tcp(settings.operator_host, settings.operator_port)};
  }
  settings.socket.owner = reader.text("SENTINEL_SOCKET_OWNER").value_or("");
  settings.socket.group = reader.text("SENTINEL_SOCKET_GROUP").value_or("");
  if (const std::optional<std::string> mode = reader.text("SENTINEL_SOCKET_MODE")) {
    const bool octal = !mode->empty() && mode->size() <= 4 && mode->find_first_not_of("01234567") == std::string::npos;
    const unsigned long bits = octal ? std::stoul(*mode, nullptr, 8) : 0;
    if (!octal || bits > 0777) {
      reader.wrong("SENTINEL_SOCKET_MODE", "must be permission bits from 0 to 777, as 0660");
    } else {
      settings.socket.mode = static_cast<mode_t>(bits);
    }
  }
  settings.admin_socket = reader.text("SENTINEL_ADMIN_SOCKET").value_or("");
  if (!settings.admin_socket.empty() && settings.admin_socket.front() != '/') {
    reader.wrong("SENTINEL_ADMIN_SOCKET", "must be an absolute path");
  }
  reader.flag("SENTINEL_ACCEPT_ON_COMMAND", settings.accept_on_command);
  if (settings.accept_on_command && settings.admin_socket.empty()) {
    reader.wrong("SENTINEL_ACCEPT_ON_COMMAND", "needs SENTINEL_ADMIN_SOCKET, where the command comes from");
  }
}

void read_server_limits(SettingsReader& reader, ServerLimits& limits) {
  reader.number("SENTINEL_MAX_HEAD_BYTES", limits.head.bytes, 1024, std::uint64_t{1} << 20);
  reader.number("SENTINEL_MAX_HEAD_FIELDS", limits.head.fields, 8, 1000);
  reader.number("SENTINEL_MAX_CONNECTIONS", limits.connections, 1, 1'000'000);
  reader.seconds("SENTINEL_HEAD_SECONDS", limits.head_time);
  reader.seconds("SENTINEL_BODY_IDLE_SECONDS", limits.body_idle);
  reader.seconds("SENTINEL_BODY_GRACE_SECONDS", limits.body_grace);
  reader.number("SENTINEL_BODY_BYTES_PER_SECOND", limits.body_rate, 1, std::uint64_t{1} << 30);
  reader.seconds("SENTINEL_WRITE_IDLE_SECONDS", limits.write.idle);
  reader.seconds("SENTINEL_WRITE_GRACE_SECONDS", limits.write.grace);
  reader.number("SENTINEL_WRITE_BYTES_PER_SECOND", limits.write.rate, 1, std::uint64_t{1} << 30);
  reader.seconds("SENTINEL_IDLE_SECONDS", limits.keep_alive);
  reader.seconds("SENTINEL_DRAIN_IDLE_SECONDS", limits.drain_idle);
}

}  // namespace

LoadedSettings load_settings(const Environment& environment, const std::string& config_file) {
  LoadedSettings loaded;
  Settings& settings = loaded.settings;
  SettingsReader reader(environment, config_file);
  settings.host = reader.text("SENTINEL_HOST").value_or(settings.host);
  reader.number("SENTINEL_PORT", settings.port, 0, 65'535);
  settings.operator_host = reader.text("SENTINEL_METRICS_HOST").value_or(settings.operator_host);
  reader.number("SENTINEL_METRICS_PORT", settings.operator_port, 0, 65'535);
  reader.number("SENTINEL_WORKERS", settings.workers, 0, 256);
  reader.number("SENTINEL_MAX_BODY_BYTES", settings.most_body, 1024, std::uint64_t{1} << 30);
  reader.seconds("SENTINEL_KEEP_ALIVE_SECONDS", settings.keep_alive);
  reader.seconds("SENTINEL_CONNECT_TIMEOUT_SECONDS", settings.connect);
  reader.seconds("SENTINEL_UPSTREAM_IDLE_SECONDS", settings.upstream_idle);
  reader.seconds("SENTINEL_DRAIN_SECONDS", settings.drain);
  reader.flag("SENTINEL_PASSTHROUGH_ERRORS", settings.passthrough_errors);
  reader.flag("SENTINEL_CORS", settings.cors);
  reader.flag("SENTINEL_DEBUG", settings.debug);
  reader.flag("SENTINEL_OPERATOR_ON_API", settings.operator_on_api);
  reader.flag("SENTINEL_READY_NEEDS_REDIS", settings.ready_needs_redis);
  if (settings.ready_needs_redis && !reader.is_set("REDIS_URL")) {
    reader.wrong("SENTINEL_READY_NEEDS_REDIS", "needs REDIS_URL, which says where Redis is");
  }
  read_passthrough(reader, settings.passthrough);
  read_response_cache(reader, settings);
  read_listeners(reader, settings);
  read_server_limits(reader, settings.server);

  read_user_settings(reader, settings);
  settings.upstream = read_upstream_settings(reader, environment, {settings.connect, settings.upstream_idle});
  settings.ca_file = reader.text("SENTINEL_CA_FILE").value_or("");
  reader.number("SENTINEL_POOL_CONNECTIONS", settings.pool.most_idle, 0, 10'000);
  reader.seconds("SENTINEL_POOL_IDLE_SECONDS", settings.pool.idle_time);
  loaded.values = reader.values();
  loaded.errors = reader.finish();
  return loaded;
}

}  // namespace sentinel::proxy
