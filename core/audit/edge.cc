// SPDX-License-Identifier: Apache-2.0
// Cloudflare in front of the host: records, settings, and the rules that override settings for some requests.
#include <fmt/format.h>

#include <algorithm>

#include "core/audit/families.h"
#include "core/audit/sides.h"

namespace sentinel {
namespace {

using nlohmann::json;

std::vector<ProbeOrder> zone_orders(const json& with, const std::vector<const char*>& probes) {
  std::vector<ProbeOrder> out;
  for (const auto* probe : probes) {
    const bool of_site = std::string(probe).rfind("outside.", 0) == 0;
    out.push_back({probe, {{of_site ? "name" : "domain", with.value("name", "")}}});
  }
  return out;
}

/// A setting's value as text; an unreadable one makes the finding unknown.
std::string setting(const json& settings, const char* name, Ruling& ruling) {
  const auto& value = settings.at(name);
  if (value.is_object()) {
    ruling.cannot_tell(fmt::format("{}: {}", name, text_at(value, "error")));
    return "";
  }
  const auto text = value.is_string() ? value.get<std::string>() : value.dump();
  ruling.saw("cloudflare.settings", fmt::format("{} {}", name, text), "settings/" + std::string(name));
  return text;
}

void want(const json& settings, const char* name, const std::vector<std::string>& good, Ruling& ruling) {
  const auto value = setting(settings, name, ruling);
  if (value.empty() || std::find(good.begin(), good.end(), value) != good.end()) return;
  ruling.fault(fmt::format("{} is {}, not {}", name, value, good.front()), Persistence::kNone);
}

/// Cloudflare's wildcard: * is any text. Patterns may begin with a scheme.
bool matches(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '*') {
    for (std::size_t skip = 0; skip <= text.size(); ++skip) {
      if (matches(pattern.substr(1), text.substr(skip))) return true;
    }
    return false;
  }
  return !text.empty() && pattern.front() == text.front() && matches(pattern.substr(1), text.substr(1));
}

bool page_rule_covers(const json& rule, const std::string& url) {
  const auto targets = rule.at("targets").get<std::vector<std::string>>();
  return std::any_of(targets.begin(), targets.end(), [&](std::string pattern) {
    if (const auto scheme = pattern.find("://"); scheme != std::string::npos) pattern.erase(0, scheme + 3);
    return pattern.size() <= 256 && std::count(pattern.begin(), pattern.end(), '*') <= 4 && matches(pattern, url);
  });
}

enum class Covers { kNo, kMaybe, kYes };

/// Whether a rule's expression (https://developers.cloudflare.com/ruleset-engine/rules-language/) holds for requests of
/// `domain` under `path` ("/v1/"; empty: all of them). Only plain forms are decided.
Covers covers(const std::string& expression, const std::string& domain, const std::string& path) {
  if (expression == "true") return Covers::kYes;
  if (expression.find("not ") != std::string::npos || expression.find(" ne ") != std::string::npos)
    return Covers::kMaybe;
  const bool names_host = expression.find("http.host") != std::string::npos;
  if (names_host && expression.find(domain) == std::string::npos) {
    return expression.find(" or ") == std::string::npos ? Covers::kNo : Covers::kMaybe;
  }
  const bool names_path = expression.find("http.request.uri") != std::string::npos ||
                          expression.find("http.request.full_uri") != std::string::npos;
  if (!names_path) return names_host ? Covers::kYes : Covers::kMaybe;
  if (path.empty()) return Covers::kMaybe;
  const auto bare = path.substr(0, path.find_last_not_of('/') + 1);
  if (expression.find(path) != std::string::npos || expression.find(bare + "*") != std::string::npos ||
      expression.find(bare + "\"") != std::string::npos)
    return Covers::kYes;
  return Covers::kNo;
}

/// A setting of the zone that a rule replaces for requests of the site.
struct Override {
  std::string where;
  std::string value;
  bool surely = false;
};

/// What rules set for requests of `name`, a setting that goes by one name in configuration rules and by another in page
/// rules.
std::vector<Override> overrides_of(const json& config_rules, const json& page_rules, const char* in_config,
                                   const char* in_page, const std::string& name) {
  const auto text = [](const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); };
  std::vector<Override> out;
  for (const auto& rule : config_rules.at("rules")) {
    if (!rule.at("enabled").get<bool>() || !rule.at("settings").contains(in_config)) continue;
    const auto extent = covers(text_at(rule, "expression"), name, "");
    if (extent == Covers::kNo) continue;
    out.push_back({"cloudflare.config-rules", text(rule.at("settings").at(in_config)), extent == Covers::kYes});
  }
  for (const auto& rule : page_rules.at("rules")) {
    const auto& actions = rule.at("actions");
    if (rule.at("enabled").get<bool>() && actions.contains(in_page) && page_rule_covers(rule, name + "/v1/models"))
      out.push_back({"cloudflare.page-rules", text(actions.at(in_page)), true});
  }
  return out;
}

