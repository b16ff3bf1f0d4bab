// SPDX-License-Identifier: Apache-2.0
#include "cli/outside/cloudflare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace sentinel {
namespace {

constexpr const char* kApi = "https://api.cloudflare.com/client/v4";
constexpr std::chrono::seconds kDeadline{15};
/// Lists are read page by page up to this many; a zone has at most 3500 records, 100 a page.
constexpr int kMostPages = 40;
constexpr std::array<const char*, 9> kSettings = {
    "ssl",   "always_use_https", "min_tls_version", "websockets",   "http2",
    "http3", "security_level",   "challenge_ttl",   "browser_check"};

/// "https://127.0.0.1:8443" or "https://[::1]:8443", with nothing after it.
bool is_of_this_machine(const std::string& base) {
  for (const std::string prefix : {"https://127.0.0.1:", "https://[::1]:"}) {
    if (base.rfind(prefix, 0) != 0) continue;
    const auto port = base.substr(prefix.size());
    return !port.empty() && port.size() <= 5 &&
           std::all_of(port.begin(), port.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  }
  return false;
}

/// The first error Cloudflare names: "10000: Authentication error".
std::string named_error(const nlohmann::json& document) {
  const auto errors = document.find("errors");
  if (errors == document.end() || !errors->is_array() || errors->empty() || !errors->front().is_object()) return "";
  const auto& first = errors->front();
  const auto code = first.value("code", 0);
  const auto message = first.find("message");
  return fmt::format("{}: {}", code, message != first.end() && message->is_string() ? message->get<std::string>() : "");
}

Result<nlohmann::json> read_document(const std::string& path, const WebReply& reply) {
  const auto what = "GET " + path.substr(0, path.find('?'));
  auto document = nlohmann::json::parse(reply.body, nullptr, false);
  const bool is_document = document.is_object() && document.contains("success") && document.at("success").is_boolean();
  const auto said = is_document ? named_error(document) : "";
  if (reply.status == 429) {
    const auto after = reply.headers.find("retry-after");
    return Error("cloudflare.rate-limited", what + ": too many requests",
                 after == reply.headers.end() ? "ask again in five minutes"
                                              : fmt::format("ask again in {} seconds", after->second));
  }
  if (reply.status == 401 || said.rfind("9109", 0) == 0 || said.rfind("6003", 0) == 0 || said.rfind("1000:", 0) == 0) {
    return Error("cloudflare.token",
                 fmt::format("{}: the token was refused ({})", what, said.empty() ? "status 401" : said));
  }
  if (reply.status == 403) {
    return Error("cloudflare.forbidden", fmt::format("{}: the token may not read this, or is none ({})", what, said));
  }
  if (reply.status == 404) return Error("cloudflare.absent", fmt::format("{}: there is none ({})", what, said));
  if (reply.status != 200 || !is_document || !document.at("success").get<bool>() || !document.contains("result")) {
    return Error("cloudflare.answer", fmt::format("{}: status {}, {}", what, reply.status,
                                                  said.empty() ? "not an answer of Cloudflare's API" : said));
  }
  return document;
}

int pages_of(const nlohmann::json& document) {
  const auto info = document.find("result_info");
  if (info == document.end() || !info->is_object()) return 1;
  return std::min(info->value("total_pages", 1), kMostPages);
}

/// An identifier that may stand in a path.
bool is_identifier(const std::string& text) {
  return text.size() == 32 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

/// "api.example.com" is in "api.example.com" or "example.com": longest first. None for what is no name.
std::vector<std::string> candidate_zones(const std::string& domain) {
  std::vector<std::string> out;
  const auto belongs = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '-'; };
  if (!std::all_of(domain.begin(), domain.end(), belongs)) return out;
  auto rest = domain;
  while (rest.find('.') != std::string::npos) {
    out.push_back(rest);
    rest = rest.substr(rest.find('.') + 1);
  }
  return out;
}

Result<nlohmann::json> find_zone(const CloudflareApi& api, const std::string& domain) {
  std::vector<std::string> paths;
  for (const auto& name : candidate_zones(domain)) paths.push_back("/zones?name=" + name);
  if (paths.empty())
    return Error("cloudflare.no-zone", fmt::format("'{}' is no name that Cloudflare could have a zone for", domain));
  for (const auto& answer : api.get(paths)) {
    if (!answer.ok()) return answer.error();
    if (!answer->is_array() || answer->empty()) continue;
    const auto& zone = answer->front();
    if (!is_identifier(zone.value("id", ""))) return Error("cloudflare.answer", "a zone without a usable id");
    return zone;
  }
  return Error("cloudflare.no-zone", fmt::format("the token sees no zone that '{}' is in", domain),
               "give the token Zone:Read for that zone");
}

nlohmann::json read_zone(const nlohmann::json& zone) {
  return {{"name", zone.at("name")}, {"status", zone.at("status")}, {"paused", zone.at("paused")}};
}

nlohmann::json read_records(const nlohmann::json& list) {
  auto records = nlohmann::json::array();
  for (const auto& each : list) {
    records.push_back({{"type", each.at("type")},
                       {"name", each.at("name")},
                       {"content", each.value("content", "")},
                       {"proxied", each.value("proxied", false)}});
  }
  return {{"records", std::move(records)}};
}

/// Rules of a ruleset's entry point; there is none where nobody made a rule.
Result<nlohmann::json> read_ruleset(const Result<nlohmann::json>& answer,
                                    nlohmann::json (*read_rule)(const nlohmann::json&)) {
  const bool absent = !answer.ok() && answer.error().code == "cloudflare.absent";
  if (!answer.ok() && !absent) return answer.error();
  auto rules = nlohmann::json::array();
  if (!absent) {
    for (const auto& rule : answer->value("rules", nlohmann::json::array())) rules.push_back(read_rule(rule));
  }
  return nlohmann::json{{"present", !absent}, {"rules", std::move(rules)}};
}

nlohmann::json rule_head(const nlohmann::json& rule) {
  return {{"id", rule.value("id", "")},
          {"enabled", rule.value("enabled", true)},
          {"action", rule.value("action", "")},
          {"expression", rule.value("expression", "")}};
}

nlohmann::json read_config_rule(const nlohmann::json& rule) {
  auto out = rule_head(rule);
  out["settings"] = rule.value("action_parameters", nlohmann::json::object());
  return out;
}

nlohmann::json read_cache_rule(const nlohmann::json& rule) {
  auto out = rule_head(rule);
  const auto parameters = rule.value("action_parameters", nlohmann::json::object());
  out["cache"] = parameters.contains("cache") ? parameters.at("cache") : nlohmann::json(nullptr);
  return out;
}

nlohmann::json read_page_rules(const nlohmann::json& list) {
  auto rules = nlohmann::json::array();
  for (const auto& rule : list) {
    auto targets = nlohmann::json::array();
    for (const auto& target : rule.at("targets")) targets.push_back(target.at("constraint").at("value"));
    auto actions = nlohmann::json::object();
    for (const auto& action : rule.at("actions"))
      actions[action.at("id").get<std::string>()] = action.value("value", nlohmann::json(true));
    rules.push_back({{"id", rule.value("id", "")},
                     {"enabled", rule.value("status", "") == "active"},
                     {"targets", std::move(targets)},
                     {"actions", std::move(actions)}});
  }
  return {{"rules", std::move(rules)}};
}

/// Puts observations together; a value of another shape than documented is an error of that observation alone.
class Notes {
 public:
  template <typename Read>
  void put(const std::string& probe, const std::string& origin, Read read) {
    Observation out{probe, "Cloudflare API " + origin, nullptr, std::nullopt, elapsed()};
    try {
      Result<nlohmann::json> value = read();
      if (value.ok()) {
        out.value = *std::move(value);
      } else {
        out.error = value.error();
      }
    } catch (const nlohmann::json::exception&) {
      out.error = Error("cloudflare.answer", origin + ": an answer of another shape than Cloudflare documents");
    }
    all[probe] = std::move(out);
  }

  Observations all;

 private:
  std::uint64_t elapsed() const {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began_).count());
  }

  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

const std::vector<std::string>& probe_names() {
  static const std::vector<std::string> kNames = {
      "cloudflare.zone",        "cloudflare.dns",        "cloudflare.settings", "cloudflare.config-rules",
      "cloudflare.cache-rules", "cloudflare.page-rules", "cloudflare.bot"};
  return kNames;
}

Result<nlohmann::json> read_settings(const std::vector<Result<nlohmann::json>>& answers, std::size_t first) {
  auto out = nlohmann::json::object();
  for (std::size_t i = 0; i < kSettings.size(); ++i) {
    const auto& answer = answers.at(first + i);
    if (!answer.ok() && answer.error().code == "cloudflare.token") return answer.error();
    out[kSettings.at(i)] = answer.ok() ? answer->at("value") : nlohmann::json{{"error", answer.error().message}};
  }
  return out;
}

}  // namespace

