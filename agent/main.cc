// SPDX-License-Identifier: Apache-2.0
// sentinel-agent: the executor and guardian on the host. Each subcommand is a file of its own; this one only chooses.
#include <fmt/format.h>
#include <netdb.h>
#include <nss.h>
#include <signal.h>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>

#include "agent/installation.h"
#include "agent/local_order.h"
#include "agent/local_view.h"
#include "agent/recover.h"
#include "agent/serve.h"
#include "agent/transaction_process.h"
#include "agent/verify.h"
#include "agent/watch.h"
#include "core/model/transaction_id.h"
#include "core/model/watch.h"
#include "core/system/local_system.h"
#include "core/wire/messages.h"

namespace {

using sentinel::ExitCode;

// A static program must not load the host's NSS modules: it crashes there (seen on Debian 12 and 13).
void pin_name_lookups() {
  __nss_configure_lookup("hosts", "files dns");
  for (const char* database : {"passwd", "group", "shadow"}) __nss_configure_lookup(database, "files");
}

// A document: records at the root have their fields there, lists stand under `entries`.
ExitCode show(const sentinel::Result<nlohmann::json>& view, bool as_json) {
  if (!view.ok()) {
    fmt::print(stderr, "sentinel-agent: {}\n", view.error().message);
    return view.error().exit;
  }
  nlohmann::ordered_json document{{"schema_version", 1}};
  if (view->is_array()) {
    document["entries"] = *view;
  } else {
    document.update(nlohmann::ordered_json(*view));
  }
  fmt::print("{}\n", document.dump(as_json ? -1 : 2, ' ', false, nlohmann::json::error_handler_t::replace));
  return ExitCode::kDone;
}

ExitCode show_version(bool as_json) {
  sentinel::LocalSystem machine;
  // Where there is no /proc, a program can't read itself.
  const auto digest = sentinel::agent::own_digest(machine);
  const std::string text = digest.ok() ? digest->substr(0, 12) : "digest unknown: " + digest.error().message;
  if (as_json) {
    const nlohmann::ordered_json document{
        {"schema_version", 1},
        {"version", SENTINEL_VERSION},
        {"protocol", sentinel::kProtocol},
        {"digest", digest.ok() ? nlohmann::ordered_json(*digest) : nlohmann::ordered_json()}};
    fmt::print("{}\n", document.dump());
  } else {
    fmt::print("sentinel-agent {} (protocol {}, {})\n", SENTINEL_VERSION, sentinel::kProtocol, text);
  }
  return ExitCode::kDone;
}

}  // namespace

int main(int argc, char** argv) try {
  pin_name_lookups();
  prctl(PR_SET_DUMPABLE, 0);  // no core file, no ptrace: secrets pass through this process
  signal(SIGPIPE, SIG_IGN);

  CLI::App app("The executor and guardian on a host that sentinelctl looks after.", "sentinel-agent");
  app.require_subcommand(1);
  ExitCode exit = ExitCode::kDone;
  bool json = false;
  bool files_only = false;
  std::string transaction;

  app.add_subcommand("serve", "one conversation with sentinelctl on stdin and stdout; not for people")->callback([&] {
    exit = sentinel::agent::serve();
  });
  auto* begin = app.add_subcommand("transaction", "the process of one transaction; started by serve, not for people");
  begin->add_option("id", transaction)->required()->check([](const std::string& id) {
    return sentinel::is_transaction_id(id) ? std::string() : std::string("not a transaction id");
  });
  begin->callback([&] { exit = sentinel::agent::run_transaction_process(transaction); });
  auto* recover = app.add_subcommand("recover", "finish or revert an interrupted transaction");
  recover->add_flag("--files", files_only, "only put files back (early boot)");
  recover->callback([&] {
    using sentinel::agent::RecoveryScope;
    exit = sentinel::agent::recover(files_only ? RecoveryScope::kFilesOnly : RecoveryScope::kEverything);
  });
  auto* status = app.add_subcommand("status", "what is in force and what runs");
  status->add_flag("--json", json, "one line of JSON");
  status->callback([&] {
    sentinel::LocalSystem machine;
    sentinel::HostState host(machine);
    exit = show(sentinel::agent::status_view(host), json);
  });
  auto* history = app.add_subcommand("history", "what was done on this host, newest first");
  history->add_flag("--json", json, "one line of JSON");
  history->callback([&] {
    sentinel::LocalSystem machine;
    sentinel::HostState host(machine);
    exit = show(sentinel::agent::history_view(host), json);
  });
  sentinel::agent::VerifyOptions verification;
  auto* verify = app.add_subcommand("verify", "ask health endpoints until they are healthy or the deadline is over");
  verify->add_option("--config", verification.config, "probes as JSON (docs/formats/health.md)");
  verify->add_option("--url", verification.urls, "must answer with a status from 200 to 299; may be repeated");
  verify->add_option("--deadline", verification.deadline_seconds, "seconds until it must be healthy (60)")
      ->check(CLI::Range(0.1, 86400.0));
  verify->add_option("--interval", verification.interval_seconds, "seconds between two questions (1)")
      ->check(CLI::Range(0.01, 3600.0));
  verify->add_option("--successes", verification.successes, "good answers in a row that count as healthy")
      ->check(CLI::Range(1U, 1000U));
  verify->add_flag("--json", verification.json, "one line of JSON");
  verify->add_option("--junit", verification.junit, "write a report for CI servers into this file");
  verify->callback([&] { exit = sentinel::agent::verify(verification); });
  std::string watch_settings = sentinel::kWatchSettings;
  auto* watch = app.add_subcommand("watch", "ask probes for good; say and tell how the application is");
  watch->add_option("--config", watch_settings, "what to watch, as JSON (docs/formats/health.md)");
  watch->callback([&] { exit = sentinel::agent::watch(watch_settings); });
  std::string application;
  std::string release;
  auto* releases = app.add_subcommand("releases", "the releases on this host");
  releases->add_flag("--json", json, "one line of JSON");
  releases->callback([&] {
    sentinel::LocalSystem machine;
    sentinel::HostState host(machine);
    exit = show(sentinel::agent::all_releases_view(host), json);
  });
  auto* rollback = app.add_subcommand("rollback", "go back to a release the host has; needs no network");
  rollback->add_option("release", release, "without it the last confirmed one before the current");
  rollback->add_option("--app", application, "which application, when the host has several");
  rollback->callback([&] { exit = sentinel::agent::roll_back_locally(application, release); });
  auto* version = app.add_subcommand("version", "version, protocol and digest");
  version->add_flag("--json", json, "one line of JSON");
  version->callback([&] { exit = show_version(json); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  return static_cast<int>(exit);

} catch (const std::exception& failure) {
  fmt::print(stderr, "sentinel-agent: a bug: {}\n", failure.what());
  return static_cast<int>(ExitCode::kBug);
}