/// True when a rule replaces the setting by something that isn't among `good`.
bool refuse_others(const std::vector<Override>& overrides, const std::vector<std::string>& good,
                   const std::string& setting, const std::string& name, Ruling& ruling) {
  bool refused = false;
  for (const auto& each : overrides) {
    if (std::find(good.begin(), good.end(), each.value) != good.end()) continue;
    refused = true;
    ruling.saw(each.where, fmt::format("{} {}", setting, each.value));
    const auto what = fmt::format("a rule sets {} to {} for requests of {}", setting, each.value, name);
    each.surely ? ruling.fault(what, Persistence::kNone) : ruling.doubt("perhaps " + what);
  }
  return refused;
}

/// Whether the edge's own behaviour can be judged beside its settings: settings alone are no proof.
bool is_seen(const char* probe, const json& edge, Ruling& ruling) {
  if (edge.contains("error")) ruling.cannot_tell(fmt::format("the edge wasn't seen: {}", text_at(edge, "error")));
  return is_answer(probe, "edge", edge, false, ruling);
}

/// with: {name, addresses: [of the host]}
Result<Judged> judge_dns(const Case& subject) {
  SENTINEL_TRY(const auto* zone, subject.seen("cloudflare.zone"));
  SENTINEL_TRY(const auto* dns, subject.seen("cloudflare.dns"));
  const auto name = text_at(subject.with(), "name");
  auto addresses = subject.with().value("addresses", std::vector<std::string>());
  addresses.insert(addresses.end(), subject.record().facts.addresses.begin(), subject.record().facts.addresses.end());
  const auto is_ours = [&](const std::string& address) {
    return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
  };
  Ruling ruling(fmt::format("{} points to the host, through Cloudflare", name));
  if (text_at(*zone, "status") != "active")
    ruling.fault(fmt::format("the zone is {}", text_at(*zone, "status")), Persistence::kNone);
  if (zone->at("paused").get<bool>())
    ruling.fault("the zone is paused: every request goes past Cloudflare", Persistence::kNone);
  bool found = false;
  for (const auto& record : dns->at("records")) {
    const auto type = text_at(record, "type");
    const auto content = text_at(record, "content");
    const bool proxied = record.at("proxied").get<bool>();
    const bool is_address = type == "A" || type == "AAAA";
    if (text_at(record, "name") == name && (is_address || type == "CNAME")) {
      found = true;
      ruling.saw("cloudflare.dns", fmt::format("{} {} {}{}", type, name, content, proxied ? ", proxied" : ""),
                 subject.origin("cloudflare.dns"));
      if (!proxied) ruling.fault(fmt::format("the {} record isn't proxied", type), Persistence::kNone);
      if (is_address && !is_ours(content))
        ruling.fault(fmt::format("the {} record points to {}, which isn't this host", type, content),
                     Persistence::kNone);
    } else if (is_address && !proxied && is_ours(content)) {
      ruling.doubt(fmt::format("{} {} tells everybody the host's address", type, text_at(record, "name")));
    }
  }
  if (!found) ruling.fault(fmt::format("there is no record for {}", name), Persistence::kNone);
  return std::move(ruling).close("proxied");
}

