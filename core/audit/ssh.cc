// SPDX-License-Identifier: Apache-2.0
// SSH: judged over every connection that a Match block makes different, and over what the daemon that listens offers.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/audit/families.h"
#include "core/audit/ruling.h"

namespace sentinel {
namespace {

using nlohmann::json;

constexpr const char* kEffective = "sshd.effective";
constexpr const char* kLive = "sshd.live";

/// A text that has to be there, though it may be empty.
std::string said(const json& object, const char* key) {
  return object.at(key).get<std::string>();
}

std::string text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// "file:line" of the line that supplies a value: of the Match block, or else the first for every connection.
std::string winner(const json& effective, const std::string& match, const std::string& keyword) {
  const auto first_in = [&](const std::string& block) -> std::string {
    for (const auto& setting : effective.at("settings")) {
      if (text(setting, "keyword") == keyword && text(setting, "match") == block) {
        return fmt::format("{}:{}", text(setting, "file"), setting.at("line").get<int>());
      }
    }
    return {};
  };
  std::string place = first_in(match);
  if (place.empty() && !match.empty()) place = first_in("");
  return place.empty() ? "sshd's default" : place;
}

std::string for_whom(const std::string& match) {
  return match.empty() ? "" : fmt::format(" for Match {}", match);
}

/// Where a fault of the configuration on disk holds: the daemon may run with an older one.
Persistence side_of_disk(const json& effective) {
  return said(effective, "stale").empty() ? Persistence::kBoth : Persistence::kBootOnly;
}

bool sets_any(const json& effective, const std::string& match, const std::vector<std::string>& keywords) {
  const auto& settings = effective.at("settings");
  return std::any_of(settings.begin(), settings.end(), [&](const json& setting) {
    return text(setting, "match") == match &&
           std::find(keywords.begin(), keywords.end(), text(setting, "keyword")) != keywords.end();
  });
}

/// Calls `look(match, values)` for every context sshd could be asked about.
template <typename Look>
void for_each_context(const json& effective, const std::vector<std::string>& keywords, Ruling& ruling, Look look) {
  if (const auto problem = said(effective, "problem"); !problem.empty()) {
    ruling.fault("sshd refuses its configuration: " + problem, Persistence::kBootOnly);
    return;
  }
  const auto& contexts = effective.at("contexts");
  if (contexts.empty()) ruling.cannot_tell("sshd was asked about no connection");
  for (const auto& context : contexts) {
    const auto match = context.at("match").get<std::string>();
    if (const auto problem = said(context, "problem"); !problem.empty()) {
      if (sets_any(effective, match, keywords)) ruling.cannot_tell(problem);
      continue;
    }
    look(match, context.at("values"));
  }
}

void expect_value(const json& effective, const std::string& match, const json& values, const std::string& keyword,
                  const std::string& wanted, Ruling& ruling) {
  const auto value = text(values, keyword.c_str());
  const auto place = winner(effective, match, keyword);
  if (value.empty()) {
    ruling.cannot_tell(fmt::format("sshd -T says nothing of {}{}", keyword, for_whom(match)));
    return;
  }
  ruling.saw(kEffective, fmt::format("{} {}{}", keyword, value, for_whom(match)), place);
  if (value == wanted) return;
  ruling.fault(fmt::format("{} {}{}", keyword, value, for_whom(match)), side_of_disk(effective));
  if (!match.empty()) {
    ruling.trap("match-block",
                fmt::format("Match {} sets {} {} ({}); a plain sshd -T doesn't show it", match, keyword, value, place),
                "take the line out of the block");
  } else if (place.find("cloud-init") != std::string::npos) {
    ruling.trap("cloud-init-password",
                fmt::format("{} sets {} {}, and sshd takes the first value it meets", place, keyword, value),
                "set it in a file that sorts before it, such as /etc/ssh/sshd_config.d/00-sentinel.conf");
  }
}

void judge_live(const json& effective, const json& live, Ruling& ruling) {
  const auto methods = live.at("methods").get<std::vector<std::string>>();
  if (methods.empty()) return ruling.cannot_tell("sshd named no way to log in");
  const auto offered = fmt::format("{}", fmt::join(methods, ","));
  ruling.saw(kLive, "offers " + offered, fmt::format("127.0.0.1:{}", text(live, "port")));
  const bool only_keys = methods == std::vector<std::string>{"publickey"};
  const auto stale = said(effective, "stale");
  if (!only_keys) {
    const bool on_disk = ruling.has_faults();
    // A daemon that has read its files and still offers more was told so by its options.
    const bool stays = on_disk || stale.empty();
    ruling.fault("the running sshd offers " + offered, stays ? Persistence::kBoth : Persistence::kRuntimeOnly);
    if (!on_disk && !stale.empty()) {
      ruling.trap("sshd-not-reloaded",
                  fmt::format("the files say no, but the daemon that runs still offers {}", offered),
                  "systemctl reload ssh");
    }
  } else if (!stale.empty()) {
    ruling.doubt(fmt::format("sshd has not been reloaded since {} changed", stale));
  }
}

/// sshd that systemd's socket starts does not open the ports its files name.
void judge_port(const json& effective, const json& live, Ruling& ruling) {
  const auto& contexts = effective.at("contexts");
  const auto configured = contexts.empty() ? std::string() : text(contexts.at(0).at("values"), "port");
  const auto port = text(live, "port");
  if (configured.empty() || port.empty())
    return ruling.cannot_tell("which port sshd's files name, and which one it answers on");
  if ((" " + configured + " ").find(" " + port + " ") != std::string::npos) return;
  ruling.saw(kEffective, "port " + configured, winner(effective, "", "port"));
  ruling.doubt(fmt::format("sshd answers on port {}, its files say {}", port, configured));
  if (effective.at("by_socket").get<bool>()) {
    ruling.trap("ssh-socket-port",
                fmt::format("ssh.socket opens port {}; Port {} of sshd's files is not asked for", port, configured),
                "set ListenStream in a drop-in of ssh.socket, or enable ssh.service in its place");
  }
}

/// with: {max_tries, user}
Result<Judged> judge_keys_only(const Case& subject) {
  const auto most = subject.with().at("max_tries").get<int>();
  SENTINEL_TRY(const auto* effective, subject.seen(kEffective));
  Ruling ruling(fmt::format(
      "only keys open SSH, for every connection: no password, no keyboard-interactive, at most {} tries", most));
  const std::vector<std::string> keywords{"passwordauthentication", "kbdinteractiveauthentication",
                                          "pubkeyauthentication",   "permitemptypasswords",
                                          "maxauthtries",           "hostbasedauthentication"};
  for_each_context(*effective, keywords, ruling, [&](const std::string& match, const json& values) {
    expect_value(*effective, match, values, "passwordauthentication", "no", ruling);
    expect_value(*effective, match, values, "kbdinteractiveauthentication", "no", ruling);
    expect_value(*effective, match, values, "pubkeyauthentication", "yes", ruling);
    expect_value(*effective, match, values, "permitemptypasswords", "no", ruling);
    expect_value(*effective, match, values, "hostbasedauthentication", "no", ruling);
    if (text(values, "kbdinteractiveauthentication") == "yes" && text(values, "usepam") == "yes") {
      ruling.trap("kbdinteractive-pam",
                  "with PAM, keyboard-interactive asks for the password although PasswordAuthentication is off",
                  "KbdInteractiveAuthentication no");
    }
    const auto tries = text(values, "maxauthtries");
    if (tries.empty() || tries.find_first_not_of("0123456789") != std::string::npos || tries.size() > 9) {
      ruling.cannot_tell("sshd -T says nothing of maxauthtries" + for_whom(match));
    } else if (std::stoi(tries) > most) {
      ruling.fault(fmt::format("maxauthtries {}{}", tries, for_whom(match)), side_of_disk(*effective));
      ruling.saw(kEffective, "maxauthtries " + tries, winner(*effective, match, "maxauthtries"));
    }
  });
  const auto live = subject.seen(kLive);
  if (live.ok()) {
    judge_live(*effective, **live, ruling);
    judge_port(*effective, **live, ruling);
  } else {
    ruling.cannot_tell(live.error().message);
  }
  return std::move(ruling).close("keys only, on disk and in the daemon that runs", Persistence::kBoth);
}

Result<Judged> judge_root_login(const Case& subject) {
  SENTINEL_TRY(const auto* effective, subject.seen(kEffective));
  Ruling ruling("PermitRootLogin no, for every connection");
  for_each_context(*effective, {"permitrootlogin"}, ruling, [&](const std::string& match, const json& values) {
    const auto value = text(values, "permitrootlogin");
    const auto place = winner(*effective, match, "permitrootlogin");
    if (value == "without-password" || value == "prohibit-password" || value == "forced-commands-only") {
      ruling.saw(kEffective, "permitrootlogin " + value, place);
      ruling.doubt(fmt::format("root can log in with a key{}: permitrootlogin {} ({})", for_whom(match), value, place));
    } else {
      expect_value(*effective, match, values, "permitrootlogin", "no", ruling);
    }
  });
  const auto stale = said(*effective, "stale");
  if (!stale.empty()) ruling.doubt(fmt::format("sshd has not been reloaded since {} changed", stale));
  return std::move(ruling).close("root can't log in over SSH", Persistence::kBoth);
}

std::vector<ProbeOrder> ask_sshd(const json& with) {
  json live = json::object();
  if (with.contains("user")) live["user"] = with.at("user");
  return {{kEffective, json::object()}, {kLive, live}};
}

}  // namespace

std::vector<Judgement> ssh_judgements() {
  return {{"ssh-keys-only", ask_sshd, judge_keys_only},
          {"ssh-no-root",
           [](const json&) {
             return std::vector<ProbeOrder>{{kEffective, json::object()}};
           },
           judge_root_login}};
}

}  // namespace sentinel
