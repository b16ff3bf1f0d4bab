// SPDX-License-Identifier: Apache-2.0
// `history`: who did what when on each host, newest first. The hosts' logs are chained; one that doesn't hold is an error.
#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/survey_hosts.h"
#include "core/report/exit_status.h"
#include "core/report/printable.h"

namespace sentinel {
namespace {

struct HostHistory {
  std::string host;
  nlohmann::json entries = nlohmann::json::array();
  Errors errors;
};

std::string field(const nlohmann::json& entry, const char* name) {
  const auto found = entry.find(name);
  if (found == entry.end()) return "-";
  return printable_line(found->is_string() ? found->get<std::string>() : found->dump());
}

std::string text_of(const HostHistory& history) {
  std::string text = printable_line(history.host) + ":\n";
  for (const auto& entry : history.entries) {
    if (!entry.is_object()) continue;
    const auto changed = entry.value("changed", nlohmann::json::array());
    text += fmt::format("  {}  generation {}{}  {}  {}  by {}  ({} changed)  {}\n", field(entry, "time"), field(entry, "generation"),
                        entry.value("restorable", false) ? "" : " (not kept)", field(entry, "outcome"), field(entry, "purpose"),
                        field(entry, "operator_name"), changed.size(), field(entry, "transaction"));
    if (const std::string reason = field(entry, "reason"); !reason.empty()) text += "      " + reason + "\n";
  }
  return history.entries.empty() ? text + "  nothing was ever done here\n" : text;
}

Document document_of(const std::vector<HostHistory>& hosts) {
  Document list = Document::array();
  for (const HostHistory& host : hosts) {
    list.push_back({{"host", host.host}, {"entries", Document(host.entries)}, {"error", error_record(host.errors)}});
  }
  return {{"schema_version", kSchemaVersion}, {"hosts", std::move(list)}};
}

class HistoryCommand final : public Subcommand {
 public:
  std::string name() const override { return "history"; }
  std::string summary() const override { return "who did what when on each host"; }

  ExitCode run(const Context& context) override {
    Diagnostics diagnostics;
    const auto workspace = open_workspace(context, diagnostics);
    if (!workspace) return context.console.fail(diagnostics.errors);
    std::vector<HostHistory> hosts(workspace->hosts.size());
    for (std::size_t i = 0; i < hosts.size(); ++i) hosts[i].host = workspace->hosts[i]->name;
    HostQuestion question;
    question.failed = [&](std::size_t i, Error error) { hosts[i].errors.push_back(std::move(error)); };
    question.ask = [&](std::size_t i, HostConnection& connection, Access& access) -> Result<void> {
      SENTINEL_TRY(auto answer, connection.agent().ask({"history", ""}));
      if (!answer.is_array()) return Error("wire.malformed", "the agent's history is no list");
      hosts[i].entries = std::move(answer);
      return compare_with_memory(*workspace->hosts[i], connection, access);
    };
    if (const auto asked = ask_hosts(context, *workspace, question); !asked.ok()) return context.console.fail(asked.error());
    std::vector<ExitCode> codes;
    for (const HostHistory& host : hosts) {
      if (host.errors.empty()) context.console.data(text_of(host));
      codes.push_back(host.errors.empty() ? ExitCode::kDone : host.errors.front().exit);
    }
    context.console.document(document_of(hosts));
    context.console.show(errors_of(hosts));
    return combined(codes);
  }

 private:
  // Whoever rules the host can write its log anew, chain and all; but not what was heard of it before.
  static Result<void> compare_with_memory(const Host& host, HostConnection& connection, Access& access) {
    const std::string& head = connection.hello().audit_head;
    auto known = access.memory.find(host.name, host.address);
    if (!known) return {};
    if (known->has_audit_head() && known->audit_head != head) {
      SENTINEL_TRY(const auto answer, connection.agent().ask({"audit", known->audit_head}));
      if (!answer.is_object() || !answer.value("contains", false)) {
        return Error("audit.rewritten", fmt::format("the history of {} no longer holds what it held before", host.name),
                     "somebody has rewritten or removed it, or the host was set up anew; then remove it from .sentinel/hosts.json");
      }
    }
    known->audit_head = head;
    return access.memory.remember(*known);
  }
};

}  // namespace

std::unique_ptr<Subcommand> make_history_command() { return std::make_unique<HistoryCommand>(); }

}  // namespace sentinel
