// SPDX-License-Identifier: Apache-2.0
// `releases`: what each host keeps of the project's application, newest first.
#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/survey_hosts.h"
#include "core/model/json.h"
#include "core/report/exit_status.h"
#include "core/report/printable.h"

namespace sentinel {
namespace {

struct HostReleases {
  std::string host;
  AppReleases app;
  Errors errors;
};

std::string text_of(const HostReleases& host) {
  std::string text = printable_line(host.host) + ":\n";
  const auto& releases = host.app.releases;
  for (auto record = releases.rbegin(); record != releases.rend(); ++record) {
    const auto& release = record->release;
    const bool current = release.id == host.app.current;
    text += fmt::format("  {} {}  {}{}  {} {}  {}  by {}\n", current ? "*" : " ", printable_line(release.id),
                        to_string(record->state), release.id == host.app.previous ? " (rollback goes here)" : "",
                        printable_line(release.artefact.name), printable_line(release.artefact.version),
                        printable_line(record->changed), printable_line(release.operator_name));
    if (!record->reason.empty()) text += "      " + printable_line(record->reason) + "\n";
  }
  return releases.empty() ? text + "  nothing was ever deployed here\n" : text;
}

Document document_of(const std::vector<HostReleases>& hosts) {
  Document list = Document::array();
  for (const HostReleases& host : hosts) {
    Document releases = Document::array();
    for (auto record = host.app.releases.rbegin(); record != host.app.releases.rend(); ++record) {
      const nlohmann::json artefact = record->release.artefact;
      releases.push_back({{"id", record->release.id},
                          {"state", to_string(record->state)},
                          {"current", record->release.id == host.app.current},
                          {"rollback_target", record->release.id == host.app.previous},
                          {"artefact", Document(artefact)},
                          {"config_digest", record->release.config_digest},
                          {"env_digest", record->release.env_digest},
                          {"unit_digest", record->release.unit_digest},
                          {"tree_digest", record->release.tree_digest},
                          {"created", record->release.created},
                          {"operator", record->release.operator_name},
                          {"changed", record->changed},
                          {"transaction", record->transaction},
                          {"reason", record->reason},
                          {"log", record->log}});
    }
    list.push_back({{"host", host.host},
                    {"app", host.app.app},
                    {"releases", std::move(releases)},
                    {"error", error_record(host.errors)}});
  }
  return {{"schema_version", kSchemaVersion}, {"hosts", std::move(list)}};
}

class ReleasesCommand final : public Subcommand {
 public:
  std::string name() const override { return "releases"; }

  std::string summary() const override { return "the releases on each host, and which is in force"; }

  ExitCode run(const Context& context) override {
    Diagnostics diagnostics;
    const auto workspace = open_workspace(context, diagnostics);
    if (!workspace) return context.console.fail(diagnostics.errors);
    std::vector<HostReleases> hosts(workspace->hosts.size());
    for (std::size_t i = 0; i < hosts.size(); ++i) hosts[i].host = workspace->hosts[i]->name;
    HostQuestion question;
    question.failed = [&](std::size_t i, Error error) { hosts[i].errors.push_back(std::move(error)); };
    question.ask = [&](std::size_t i, HostConnection& connection, Access&) -> Result<void> {
      SENTINEL_TRY(const auto answer, connection.agent().ask({"releases", workspace->project.name}));
      SENTINEL_TRY(hosts[i].app, decode<AppReleases>(answer));
      return {};
    };
    if (const auto asked = ask_hosts(context, *workspace, question); !asked.ok())
      return context.console.fail(asked.error());
    std::vector<ExitCode> codes;
    for (const HostReleases& host : hosts) {
      if (host.errors.empty()) context.console.data(text_of(host));
      codes.push_back(host.errors.empty() ? ExitCode::kDone : host.errors.front().exit);
    }
    context.console.document(document_of(hosts));
    context.console.show(errors_of(hosts));
    return combined(codes);
  }
};

}  // namespace

std::unique_ptr<Subcommand> make_releases_command() {
  return std::make_unique<ReleasesCommand>();
}

}  // namespace sentinel