Result<CloudflareAccess> cloudflare_access(
    const std::function<std::optional<std::string>(const std::string&)>& variable) {
  CloudflareAccess out{kApi, "", {}};
  if (const auto base = variable("SENTINEL_CLOUDFLARE_API")) {
    if (!is_of_this_machine(*base)) {
      return Error("cloudflare.base", "SENTINEL_CLOUDFLARE_API may only name https on 127.0.0.1 or [::1] with a port",
                   "it is there for tests; unset it, so that the token goes to Cloudflare");
    }
    out.base = *base;
    out.ca_file = variable("SENTINEL_CLOUDFLARE_CA").value_or("");
  }
  auto token = variable(kCloudflareTokenVariable);
  if (!token || token->empty()) {
    return Error("cloudflare.no-token", fmt::format("{} isn't set", kCloudflareTokenVariable),
                 "make a token that may read the zone, its DNS, settings and rules, and set the variable");
  }
  const bool plain = std::all_of(token->begin(), token->end(), [](unsigned char c) { return std::isgraph(c) != 0; });
  if (!plain)
    return Error("cloudflare.token", fmt::format("{} holds characters no token has", kCloudflareTokenVariable));
  out.token = Secret(*std::move(token));
  return out;
}

WebRequest CloudflareApi::request(const std::string& path) const {
  WebRequest out;
  out.url = access_.base + path;
  out.bearer = access_.token;
  out.headers = {{"Accept", "application/json"}};
  out.use_proxy = true;
  out.ca_file = access_.ca_file;
  out.deadline = kDeadline;
  return out;
}

