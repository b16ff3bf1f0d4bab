// SPDX-License-Identifier: Apache-2.0
// `logs`: what an application logs on its hosts, as it comes. Whatever it says can't drive the terminal.
#include <fmt/format.h>

#include <mutex>

#include "cli/commands/commands.h"
#include "cli/survey_hosts.h"
#include "core/report/exit_status.h"
#include "core/report/printable.h"

namespace sentinel {
namespace {

struct HostLog {
  std::string host;
  std::vector<std::string> lines;  ///< kept only where one document is to be written
  Errors errors;
};

class LogsCommand final : public Subcommand {
 public:
  std::string name() const override { return "logs"; }

  std::string summary() const override { return "what an application logs on its hosts"; }

  void declare(Declaration& d) override {
    d.argument("APP", app_, "which application; without it the project's");
    d.flag("-f,--follow", follow_, "go on until Ctrl-C");
    d.option("-n,--lines", "N", lines_, 0, 10'000, "begin with so many of the last lines (50)");
  }

  ExitCode run(const Context& context) override {
    Diagnostics diagnostics;
    const auto workspace = open_workspace(context, diagnostics);
    if (!workspace) return context.console.fail(diagnostics.errors);
    std::vector<HostLog> hosts(workspace->hosts.size());
    for (std::size_t i = 0; i < hosts.size(); ++i) hosts[i].host = workspace->hosts[i]->name;
    const ReadLogs wish{app_.empty() ? workspace->project.name : app_, lines_, follow_};
    std::mutex output;
    HostQuestion question;
    question.failed = [&](std::size_t i, Error error) { hosts[i].errors.push_back(std::move(error)); };
    question.ask = [&](std::size_t i, HostConnection& connection, Access&) -> Result<void> {
      return connection.agent().read_logs(wish, [&](const std::string& text) {
        const std::lock_guard lock(output);
        take(context.console, hosts[i], hosts.size() > 1, text);
      });
    };
    if (const auto asked = ask_hosts(context, *workspace, question); !asked.ok())
      return context.console.fail(asked.error());
    if (!follow_) context.console.document(document_of(hosts));
    context.console.show(errors_of(hosts));
    std::vector<ExitCode> codes;
    for (const auto& host : hosts) codes.push_back(host.errors.empty() ? ExitCode::kDone : host.errors.front().exit);
    return combined(codes);
  }

 private:
  void take(Console& console, HostLog& host, bool several, const std::string& text) const {
    for (std::size_t begin = 0; begin < text.size();) {
      const auto end = std::min(text.find('\n', begin), text.size());
      const auto line = text.substr(begin, end - begin);
      begin = end + 1;
      if (console.json() && follow_) {
        console.raw(document_line({{"schema_version", kSchemaVersion}, {"host", host.host}, {"line", line}}) + "\n");
      } else if (console.json()) {
        host.lines.push_back(line);
      } else {
        console.data((several ? printable_line(host.host) + " | " : "") + printable_line(line) + "\n");
      }
    }
  }

  static Document document_of(const std::vector<HostLog>& hosts) {
    Document list = Document::array();
    for (const auto& host : hosts) {
      list.push_back({{"host", host.host}, {"lines", host.lines}, {"error", error_record(host.errors)}});
    }
    return {{"schema_version", kSchemaVersion}, {"hosts", std::move(list)}};
  }

  std::string app_;
  unsigned lines_ = 50;
  bool follow_ = false;
};

}  // namespace

std::unique_ptr<Subcommand> make_logs_command() {
  return std::make_unique<LogsCommand>();
}

}  // namespace sentinel
