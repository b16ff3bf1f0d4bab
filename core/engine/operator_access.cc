// SPDX-License-Identifier: Apache-2.0
#include "core/engine/operator_access.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sentinel {
namespace {

constexpr const char* kSocket = "/var/run/fail2ban/fail2ban.sock";
constexpr const char* kUnit = "fail2ban.service";

bool names_fail2ban(const std::string& word) {
  return word == "fail2ban" || word == kUnit;
}

// "`- Jail list:\tsshd, recidive": what `fail2ban-client status` ends with.
std::vector<std::string> parse_jails(const std::string& output) {
  std::vector<std::string> jails;
  const auto label = output.find("Jail list:");
  if (label == std::string::npos) return jails;
  std::string name;
  for (const char c : output.substr(label + 10, output.find('\n', label) - label - 10) + ",") {
    if (c == ',') {
      if (!name.empty()) jails.push_back(std::exchange(name, {}));
    } else if (c != ' ' && c != '\t' && c != '\n') {
      name += c;
    }
  }
  return jails;
}

bool has_word(const std::string& text, const std::string& word) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const auto is_border = [&](std::size_t i) {
      return i >= text.size() || text[i] == ' ' || text[i] == '\n' || text[i] == '\t';
    };
    if ((at == 0 || is_border(at - 1)) && is_border(at + word.size())) return true;
  }
  return false;
}

}  // namespace

OperatorAccess::OperatorAccess(System& machine, EventSink& events, std::string address, std::string transaction)
    : machine_(machine), events_(events), address_(std::move(address)), transaction_(std::move(transaction)) {}

bool OperatorAccess::runs() {
  if (address_.empty()) return false;
  const auto socket = machine_.status(kSocket);
  return socket.ok() && socket->type != FileType::kAbsent;
}

bool OperatorAccess::client(const std::vector<std::string>& words, std::string* output) {
  CommandLine command;
  command.argv = {"fail2ban-client"};
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  command.timeout = std::chrono::seconds(10);
  const auto result = machine_.run(command);
  if (result.ok() && output != nullptr) *output = result->output;
  return result.ok() && result->status == 0;
}

// systemd calls fail2ban started before its socket is there; its client is Python, so it isn't asked before.
std::vector<std::string> OperatorAccess::jails_once_up() {
  const auto installed = machine_.status("/lib/systemd/system/fail2ban.service");
  if (address_.empty() || !installed.ok() || installed->type == FileType::kAbsent) return {};
  CommandLine command;
  command.argv = {"sh", "-c",
                  fmt::format("for i in $(seq 100); do systemctl is-active --quiet {} || exit 1; "
                              "[ -S {} ] && fail2ban-client status 2>/dev/null && exit 0; sleep 0.1; done; exit 1",
                              kUnit, kSocket)};
  command.timeout = std::chrono::seconds(60);
  const auto result = machine_.run(command);
  return result.ok() && result->status == 0 ? parse_jails(result->output) : std::vector<std::string>();
}

std::vector<std::string> OperatorAccess::jails() {
  if (!runs()) return jails_once_up();
  std::string output;
  return client({"status"}, &output) ? parse_jails(output) : std::vector<std::string>();
}

void OperatorAccess::protect() {
  const bool just_started = std::exchange(looked_before_, true);
  for (const auto& jail : jails()) {
    std::string ignored;
    if (client({"get", jail, "ignoreip"}, &ignored) && has_word(ignored, address_)) continue;
    if (client({"set", jail, "addignoreip", address_})) {
      protected_.insert(jail);
      // Starting, a jail reads the last minutes of the log and bans for what stands there: a first contact tries the
      // deploy user before it exists, which counts.
      if (just_started) (void)client({"set", jail, "unbanip", address_});
      continue;
    }
    Event event;
    event.type = Event::Type::kWarning;
    event.text = fmt::format("fail2ban's jail {} could not be told to ignore {}", jail, address_);
    events_.tell(std::move(event));
  }
}

bool OperatorAccess::is_forgotten_after(const Action& action) {
  const auto* command = std::get_if<RunCommand>(&action);
  if (command == nullptr || command->argv.empty()) return false;
  const auto& argv = command->argv;
  return (argv.front() == "systemctl" || argv.front() == "fail2ban-client") &&
         (argv.front() == "fail2ban-client" || std::any_of(argv.begin(), argv.end(), names_fail2ban));
}

bool OperatorAccess::is_forgotten_after(const Effect& effect) {
  return names_fail2ban(effect.unit);
}

void OperatorAccess::unban() {
  if (runs()) (void)client({"unban", address_});
}

void OperatorAccess::release_later() {
  int number = 0;
  for (const auto& jail : protected_) {
    CommandLine command;
    command.argv = {"systemd-run",
                    "--quiet",
                    "--collect",
                    "--on-active=10m",
                    fmt::format("--unit=sentinel-unignore-{}-{}", transaction_.substr(0, 12), number++),
                    "fail2ban-client",
                    "set",
                    jail,
                    "delignoreip",
                    address_};
    command.timeout = std::chrono::seconds(10);
    (void)machine_.run(command);
  }
}

}  // namespace sentinel
