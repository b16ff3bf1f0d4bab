// SPDX-License-Identifier: Apache-2.0
// `validate`: every error in the project at once. No network, no secret values: a pipeline without them can run it.
#include <fmt/format.h>

#include "cli/audit_hosts.h"
#include "cli/commands/commands.h"
#include "cli/workspace.h"
#include "core/base/clock.h"

namespace sentinel {
namespace {

Document error_list(const Errors& errors) {
  Document list = Document::array();
  for (const Error& error : errors) list.push_back(error_record({error}));
  return list;
}

class ValidateCommand final : public Subcommand {
 public:
  std::string name() const override { return "validate"; }
  std::string summary() const override { return "find every error in the project, without a network"; }

  ExitCode run(const Context& context) override {
    Diagnostics diagnostics;
    const auto workspace = open_workspace(context, diagnostics);
    std::vector<Expansion> expansions;
    if (workspace) {
      for (const Host* host : workspace->hosts) {
        auto expansion = expand_offline(workspace->project, workspace->playbook, *host, workspace->assets, diagnostics);
        if (expansion) expansions.push_back(std::move(*expansion));
      }
      if (diagnostics.ok()) check_fleet(workspace->project, expansions, diagnostics);
      // Checklists of the project's own, and waivers, which are measured by today.
      load_profile(*workspace, kDefaultProfile, to_rfc3339(SystemClock().now()), diagnostics);
    }
    return report(context, diagnostics, expansions);
  }

 private:
  static ExitCode report(const Context& context, const Diagnostics& diagnostics, const std::vector<Expansion>& expansions) {
    context.console.warn(diagnostics.warnings);
    context.console.show(diagnostics.errors);
    context.console.document({{"schema_version", kSchemaVersion},
                              {"valid", diagnostics.ok()},
                              {"errors", error_list(diagnostics.errors)},
                              {"warnings", error_list(diagnostics.warnings)}});
    if (!diagnostics.ok()) return diagnostics.errors.front().exit;
    std::string text;
    for (const Expansion& expansion : expansions) {
      text += fmt::format("{}: {} resources, {} files\n", expansion.request.host, expansion.request.resources.size(),
                          expansion.files.size());
    }
    context.console.data(text + "The project is valid. Next: sentinelctl plan\n");
    return ExitCode::kDone;
  }
};

}  // namespace

std::unique_ptr<Subcommand> make_validate_command() { return std::make_unique<ValidateCommand>(); }

}  // namespace sentinel
