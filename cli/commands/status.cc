// SPDX-License-Identifier: Apache-2.0
// `status`: what is in force on each host, what runs there, and how the last transaction ended.
#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/survey_hosts.h"
#include "core/report/exit_status.h"
#include "core/report/printable.h"
#include "core/report/run_text.h"

namespace sentinel {
namespace {

// What needs a person now: a transaction that runs, or one that nobody finished.
std::string remark(const std::string& host, const nlohmann::json& answer) {
  if (const auto running = answer.value("running", nlohmann::json()); running.is_object()) {
    return fmt::format("{}: {} of {} runs since {}; follow it: sentinelctl attach {}\n", host,
                       printable_line(running.value("purpose", "")), printable_line(running.value("operator", "")),
                       printable_line(running.value("since", "")), host);
  }
  if (const auto interrupted = answer.value("interrupted", nlohmann::json::array()); !interrupted.empty()) {
    return fmt::format("{}: a transaction was interrupted and waits for its recovery; on the host: sentinel-agent recover\n", host);
  }
  return {};
}

class StatusCommand final : public Subcommand {
 public:
  std::string name() const override { return "status"; }
  std::string summary() const override { return "what is in force on each host, and how the last run ended"; }

  ExitCode run(const Context& context) override {
    Diagnostics diagnostics;
    const auto workspace = open_workspace(context, diagnostics);
    if (!workspace) return context.console.fail(diagnostics.errors);
    std::vector<HostStatus> hosts(workspace->hosts.size());
    std::vector<std::string> remarks(hosts.size());
    for (std::size_t i = 0; i < hosts.size(); ++i) hosts[i].host = workspace->hosts[i]->name;
    HostQuestion question;
    question.failed = [&](std::size_t i, Error error) { hosts[i].errors.push_back(std::move(error)); };
    question.ask = [&](std::size_t i, HostConnection& connection, Access&) -> Result<void> {
      hosts[i].reachable = true;
      SENTINEL_TRY(const auto answer, connection.agent().ask({"status", ""}));
      SENTINEL_CHECK(fill(hosts[i], answer, workspace->project.name, remarks[i]));
      return look_for_drift(hosts[i], connection, workspace->project.name);
    };
    if (const auto asked = ask_hosts(context, *workspace, question); !asked.ok()) return context.console.fail(asked.error());
    context.console.data(status_text(hosts, context.console.output_style()));
    context.console.document(status_document(hosts));
    for (const std::string& line : remarks) context.console.say(line);
    context.console.show(errors_of(hosts));
    return exit_code_of(hosts);
  }

 private:
  // Whether the host is still as its last generation left it: the way back to that generation has no steps.
  static Result<void> look_for_drift(HostStatus& status, HostConnection& connection, const std::string& project) {
    if (status.generation.value_or(0) == 0) return {};
    RestoreGeneration restore{*status.generation, {}};
    restore.request.host = status.host;
    restore.request.project = project;
    restore.request.purpose = "status";
    SENTINEL_TRY(const auto plan, connection.agent().plan_generation(restore));
    status.drift = !plan.steps.empty();
    return {};
  }

  static Result<void> fill(HostStatus& status, const nlohmann::json& answer, const std::string& app, std::string& remarked) {
    try {
      status.generation = answer.at("generation").get<std::uint64_t>();
      status.release = answer.at("releases").value(app, "");
      status.last_transaction = answer.at("last_transaction");
      remarked = remark(status.host, answer);
      return {};
    } catch (const nlohmann::json::exception& failure) {
      return Error("wire.malformed", std::string("the agent's status has another shape: ") + failure.what());
    }
  }
};

}  // namespace

std::unique_ptr<Subcommand> make_status_command() { return std::make_unique<StatusCommand>(); }

}  // namespace sentinel
