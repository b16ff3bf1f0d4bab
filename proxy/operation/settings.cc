// SPDX-License-Identifier: Apache-2.0
// One line per setting; a key of the file that nobody asked for is a mistake.
#include "proxy/operation/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "core/base/suggest.h"
#include "core/config/yaml.h"

namespace sentinel::proxy {
namespace {

class SettingsReader {
 public:
  SettingsReader(const Environment& environment, const std::string& config_file) : environment_(environment) {
    if (config_file.empty()) return;
    Result<Node> loaded = load_yaml(config_file, config_file);
    if (!loaded.ok()) {
      errors_.push_back(std::move(loaded).error());
    } else if (!loaded->is_mapping() && !loaded->is_null()) {
      errors_.push_back(
          Error("proxy.setting", "the configuration is not a mapping", {}, ExitCode::kUsage).at(loaded->position()));
    } else {
      file_ = std::move(*loaded);
    }
  }

  std::optional<std::string> text(const std::string& name) {
    known_.push_back(name);
    const Node* node = file_.find(name);
    if (node != nullptr && !node->is_scalar()) {
      wrong(name, "must be a plain value");
      node = nullptr;
    }
    if (std::optional<std::string> value = environment_(name)) return value;
    if (node == nullptr) return std::nullopt;
    return node->text;
  }

  template <typename Number>
  void number(const std::string& name, Number& into, std::uint64_t least, std::uint64_t most) {
    const std::optional<std::string> value = text(name);
    if (!value) return;
    std::uint64_t number = 0;
    const auto [end, failed] = std::from_chars(value->data(), value->data() + value->size(), number);
    if (value->empty() || failed != std::errc() || end != value->data() + value->size() || number < least ||
        number > most) {
      wrong(name, fmt::format("must be a whole number from {} to {}", least, most));
      return;
    }
    into = static_cast<Number>(number);
  }

  void flag(const std::string& name, bool& into) {
    const std::optional<std::string> value = text(name);
    if (!value) return;
    into = *value == "true" || *value == "1";
    if (!into && *value != "false" && *value != "0") wrong(name, "must be true, false, 1 or 0");
  }

  /// Paths below /v1/, separated by commas.
  void paths(const std::string& name, std::vector<std::string>& into) {
    const std::optional<std::string> value = text(name);
    if (!value) return;
    into.clear();
    std::string_view rest = *value;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      const std::string_view path = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (path.starts_with("/v1/") && path.find_first_of(" \t") == std::string_view::npos) {
        into.emplace_back(path);
      } else {
        wrong(name, fmt::format("names '{}', which is no path below /v1/", path));
      }
    }
  }

  void response_cache(const std::string& name, ResponseCacheUse& into) {
    const std::string value = text(name).value_or("off");
    if (value == "user") {
      into = ResponseCacheUse::kUser;
    } else if (value == "shared") {
      into = ResponseCacheUse::kShared;
    } else if (value != "off") {
      wrong(name, "must be off, user or shared");
    }
  }

  void seconds(const std::string& name, std::chrono::milliseconds& into) {
    const std::optional<std::string> value = text(name);
    if (!value) return;
    double number = 0;
    const auto [end, failed] = std::from_chars(value->data(), value->data() + value->size(), number);
    if (value->empty() || failed != std::errc() || end != value->data() + value->size() || !(number > 0) ||
        number > 86'400) {
      wrong(name, "must be seconds, more than 0 and at most 86400");
      return;
    }
    into = std::chrono::milliseconds(std::llround(number * 1000));
  }

  void wrong(const std::string& name, const std::string& what) {
    Error error("proxy.setting", fmt::format("{} {}", name, what), {}, ExitCode::kUsage);
    if (const Node* node = file_.find(name); node != nullptr && !environment_(name)) error.position = node->position();
    errors_.push_back(std::move(error));
  }

  void add(Error error) { errors_.push_back(std::move(error)); }

  Errors finish() {
    for (const Node::Entry& entry : file_.entries) {
      if (std::find(known_.begin(), known_.end(), entry.key.text) != known_.end()) continue;
      errors_.push_back(Error("proxy.setting", fmt::format("there is no setting '{}'", entry.key.text),
                              did_you_mean(entry.key.text, known_), ExitCode::kUsage)
                            .at(entry.key.position()));
    }
    return std::move(errors_);
  }

 private:
  const Environment& environment_;
  Node file_;
  std::vector<std::string> known_;
  Errors errors_;
};

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
  reader.number("SENTINEL_RATE_LIMIT", settings.rate_limit, 1, 1'000'000'000);
  reader.number("SENTINEL_MAX_BODY_BYTES", settings.most_body, 1024, std::uint64_t{1} << 30);
  reader.seconds("SENTINEL_KEEP_ALIVE_SECONDS", settings.keep_alive);
  reader.seconds("SENTINEL_CONNECT_TIMEOUT_SECONDS", settings.connect);
  reader.seconds("SENTINEL_UPSTREAM_IDLE_SECONDS", settings.upstream_idle);
  reader.seconds("SENTINEL_DRAIN_SECONDS", settings.drain);
  reader.flag("SENTINEL_PASSTHROUGH_ERRORS", settings.passthrough_errors);
  reader.flag("SENTINEL_CORS", settings.cors);
  reader.flag("SENTINEL_DEBUG", settings.debug);
  reader.flag("SENTINEL_OPERATOR_ON_API", settings.operator_on_api);
  reader.paths("SENTINEL_PASSTHROUGH", settings.passthrough);
  reader.response_cache("SENTINEL_RESPONSE_CACHE", settings.response_cache);
  reader.number("SENTINEL_RESPONSE_CACHE_BYTES", settings.response_cache_bytes, 0, std::uint64_t{1} << 34);
  std::uint32_t cache_ttl = 300;
  reader.number("CACHE_TTL_SECONDS", cache_ttl, 1, 31'536'000);
  settings.cache_ttl = std::chrono::seconds(cache_ttl);

  settings.keys_file = reader.text("SENTINEL_KEYS_FILE").value_or("");
  if (settings.keys_file.empty()) reader.wrong("SENTINEL_KEYS_FILE", "is needed: the file of hashed keys");
  Result<BaseUrl> url = parse_base_url(reader.text("OPENAI_API_URL").value_or("https://api.openai.com/v1"));
  if (!url.ok()) {
    reader.add(std::move(url).error().during("reading OPENAI_API_URL"));
  } else if (url->origin.tls) {
    reader.wrong("OPENAI_API_URL", "must be an http address: TLS to upstreams is not spoken yet");
  } else {
    settings.openai_url = std::move(*url);
  }
  std::string key = reader.text("OPENAI_API_KEY").value_or("");
  if (key.empty()) reader.wrong("OPENAI_API_KEY", "is needed");
  for (const char letter : key) {
    if (letter <= 0x20 || letter > 0x7e) {
      reader.wrong("OPENAI_API_KEY", "holds a byte that no header may hold");
      break;
    }
  }
  settings.openai_key = Secret(std::move(key));
  loaded.errors = reader.finish();
  return loaded;
}

}  // namespace sentinel::proxy
