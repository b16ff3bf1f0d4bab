// SPDX-License-Identifier: Apache-2.0
// `secrets list | rotate NAME`: names, sources and whether a host has a value; never a value.
#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/run.h"
#include "core/base/digest.h"
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

  Result<void> check(const Project& project) const {
    const SecretSource* secret = project.find_secret(secret_);
    if (secret == nullptr) {
      return Error("secret.unknown", fmt::format("the project has no secret '{}'", secret_), "see sentinelctl secrets list", ExitCode::kUsage);
    }
    if (secret->kind != SecretSource::Kind::kGenerate) {
      return Error("secret.not-generated", fmt::format("'{}' comes from its {}", secret_, source_of(*secret)),
                   "change it there, then sentinelctl apply", ExitCode::kUsage);
    }
    return {};
  }

  // An ordinary transaction, in which each host's new value stands in for the one it has: what uses it is written anew and
  // reloaded, and everything goes back when it fails. The value is never shown, and leaves this process only to its host.
  ExitCode rotate(const Context& context, const Workspace& workspace) const {
    if (const auto checked = check(workspace.project); !checked.ok()) return context.console.fail(checked.error());
    const SecretSource& source = *workspace.project.find_secret(secret_);
    Run run(context, workspace, "rotate secret " + secret_);
    if (const auto ready = run.prepare(); !ready.ok()) return context.console.fail(ready.error());
    run.plan([&](HostTask& task) {
      const std::string bytes = random_bytes(source.bytes);
      Secret value(source.encoding == "base64" ? base64_encode(bytes) : to_hex(bytes));
      return run.plan_project(task, {{secret_, std::move(value)}});
    });
    return run.finish();
  }

  std::string action_;
  std::string secret_;
};

}  // namespace

std::unique_ptr<Subcommand> make_secrets_command() { return std::make_unique<SecretsCommand>(); }

}  // namespace sentinel
