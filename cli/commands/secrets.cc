// SPDX-License-Identifier: Apache-2.0
// `secrets list | rotate NAME`: names, sources and whether a host has a value; never a value.
#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/survey_hosts.h"
#include "core/report/exit_status.h"
#include "core/report/printable.h"

namespace sentinel {
namespace {

std::string source_of(const SecretSource& secret) {
  switch (secret.kind) {
    case SecretSource::Kind::kEnvironment: return "environment variable " + secret.variable;
    case SecretSource::Kind::kFile: return "file " + secret.path;
    case SecretSource::Kind::kCommand: return "command " + (secret.argv.empty() ? std::string() : secret.argv.front());
    case SecretSource::Kind::kGenerate: return fmt::format("generated on each host ({} bytes, {})", secret.bytes, secret.encoding);
  }
  return {};
}

class SecretsCommand final : public Subcommand {
 public:
  std::string name() const override { return "secrets"; }
  std::string summary() const override { return "list the project's secrets, or make a generated one anew"; }

  void declare(Declaration& d) override {
    d.choice("ACTION", action_, {"list", "rotate"}, "list, or rotate");
    d.argument("NAME", secret_, "rotate: which one");
  }

  ExitCode run(const Context& context) override {
    Diagnostics diagnostics;
    const auto workspace = open_workspace(context, diagnostics);
    if (!workspace) return context.console.fail(diagnostics.errors);
    return action_ == "list" ? list(context, workspace->project) : rotate(context, *workspace);
  }

 private:
  static ExitCode list(const Context& context, const Project& project) {
    Document secrets = Document::array();
    std::string text;
    for (const SecretSource& secret : project.secrets) {
      secrets.push_back({{"name", secret.name},
                         {"generated", secret.kind == SecretSource::Kind::kGenerate},
                         {"source", source_of(secret)}});
      text += fmt::format("{}  {}\n", secret.name, printable_line(source_of(secret)));
    }
    context.console.data(text.empty() ? "The project has no secrets.\n" : text);
    context.console.document({{"schema_version", kSchemaVersion}, {"secrets", std::move(secrets)}});
    return ExitCode::kDone;
  }

  Result<void> check(const Context& context, const Project& project) const {
    const SecretSource* secret = project.find_secret(secret_);
    if (secret == nullptr) {
      return Error("secret.unknown", fmt::format("the project has no secret '{}'", secret_), "see sentinelctl secrets list", ExitCode::kUsage);
    }
    if (secret->kind != SecretSource::Kind::kGenerate) {
      return Error("secret.not-generated", fmt::format("'{}' comes from its {}", secret_, source_of(*secret)),
                   "change it there, then sentinelctl apply", ExitCode::kUsage);
    }
    if (context.options.yes || context.options.dry_run) return {};
    SENTINEL_TRY(const bool agreed,
                 context.console.ask(fmt::format("Make a new value of {} on the selected hosts? Services get it with the next apply.", secret_)));
    if (!agreed) return Error("run.declined", "nothing was changed", "", ExitCode::kDone);
    return {};
  }

  ExitCode rotate(const Context& context, const Workspace& workspace) const {
    if (const auto checked = check(context, workspace.project); !checked.ok()) return context.console.fail(checked.error());
    std::vector<HostRun> hosts(workspace.hosts.size());
    for (std::size_t i = 0; i < hosts.size(); ++i) hosts[i].host = workspace.hosts[i]->name;
    if (context.options.dry_run) {
      context.console.data(fmt::format("A new value of {} would be made on {} host(s).\n", secret_, hosts.size()));
      return ExitCode::kChangesPending;
    }
    HostQuestion question;
    question.failed = [&](std::size_t i, Error error) {
      hosts[i].outcome = error.exit == ExitCode::kUnreachable ? Outcome::kUnreachable : Outcome::kFailed;
      hosts[i].errors.push_back(std::move(error));
    };
    question.ask = [&](std::size_t i, HostConnection& connection) -> Result<void> {
      SENTINEL_TRY(const auto answer, connection.agent().ask({"rotate-secret", secret_}));
      hosts[i].outcome = Outcome::kChanged;
      hosts[i].changed = {"secrets/" + secret_};
      return {};
    };
    if (const auto asked = ask_hosts(context, workspace, question); !asked.ok()) return context.console.fail(asked.error());
    for (const HostRun& host : hosts) {
      if (host.errors.empty()) context.console.data(fmt::format("{}: {} has a new value\n", host.host, secret_));
      context.console.show(host.errors);
    }
    context.console.document(run_document(hosts));
    const ExitCode code = exit_code_of(hosts);
    if (code == ExitCode::kDone) context.console.say("Next: sentinelctl apply\n");
    return code;
  }

  std::string action_;
  std::string secret_;
};

}  // namespace

std::unique_ptr<Subcommand> make_secrets_command() { return std::make_unique<SecretsCommand>(); }

}  // namespace sentinel