/// with: {name}
Result<Judged> judge_strict(const Case& subject) {
  SENTINEL_TRY(const auto* zone, subject.seen("cloudflare.zone"));
  SENTINEL_TRY(const auto* settings, subject.seen("cloudflare.settings"));
  SENTINEL_TRY(const auto* config_rules, subject.seen("cloudflare.config-rules"));
  SENTINEL_TRY(const auto* page_rules, subject.seen("cloudflare.page-rules"));
  SENTINEL_TRY(const auto* redirect, subject.seen("outside.redirect"));
  const auto name = text_at(subject.with(), "name");
  Ruling ruling("Full (strict), always https, at least TLS 1.2, overridden nowhere");
  if (zone->at("paused").get<bool>()) {
    ruling.fault("the zone is paused: its settings do nothing", Persistence::kNone);
    ruling.trap("zone-paused", "Cloudflare only answers DNS for this zone; settings look right and hold for nothing",
                "resume the zone");
  }
  want(*settings, "ssl", {"strict"}, ruling);
  want(*settings, "always_use_https", {"on"}, ruling);
  want(*settings, "min_tls_version", {"1.2", "1.3"}, ruling);
  if (refuse_others(overrides_of(*config_rules, *page_rules, "ssl", "ssl", name), {"strict"}, "ssl", name, ruling)) {
    ruling.trap("ssl-overridden", "the zone says strict, a rule says otherwise for some requests",
                "take the rule's SSL setting out");
  }
  const auto& plain = redirect->at("edge");
  if (is_seen("outside.redirect", plain, ruling)) {
    const auto status = plain.at("status").get<int>();
    const bool redirects =
        status >= 301 && status <= 308 && plain.at("headers").value("location", "").rfind("https://", 0) == 0;
    if (!redirects)
      ruling.fault(fmt::format("http://{}/ answers with status {} and no redirect to https", name, status),
                   Persistence::kNone);
  }
  return std::move(ruling).close("strict everywhere");
}

/// with: {name}
Result<Judged> judge_protocols(const Case& subject) {
  SENTINEL_TRY(const auto* settings, subject.seen("cloudflare.settings"));
  SENTINEL_TRY(const auto* site, subject.seen("outside.https"));
  Ruling ruling("WebSockets, HTTP/2 and HTTP/3 are on");
  for (const auto* name : {"websockets", "http2", "http3"}) want(*settings, name, {"on"}, ruling);
  const auto& edge = site->at("edge");
  if (is_seen("outside.https", edge, ruling)) {
    if (text_at(edge, "http_version") != "2")
      ruling.doubt(fmt::format("the edge spoke HTTP/{} with this program", text_at(edge, "http_version")));
    if (edge.at("headers").value("alt-svc", "").find("h3") == std::string::npos)
      ruling.doubt("the edge doesn't offer HTTP/3");
  }
  return std::move(ruling).close("on");
}

/// with: {name, path}
Result<Judged> judge_cache(const Case& subject) {
  SENTINEL_TRY(const auto* rules, subject.seen("cloudflare.cache-rules"));
  SENTINEL_TRY(const auto* page_rules, subject.seen("cloudflare.page-rules"));
  const auto name = text_at(subject.with(), "name");
  const auto path = subject.with().value("path", "/v1/");
  Ruling ruling(fmt::format("a rule keeps {} out of the cache, and none after it puts it back", path));
  bool bypassed = false;
  if (!rules->at("present").get<bool>())
    ruling.saw("cloudflare.cache-rules", "there are no cache rules", subject.origin("cloudflare.cache-rules"));
  for (const auto& rule : rules->at("rules")) {
    if (!rule.at("enabled").get<bool>() || text_at(rule, "action") != "set_cache_settings" ||
        !rule.at("cache").is_boolean())
      continue;
    const auto extent = covers(text_at(rule, "expression"), name, path);
    if (extent == Covers::kNo) continue;
    const bool caches = rule.at("cache").get<bool>();
    ruling.saw(
        "cloudflare.cache-rules",
        fmt::format("{} {}: {}", text_at(rule, "id"), caches ? "caches" : "bypasses", text_at(rule, "expression")),
        subject.origin("cloudflare.cache-rules"));
    if (!caches && extent == Covers::kYes) bypassed = true;
    if (!caches && extent == Covers::kMaybe && !bypassed)
      ruling.cannot_tell("whether a rule covers the path: " + text_at(rule, "expression"));
    if (caches && extent == Covers::kYes) {
      if (bypassed)
        ruling.fault("a later rule makes it cacheable again: " + text_at(rule, "expression"), Persistence::kNone);
      bypassed = false;
    }
    if (caches && extent == Covers::kMaybe)
      ruling.doubt("a rule may make it cacheable: " + text_at(rule, "expression"));
  }
  for (const auto& rule : page_rules->at("rules")) {
    const auto level = rule.at("actions").value("cache_level", "");
    if (rule.at("enabled").get<bool>() && level == "cache_everything" && page_rule_covers(rule, name + path + "x")) {
      ruling.doubt("a page rule caches everything there");
    }
  }
  if (!bypassed && !ruling.has_faults())
    ruling.fault(fmt::format("no rule bypasses the cache for {}", path), Persistence::kNone);
  const auto cached = subject.seen("outside.cached");
  if (!cached.ok()) {  // a fault is one without it, too
    if (!ruling.has_faults()) return cached.error();
    return std::move(ruling).close("");
  }
  for (const auto& status : (*cached)->at("statuses")) {
    const auto said = status.get<std::string>();
    ruling.saw("outside.cached", "cf-cache-status " + (said.empty() ? "absent" : said),
               subject.origin("outside.cached"));
    if (!said.empty() && said != "BYPASS" && said != "DYNAMIC")
      ruling.fault("the edge says cf-cache-status: " + said, Persistence::kNone);
  }
  return std::move(ruling).close("bypassed");
}