std::vector<Result<nlohmann::json>> CloudflareApi::get(const std::vector<std::string>& paths) const {
  std::vector<WebRequest> requests;
  for (const auto& path : paths) requests.push_back(request(path));
  std::vector<Result<nlohmann::json>> out;
  std::vector<std::pair<std::size_t, std::string>> more;  // pages still to read, and of which answer
  const auto replies = ask_web(requests);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (!replies[i].ok()) {
      out.emplace_back(replies[i].error());
      continue;
    }
    auto document = read_document(paths[i], *replies[i]);
    if (!document.ok()) {
      out.emplace_back(document.error());
      continue;
    }
    for (int page = 2; page <= pages_of(*document); ++page) {
      more.emplace_back(
          i, fmt::format("{}{}page={}", paths[i], paths[i].find('?') == std::string::npos ? '?' : '&', page));
    }
    out.emplace_back(std::move(document->at("result")));
  }
  requests.clear();
  for (const auto& [which, path] : more) requests.push_back(request(path));
  const auto pages = ask_web(requests);
  for (std::size_t i = 0; i < more.size(); ++i) {
    auto& whole = out[more[i].first];
    if (!whole.ok()) continue;
    auto document = pages[i].ok() ? read_document(more[i].second, *pages[i]) : Result<nlohmann::json>(pages[i].error());
    if (!document.ok() || !document->at("result").is_array() || !whole->is_array()) {
      whole = document.ok() ? Error("cloudflare.answer", "GET " + paths[more[i].first] + ": a page that is no list")
                            : document.error();
      continue;
    }
    for (auto& each : document->at("result")) whole->push_back(std::move(each));
  }
  return out;
}

Observations observe_cloudflare(const CloudflareApi& api, const std::string& domain) {
  Notes notes;
  const auto zone = [&]() -> Result<nlohmann::json> {
    try {
      return find_zone(api, domain);
    } catch (const nlohmann::json::exception&) {
      return Error("cloudflare.answer", "GET /zones: an answer of another shape than Cloudflare documents");
    }
  }();
  if (!zone.ok()) {
    for (const auto& probe : probe_names())
      notes.put(probe, "/zones", [&]() -> Result<nlohmann::json> { return zone.error(); });
    return std::move(notes.all);
  }
  const auto path = "/zones/" + zone->at("id").get<std::string>();
  std::vector<std::string> paths = {path + "/dns_records?per_page=100",
                                    path + "/rulesets/phases/http_config_settings/entrypoint",
                                    path + "/rulesets/phases/http_request_cache_settings/entrypoint",
                                    path + "/pagerules?status=active", path + "/bot_management"};
  const auto first_setting = paths.size();
  for (const auto* setting : kSettings) paths.push_back(path + "/settings/" + setting);
  const auto answers = api.get(paths);
  const auto read = [&](std::size_t i, nlohmann::json (*reading)(const nlohmann::json&)) {
    return [&answers, i, reading]() -> Result<nlohmann::json> {
      if (!answers[i].ok()) return answers[i].error();
      return reading(*answers[i]);
    };
  };
  notes.put("cloudflare.zone", "/zones", [&]() -> Result<nlohmann::json> { return read_zone(*zone); });
  notes.put("cloudflare.dns", paths[0], read(0, read_records));
  notes.put("cloudflare.config-rules", paths[1], [&] { return read_ruleset(answers[1], read_config_rule); });
  notes.put("cloudflare.cache-rules", paths[2], [&] { return read_ruleset(answers[2], read_cache_rule); });
  notes.put("cloudflare.page-rules", paths[3], read(3, read_page_rules));
  notes.put("cloudflare.bot", paths[4], read(4, [](const nlohmann::json& bot) {
              return nlohmann::json{{"fight_mode", bot.at("fight_mode")}};
            }));
  notes.put("cloudflare.settings", path + "/settings", [&] { return read_settings(answers, first_setting); });
  return std::move(notes.all);
}

}  // namespace sentinel
