// SPDX-License-Identifier: Apache-2.0
// `attach [HOST]`: follows the running or last transaction of a host from its first event to its end, confirms it when
// the host waits for that, and ends with its exit code.
#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/transaction_watch.h"
#include "core/report/exit_status.h"
#include "core/report/run_text.h"

namespace sentinel {
namespace {

class AttachCommand final : public Subcommand {
 public:
  std::string name() const override { return "attach"; }

  std::string summary() const override { return "follow a running or the last transaction of a host to its end"; }

  void declare(Declaration& d) override { d.argument("HOST", host_, "needed when the project has several"); }

  ExitCode run(const Context& context) override {
    Diagnostics diagnostics;
    const auto workspace = open_workspace(context, diagnostics);
    if (!workspace) return context.console.fail(diagnostics.errors);
    const auto host = choose(*workspace);
    if (!host.ok()) return context.console.fail(host.error());
    auto followed = follow(context, *workspace, **host);
    if (!followed.ok()) return context.console.fail(followed.error());
    context.console.data(run_text({*followed}, context.console.output_style()));
    context.console.document(run_document({*followed}));
    context.console.show(followed->errors);
    return exit_code_of(*followed);
  }

 private:
  Result<const Host*> choose(const Workspace& workspace) const {
    if (!host_.empty()) {
      SENTINEL_TRY(const auto named, select_hosts(workspace.project, host_));
      if (named.size() == 1) return named.front();
    } else if (workspace.hosts.size() == 1) {
      return workspace.hosts.front();
    }
    return Error("attach.which-host", "one host has to be named", "sentinelctl attach HOST", ExitCode::kUsage);
  }

  // The one that runs or waits for its recovery, else the last one that ended.
  static Result<std::string> transaction_of(HostConnection& connection, const Host& host) {
    if (!connection.hello().transaction.empty()) return connection.hello().transaction;
    SENTINEL_TRY(const auto status, connection.agent().ask({"status", ""}));
    const auto last = status.is_object() ? status.value("last_transaction", nlohmann::json()) : nlohmann::json();
    if (!last.is_object()) return Error("attach.none", fmt::format("no transaction was ever begun on {}", host.name));
    return last.value("transaction", "");
  }

  static Result<HostRun> follow(const Context& context, const Workspace& workspace, const Host& host) {
    const auto started = std::chrono::steady_clock::now();
    SENTINEL_TRY(const auto access, Access::prepare(context, workspace));
    const auto progress = context.console.make_progress();
    access->progress = progress.get();
    progress->stage(host.name, "connecting", 0);
    SENTINEL_TRY(auto connection, HostConnection::open(*access, host, doors_of(*access, host)));
    SENTINEL_TRY(const std::string transaction, transaction_of(*connection, host));
    TransactionWatch watch(*access, host, {next_door(*access, host)}, transaction);
    HostRun run = watch.attach(connection);
    run.duration_ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started).count());
    progress->finished(host.name, outcome_text(run), run.succeeded());
    return run;
  }

  std::string host_;
};

}  // namespace

std::unique_ptr<Subcommand> make_attach_command() {
  return std::make_unique<AttachCommand>();
}

}  // namespace sentinel