/// with: {name}
Result<Judged> judge_security(const Case& subject) {
  SENTINEL_TRY(const auto* settings, subject.seen("cloudflare.settings"));
  SENTINEL_TRY(const auto* config_rules, subject.seen("cloudflare.config-rules"));
  SENTINEL_TRY(const auto* page_rules, subject.seen("cloudflare.page-rules"));
  SENTINEL_TRY(const auto* bot, subject.seen("cloudflare.bot"));
  const auto name = text_at(subject.with(), "name");
  const std::vector<std::string> levels = {"medium", "high", "under_attack"};
  Ruling ruling("security level medium, challenge passage 30 minutes, browser check and Bot Fight Mode on");
  want(*settings, "security_level", levels, ruling);
  want(*settings, "challenge_ttl", {"1800"}, ruling);
  want(*settings, "browser_check", {"on"}, ruling);
  const auto overrides = [&](const char* in_config, const char* in_page) {
    return overrides_of(*config_rules, *page_rules, in_config, in_page, name);
  };
  refuse_others(overrides("security_level", "security_level"), levels, "security_level", name, ruling);
  refuse_others(overrides("bic", "browser_check"), {"true", "on"}, "browser_check", name, ruling);
  refuse_others(overrides("disable_security", "disable_security"), {}, "disable_security", name, ruling);
  const bool fights = bot->at("fight_mode").get<bool>();
  ruling.saw("cloudflare.bot", fmt::format("fight_mode {}", fights), subject.origin("cloudflare.bot"));
  // It challenges every program, the API's own clients too: which of the two is wanted only the owner knows.
  if (!fights) ruling.doubt("Bot Fight Mode is off");
  return std::move(ruling).close("as wanted");
}

}  // namespace

std::vector<Judgement> edge_judgements() {
  return {{"edge-dns",
           [](const json& with) {
             return zone_orders(with, {"cloudflare.zone", "cloudflare.dns"});
           },
           judge_dns},
          {"edge-strict",
           [](const json& with) {
             return zone_orders(with, {"cloudflare.zone", "cloudflare.settings", "cloudflare.config-rules",
                                       "cloudflare.page-rules", "outside.redirect"});
           },
           judge_strict},
          {"edge-protocols",
           [](const json& with) {
             return zone_orders(with, {"cloudflare.settings", "outside.https"});
           },
           judge_protocols},
          {"edge-cache-bypass",
           [](const json& with) {
             return zone_orders(with, {"cloudflare.cache-rules", "cloudflare.page-rules", "outside.cached"});
           },
           judge_cache},
          {"edge-security",
           [](const json& with) {
             return zone_orders(
                 with, {"cloudflare.settings", "cloudflare.config-rules", "cloudflare.page-rules", "cloudflare.bot"});
           },
           judge_security}};
}

}  // namespace sentinel
