// SPDX-License-Identifier: Apache-2.0
// How the host keeps itself up to date: what is switched on, what its patterns cover, what still waits, and who vouches
// for the packages.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <regex>
#include <sstream>

#include "core/audit/families.h"
#include "core/audit/ruling.h"
#include "core/audit/times.h"
#include "core/audit/units.h"

namespace sentinel {
namespace {

using nlohmann::json;

constexpr std::int64_t kHour = 3'600'000'000'000;

/// Patterns of packages that are never upgraded; they are matched from the beginning of a name.
void judge_excepted(const json& patterns, Ruling& ruling) {
  for (const auto& item : patterns) {
    const auto pattern = item.get<std::string>();
    try {
      const std::regex expression(pattern);
      const auto meets = [&](const std::string& name) {
        return std::regex_search(name, expression, std::regex_constants::match_continuous);
      };
      if (meets("openssl") && meets("libc6") && meets("zlib1g"))
        ruling.fault(fmt::format("Package-Blacklist \"{}\" excepts every package", pattern));
      else
        ruling.doubt(fmt::format("packages that match {} are never upgraded", pattern));
    } catch (const std::regex_error&) {
      ruling.cannot_tell(fmt::format("which packages Package-Blacklist \"{}\" excepts", pattern));
    }
  }
}

/// A pattern of unattended-upgrades: "origin=Debian,codename=${distro_codename},label=…", or "Debian:stable" (origin
/// and suite). Every word has to hold; one that nobody knows never does.
bool covers(std::string pattern, const json& archive, const json& names) {
  for (const auto& [name, value] : names.items()) {
    const auto word = "${" + name + "}";
    for (auto at = pattern.find(word); at != std::string::npos; at = pattern.find(word, at))
      pattern.replace(at, word.size(), value.get<std::string>());
  }
  const auto colon = pattern.find(':');
  if (pattern.find('=') == std::string::npos && colon != std::string::npos)
    pattern = fmt::format("origin={},suite={}", pattern.substr(0, colon), pattern.substr(colon + 1));
  static const std::map<std::string, const char*> kKeys{
      {"origin", "origin"}, {"o", "origin"},      {"label", "label"},       {"l", "label"},   {"suite", "suite"},
      {"a", "suite"},       {"archive", "suite"}, {"codename", "codename"}, {"n", "codename"}};
  std::istringstream words(pattern);
  std::string word;
  bool any = false;
  while (std::getline(words, word, ',')) {
    const auto equals = word.find('=');
    const auto key = kKeys.find(word.substr(0, equals));
    if (equals == std::string::npos || key == kKeys.end()) return false;
    const auto value = archive.at(key->second).get<std::string>();
    if (::fnmatch(word.substr(equals + 1).c_str(), value.c_str(), 0) != 0) return false;
    any = true;
  }
  return any;
}

/// What the security archives offer and the host doesn't have: whoever upgrades it has had their chance, or not yet.
void judge_pending(const json& apt, std::int64_t now, std::int64_t most_age, Ruling& ruling) {
  const auto& security = apt.at("security");
  for (const auto& file : security.at("unread")) ruling.cannot_tell(file.get<std::string>());
  if (security.at("lists").get<int>() <= 0) return ruling.cannot_tell("no package lists were fetched");
  if (security.at("archives").empty()) return ruling.fault("no package list is of a security archive");
  std::int64_t offered = 0;
  const auto& origins = apt.at("origins");
  for (const auto& archive : security.at("archives")) {
    const auto name = archive.at("name").get<std::string>();
    ruling.saw("apt",
               fmt::format("{}: {} {}", name, archive.at("label").get<std::string>(),
                           archive.at("codename").get<std::string>()),
               "/var/lib/apt/lists");
    offered = std::max(offered, archive.at("fetched_ns").get<std::int64_t>());
    if (std::none_of(origins.begin(), origins.end(),
                     [&](const json& pattern) { return covers(pattern.get<std::string>(), archive, apt.at("names")); }))
      ruling.fault("no pattern covers the security archive " + name);
    const auto until = archive.at("valid_until_ns").get<std::int64_t>();
    if (until != 0 && now > until)
      ruling.fault(fmt::format("the lists of {} are over: nothing newer came", name), Persistence::kNone);
  }
  const auto& pending = security.at("pending");
  if (pending.empty()) return;
  constexpr std::size_t kShown = 5;
  std::vector<std::string> shown;
  for (const auto& one : pending) {
    const auto text = fmt::format("{} {} -> {}", one.at("package").get<std::string>(),
                                  one.at("installed").get<std::string>(), one.at("offered").get<std::string>());
    ruling.saw("apt", text, one.at("archive").get<std::string>());
    if (shown.size() < kShown) shown.push_back(text);
  }
  const auto what =
      fmt::format("{} security update{} wait{}: {}{}", pending.size(), pending.size() == 1 ? "" : "s",
                  pending.size() == 1 ? "s" : "", fmt::join(shown, ", "), pending.size() > kShown ? ", …" : "");
  if (apt.at("stamps").at("upgrade").get<std::int64_t>() > offered) {
    ruling.fault(what + "; the last run left them out", Persistence::kNone);
  } else if (now - offered > most_age) {
    ruling.fault(fmt::format("{}, for {} hours", what, (now - offered) / kHour), Persistence::kNone);
  } else {
    ruling.doubt(what + "; the next run installs them");
  }
}

/// with: {most_age_hours: of package lists, and how long an update may wait}
Result<Judged> judge_updates(const Case& subject) {
  SENTINEL_TRY(const auto* apt, subject.seen("apt"));
  SENTINEL_TRY(const auto* units, subject.seen("units"));
  Ruling ruling("security updates install themselves, and did so lately");
  if (!apt->at("installed").get<bool>()) ruling.fault("unattended-upgrades is not installed");
  const auto& periodic = apt->at("periodic");
  for (const auto& [key, setting] : {std::pair("update", "APT::Periodic::Update-Package-Lists"),
                                     std::pair("upgrade", "APT::Periodic::Unattended-Upgrade")}) {
    const auto value = periodic.at(key).get<std::string>();
    const auto file = apt->at("winners").at(setting).get<std::string>();
    ruling.saw("apt", fmt::format("{} \"{}\"", setting, value), file.empty() ? "apt-config dump" : file);
    if (!value.empty() && value != "0") continue;
    ruling.fault(fmt::format("{} is {}", setting, value.empty() ? "not set" : "0"));
    if (!file.empty())
      ruling.trap("apt-later-file", fmt::format("{} comes last by name and wins", file),
                  "set it in a file that sorts later, or take the line out");
  }
  if (periodic.value("enable", std::string("1")) == "0") ruling.fault("APT::Periodic::Enable is 0");
  const auto origins = apt->at("origins").get<std::vector<std::string>>();
  for (const auto& origin : origins) ruling.saw("apt", origin, "Unattended-Upgrade");
  if (origins.empty()) ruling.fault("no pattern covers any archive");
  judge_excepted(apt->at("excepted"), ruling);
  for (const char* timer : {"apt-daily", "apt-daily-upgrade"}) judge_timer(timer, *units, ruling);
  for (const auto& name : apt->at("broken"))
    ruling.fault(fmt::format("the package {} is half installed", name.get<std::string>()), Persistence::kNone);
  for (const auto& name : apt->at("held")) ruling.doubt(fmt::format("the package {} is held", name.get<std::string>()));
  if (apt->at("reboot_required").get<bool>()) ruling.doubt("an update waits for a reboot");
  const auto now = nanoseconds_of(subject.record().taken_at);
  const auto limit = subject.with().at("most_age_hours").get<std::int64_t>() * kHour;
  const auto since =
      std::max(apt->at("stamps").at("update").get<std::int64_t>(), apt->at("installed_ns").get<std::int64_t>());
  if (!now || since == 0) {
    ruling.cannot_tell("when the package lists were last fetched");
  } else {
    if (*now - since > limit)
      ruling.fault(fmt::format("the package lists are {} hours old", (*now - since) / kHour), Persistence::kNone);
    judge_pending(*apt, *now, limit, ruling);
  }
  return std::move(ruling).close("on, and the timers run", Persistence::kBoth);
}

/// Repositories of others have to name their key; what comes from a file needs none.
Result<Judged> judge_sources(const Case& subject) {
  SENTINEL_TRY(const auto* apt, subject.seen("apt"));
  Ruling ruling("every package source from the network is checked against a key of its own");
  const auto& sources = apt->at("sources");
  if (sources.empty()) ruling.cannot_tell("there is no package source");
  if (const auto setting = apt->at("unsigned").get<std::string>(); !setting.empty())
    ruling.fault(setting + " lets in packages without a signature");
  for (const auto& source : sources) {
    const auto uri = source.at("uri").get<std::string>();
    const auto place = fmt::format("{}:{}", source.at("file").get<std::string>(), source.at("line").get<int>());
    const auto key = source.at("signed_by").get<std::string>();
    ruling.saw("apt", fmt::format("{} signed by {}", uri, key.empty() ? "any trusted key" : key), place);
    if (!uri.starts_with("http://") && !uri.starts_with("https://")) continue;
    if (const auto lax = source.at("insecure").get<std::string>(); !lax.empty() && lax != "no")
      ruling.fault(fmt::format("{} may do without a good signature", uri));
    if (source.at("trusted").get<std::string>() == "yes")
      ruling.fault(fmt::format("{} is trusted without a signature", uri));
    const bool distribution =
        uri.find("debian.org") != std::string::npos || uri.find("ubuntu.com") != std::string::npos;
    if (key.empty() && !distribution) ruling.fault(fmt::format("{} names no key", uri));
  }
  return std::move(ruling).close("each names its key", Persistence::kBoth);
}

}  // namespace

std::vector<Judgement> update_judgements() {
  return {{"package-sources",
           [](const json&) {
             return std::vector<ProbeOrder>{{"apt", json::object()}};
           },
           judge_sources},
          {"security-updates",
           [](const json&) {
             return unit_orders(
                 {"apt-daily.timer", "apt-daily-upgrade.timer", "apt-daily.service", "apt-daily-upgrade.service"},
                 "apt");
           },
           judge_updates}};
}

}  // namespace sentinel
