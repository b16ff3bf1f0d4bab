// SPDX-License-Identifier: Apache-2.0
// fail2ban, judged by what its server does now and by what its files will make it do.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "core/audit/families.h"
#include "core/audit/ruling.h"
#include "core/audit/units.h"

namespace sentinel {
namespace {

using nlohmann::json;

/// fail2ban's journalmatch: lists of terms joined by AND, joined by OR. True when one of them sees sshd's lines.
bool sees_sshd(const json& journalmatch, const std::string& process, const std::string& unit) {
  if (!journalmatch.is_array()) return false;
  std::vector<json> alternatives;
  const bool flat = !journalmatch.empty() && journalmatch.front().is_string();
  auto terms = json::array();
  for (const auto& item : flat ? json::array({journalmatch}) : journalmatch) {
    for (const auto& term : item) {
      if (term == "+") {
        alternatives.push_back(terms);
        terms = json::array();
      } else {
        terms.push_back(term);
      }
    }
    alternatives.push_back(terms);
    terms = json::array();
  }
  return std::any_of(alternatives.begin(), alternatives.end(), [&](const json& all) {
    return !all.empty() && std::all_of(all.begin(), all.end(), [&](const json& term) {
      return term == "_COMM=" + process || term == "_SYSTEMD_UNIT=" + unit || term == "SYSLOG_IDENTIFIER=" + process;
    });
  });
}

/// Whether a network is so large that ignoring it is ignoring the world; that needs fewer than 8 bits of IPv4 or 16 of
/// IPv6. The server writes a network of all addresses as the first of them, which is nobody's.
bool is_too_large(const std::string& network) {
  if (network == "0.0.0.0" || network == "::") return true;
  const auto slash = network.find('/');
  const bool v6 = network.find(':') != std::string::npos;
  if (slash == std::string::npos) return false;
  const auto length = network.substr(slash + 1);
  const bool number = !length.empty() && length.find_first_not_of("0123456789") == std::string::npos;
  return number && std::atoi(length.c_str()) < (v6 ? 16 : 8);
}

/// Whether a command that fail2ban asks about an address says of every one that it is to be ignored.
bool lets_everybody_off(const std::string& command) {
  const auto begin = command.find_first_not_of(" \t\n");
  if (begin == std::string::npos) return false;
  const auto program = command.substr(begin, command.find_first_of(" \t\n", begin) - begin);
  const auto name = program.substr(program.rfind('/') + 1);
  return name == "true" || name == ":" || command.substr(begin).starts_with("exit 0");
}

/// What can't be told of a jail's files: values they take from elsewhere.
void judge_files_are_read(const json& at_boot, Ruling& ruling) {
  for (const char* name : {"maxretry", "bantime", "findtime"}) {
    if (at_boot.at(name).is_null()) ruling.cannot_tell(fmt::format("fail2ban's files: {} can't be read", name));
  }
  for (const auto& network : at_boot.at("ignore").get<std::vector<std::string>>()) {
    if (network.find("%(") != std::string::npos)
      ruling.cannot_tell(fmt::format("fail2ban's files: ignoreip takes {} from elsewhere", network));
  }
}

/// What is too weak in a jail's numbers, which are those of its server or those of its files.
std::set<std::string> weaknesses(const json& jail, int most, std::int64_t bantime) {
  std::set<std::string> out;
  const auto number = [&](const char* name) {
    return jail.at(name).is_null() ? std::optional<std::int64_t>() : jail.at(name).get<std::int64_t>();
  };
  if (const auto tries = number("maxretry"); tries && *tries > most) out.insert(fmt::format("maxretry is {}", *tries));
  if (const auto time = number("bantime"); time && *time >= 0 && *time < bantime)
    out.insert(fmt::format("bantime is {} s", *time));
  // Whoever tries once a minute is never counted in a shorter one.
  if (const auto window = number("findtime"); window && *window < 60)
    out.insert(fmt::format("findtime is {} s", *window));
  for (const auto& network : jail.at("ignore").get<std::vector<std::string>>()) {
    const bool everybody = network.ends_with("/0");
    if (is_too_large(network))
      out.insert(
          fmt::format("everybody of {} is ignored", everybody ? network.substr(0, network.size() - 2) : network));
  }
  if (const auto command = jail.at("ignore_command").get<std::string>(); lets_everybody_off(command))
    out.insert(fmt::format("everybody is ignored by ignorecommand = {}", command));
  return out;
}

/// Whether an action's list of ports ("ssh", "22,80", "0:65535") has this one.
bool closes(const std::string& ports, int port) {
  std::size_t begin = 0;
  while (begin <= ports.size()) {
    const auto end = std::min(ports.find(',', begin), ports.size());
    const auto item = ports.substr(begin, end - begin);
    begin = end + 1;
    if ((item == "ssh" && port == 22) || item == "all") return true;
    const auto colon = item.find(':');
    const int low = std::atoi(item.c_str());
    const int high = colon == std::string::npos ? low : std::atoi(item.c_str() + colon + 1);
    if (low <= port && port <= high) return true;
  }
  return false;
}

/// What the server says of the jail, beside its numbers.
void judge_jail_works(const json& seen, const json& jail, Ruling& ruling) {
  const auto& expressions = jail.at("failregex");
  const bool sees = std::any_of(expressions.begin(), expressions.end(), [](const json& expression) {
    return expression.get<std::string>().find("Failed") != std::string::npos;
  });
  if (!sees) ruling.fault("no expression of the filter matches sshd's 'Failed password'");
  const auto port = seen.at("ssh_port").get<int>();
  const auto& ports = jail.at("ports");
  const bool elsewhere = port != 0 && !ports.empty() && ports.size() == jail.at("actions").size() &&
                         std::none_of(ports.begin(), ports.end(), [&](const json& list) {
                           return closes(list.is_string() ? list.get<std::string>() : list.dump(), port);
                         });
  if (elsewhere) ruling.fault(fmt::format("a ban closes {}, and sshd listens on {}", ports.dump(), port));
}

/// with: {jail, maxretry, bantime_seconds}
Result<Judged> judge_fail2ban(const Case& subject) {
  const auto most = subject.with().at("maxretry").get<int>();
  const auto bantime = subject.with().at("bantime_seconds").get<std::int64_t>();
  Ruling ruling(fmt::format("fail2ban runs and bans for at least {} s after {} failures, and sees what sshd logs",
                            bantime, most));
  SENTINEL_TRY(const auto* seen, subject.seen("fail2ban"));
  SENTINEL_TRY(const auto* units, subject.seen("units"));
  judge_unit("fail2ban.service", *units, ruling);
  if (const auto problem = seen->at("problem").get<std::string>(); !problem.empty()) {
    ruling.fault(problem);
    ruling.trap("jail-conf-copied", problem + ": a copy of jail.conf defines every jail already",
                "remove jail.local; put only what differs into /etc/fail2ban/jail.d/");
  }
  const auto& local = seen->at("jail_local");
  if (local.is_number() && seen->at("jail_conf").is_number() &&
      local.get<double>() > 0.9 * seen->at("jail_conf").get<double>()) {
    ruling.doubt("jail.local is a copy of jail.conf: the distribution's own settings are overridden");
    ruling.trap("jail-conf-copied", "a full copy of jail.conf overrides what the package sets for this system",
                "remove it; put only what differs into /etc/fail2ban/jail.d/");
  }
  if (!seen->at("running").get<bool>()) {
    ruling.fault("fail2ban's server does not answer", Persistence::kRuntimeOnly);
    if (!seen->at("auth_log").get<bool>()) {
      ruling.trap("fail2ban-no-auth-log",
                  "this system writes no auth.log; a jail that wants one keeps fail2ban from starting",
                  "backend = systemd");
    }
    return std::move(ruling).close("", Persistence::kBoth);
  }
  const auto& jail = seen->at("jail");
  const auto& at_boot = seen->at("at_boot");
  const bool comes_back = at_boot.at("enabled").get<bool>();
  if (jail.is_null()) {
    ruling.fault("there is no jail for sshd", comes_back ? Persistence::kRuntimeOnly : Persistence::kBoth);
    return std::move(ruling).close("", Persistence::kBoth);
  }
  if (!comes_back) ruling.fault("fail2ban's files don't enable the jail", Persistence::kBootOnly);
  const auto origin = subject.origin("fail2ban");
  for (const char* name : {"maxretry", "bantime", "findtime", "journalmatch", "logpath", "actions"})
    ruling.saw("fail2ban", fmt::format("{} {}", name, jail.at(name).dump()), origin);
  judge_files_are_read(at_boot, ruling);
  if (jail.at("findtime").is_null()) ruling.cannot_tell("the jail's findtime can't be read");
  const auto now = weaknesses(jail, most, bantime);
  const auto later = weaknesses(at_boot, most, bantime);
  judge_sides(now, later, "in its files: ", ruling);
  for (const auto* side : {&jail, &at_boot}) {
    const auto command = side->at("ignore_command").get<std::string>();
    if (!command.empty() && !lets_everybody_off(command))
      ruling.doubt(fmt::format("whom ignorecommand = {} lets off can't be told", command));
  }
  judge_jail_works(*seen, jail, ruling);
  if (jail.at("actions").get<std::vector<std::string>>().empty())
    ruling.fault("the jail has no action: it bans nobody");
  if (!seen->at("iptables").get<bool>() && !seen->at("nft").get<bool>()) {
    ruling.fault("neither iptables nor nft is there: a ban would have no effect");
    ruling.trap("fail2ban-no-firewall-program", "the ban action's program is missing", "install iptables or nftables");
  }
  const auto process = seen->at("sshd_process").get<std::string>();
  const auto unit = seen->at("ssh_unit").get<std::string>();
  const bool by_journal = jail.at("journalmatch").is_array() && !jail.at("journalmatch").empty();
  const bool by_file = jail.at("logpath").is_array() && !jail.at("logpath").empty();
  if (by_journal && !sees_sshd(jail.at("journalmatch"), process, unit)) {
    ruling.fault(fmt::format("the jail does not see what {} logs", process));
    ruling.trap("fail2ban-sshd-session",
                fmt::format("sshd's lines come from the process {}, which journalmatch {} leaves out", process,
                            jail.at("journalmatch").dump()),
                fmt::format("journalmatch = _SYSTEMD_UNIT={}", unit));
  }
  if (!by_journal && !by_file) ruling.fault("the jail reads neither the journal nor a file");
  if (!by_journal && by_file && !seen->at("auth_log").get<bool>())
    ruling.fault("the jail reads a file that sshd does not log to");
  return std::move(ruling).close(
      fmt::format("maxretry {}, bantime {} s", jail.at("maxretry").get<int>(), jail.at("bantime").get<std::int64_t>()),
      Persistence::kBoth);
}

}  // namespace

std::vector<Judgement> ban_judgements() {
  return {{"fail2ban-sshd", [](const json&) { return unit_orders({"fail2ban.service"}, "fail2ban"); }, judge_fail2ban}};
}

}  // namespace sentinel
