// SPDX-License-Identifier: Apache-2.0
// sshd.effective: {installed, problem, stale, unit, by_socket: whether ssh.socket starts it, contexts: [{match,
//                  connection, values: {keyword: value}, problem}], settings: [{keyword, value, file, line, match}]};
//                  the first context is a connection no block names
// sshd.live:      {methods: [name], port, user}: what the daemon that listens offers to somebody without a key
#include "core/resources/sshd.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/base/digest.h"
#include "core/checks/families.h"
#include "core/checks/sshd_contexts.h"
#include "core/resources/sshd_report.h"
#include "core/resources/sshd_settings.h"

namespace sentinel {
namespace {

// What judgements ask about; everything else of `sshd -T` stays on the host.
constexpr std::array kKeywords{"allowgroups",
                               "allowtcpforwarding",
                               "allowusers",
                               "authenticationmethods",
                               "authorizedkeysfile",
                               "challengeresponseauthentication",
                               "ciphers",
                               "denygroups",
                               "denyusers",
                               "gssapiauthentication",
                               "hostbasedauthentication",
                               "kbdinteractiveauthentication",
                               "kerberosauthentication",
                               "kexalgorithms",
                               "listenaddress",
                               "logingracetime",
                               "loglevel",
                               "macs",
                               "maxauthtries",
                               "passwordauthentication",
                               "permitemptypasswords",
                               "permitrootlogin",
                               "port",
                               "pubkeyauthentication",
                               "strictmodes",
                               "usepam",
                               "x11forwarding"};

nlohmann::json kept(const std::map<std::string, std::string>& values) {
  auto out = nlohmann::json::object();
  for (const char* keyword : kKeywords) {
    const auto found = values.find(keyword);
    if (found != values.end()) out[canonical_keyword(keyword)] = found->second;
  }
  return out;
}

nlohmann::json context_of(const std::string& match, const Accounts& accounts, Reader& machine) {
  nlohmann::json out{{"match", match}, {"connection", ""}, {"values", nlohmann::json::object()}, {"problem", ""}};
  const auto connection = connection_for(match, accounts);
  if (!connection.ok()) {
    out["problem"] = connection.error().message;
    return out;
  }
  out["connection"] = connection->specification();
  CommandLine command;
  command.argv = {"/usr/sbin/sshd", "-T", "-C", connection->specification()};
  const auto result = machine.query(command);
  if (result.ok() && result->status == 0) {
    out["values"] = kept(parse_sshd_report(result->output));
  } else {
    out["problem"] = result.ok() ? result->reason() : result.error().message;
  }
  return out;
}

nlohmann::json settings_json(const SshdSettings& all) {
  auto out = nlohmann::json::array();
  for (const auto& setting : all.settings) {
    if (std::find(kKeywords.begin(), kKeywords.end(), setting.keyword) == kKeywords.end()) continue;
    out.push_back({{"keyword", setting.keyword},
                   {"value", setting.value},
                   {"file", setting.file},
                   {"line", setting.line},
                   {"match", setting.match}});
  }
  return out;
}

Result<Answer> effective(const Inquiry& inquiry) {
  // The drop-in need not be there: this reads what the daemon has loaded, too.
  const SshdConfig any{"/etc/ssh/sshd_config.d/00-sentinel.conf", {}, {}};
  SENTINEL_TRY(const auto state, observe(any, inquiry.look));
  SENTINEL_TRY(const auto* report, sshd_report(inquiry.look));
  if (!report->installed) return Error("probe.absent", "sshd is not installed");
  SENTINEL_TRY(const auto settings, read_sshd_settings(inquiry.machine()));
  SENTINEL_TRY(const auto* known, accounts(inquiry.look));
  auto contexts = nlohmann::json::array();
  contexts.push_back(
      {{"match", ""}, {"connection", ""}, {"values", kept(report->values)}, {"problem", report->problem}});
  std::set<std::string> blocks;
  for (const auto& setting : settings.settings) {
    if (setting.match.empty() || !blocks.insert(setting.match).second) continue;
    contexts.push_back(context_of(setting.match, *known, inquiry.machine()));
  }
  return Answer{{{"installed", true},
                 {"problem", report->problem},
                 {"stale", state.stale.changed_path},
                 {"unit", state.unit},
                 {"by_socket", state.socket.enabled},
                 {"contexts", std::move(contexts)},
                 {"settings", settings_json(settings)}},
                "sshd -T"};
}

/// What ssh says when nothing let it in: "user@host: Permission denied (publickey,password)."
std::vector<std::string> methods_in(const std::string& said) {
  constexpr std::string_view kMark = "Permission denied (";
  std::vector<std::string> out;
  const auto begin = said.rfind(kMark);
  if (begin == std::string::npos) return out;
  const auto end = said.find(')', begin);
  std::string word;
  for (auto at = begin + kMark.size(); at < end && at < said.size(); ++at) {
    if (said[at] == ',') {
      out.push_back(std::move(word));
      word.clear();
    } else {
      word += said[at];
    }
  }
  if (!word.empty()) out.push_back(std::move(word));
  return out;
}

/// One connection over loopback, as an existing user, that asks for nothing. Its source is another loopback address
/// each time: an sshd that keeps accounts of failed clients (OpenSSH 10) would refuse audits in a row otherwise, and no
/// ban can hit anybody.
Result<Answer> live(const Inquiry& inquiry) {
  const auto user = inquiry.text("user", "root");
  SENTINEL_TRY(const auto* known, accounts(inquiry.look));
  const std::string who = known->user(user) != nullptr ? user : "root";
  SENTINEL_TRY(const auto* report, sshd_report(inquiry.look));
  const auto configured = report->values.find("port");
  const auto session = inquiry.facts.ssh_port != 0 ? fmt::format("{}", inquiry.facts.ssh_port) : std::string();
  std::string port = !session.empty() ? session : configured != report->values.end() ? configured->second : "22";
  port = port.substr(0, port.find(' '));
  const auto random = random_bytes(2);
  const auto source = fmt::format("127.83.{}.{}", static_cast<unsigned char>(random[0]) % 254 + 1,
                                  static_cast<unsigned char>(random[1]) % 254 + 1);
  CommandLine command;
  command.argv = {"ssh", "-F", "none", "-T", "-b", source, "-p", port, "-l", who};
  for (const char* option :
       {"BatchMode=yes", "PreferredAuthentications=none", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null",
        "GlobalKnownHostsFile=/dev/null", "ConnectTimeout=5", "LogLevel=INFO", "IdentitiesOnly=yes",
        // First the exchange that costs least: nothing secret is said, and the default one is most of the probe's work.
        "KexAlgorithms=^curve25519-sha256"}) {
    command.argv.insert(command.argv.end(), {"-o", option});
  }
  command.argv.push_back("127.0.0.1");
  command.timeout = std::chrono::seconds(10);
  SENTINEL_TRY(const auto result, inquiry.machine().query(command));
  const auto methods = methods_in(result.errors);
  if (methods.empty()) return Error("probe.failed", "sshd named no way to log in: " + result.reason());
  return Answer{{{"methods", methods}, {"port", port}, {"user", who}}, fmt::format("127.0.0.1:{}, method none", port)};
}

}  // namespace

HostProbes sshd_probes() {
  return {{"sshd.effective", effective}, {"sshd.live", live}};
}

}  // namespace sentinel
