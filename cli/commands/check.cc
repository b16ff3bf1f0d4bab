// SPDX-License-Identifier: Apache-2.0
// `check`: whether each control of a checklist holds on each host, proved by what the host really does. Changes
// nothing.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/audit_hosts.h"
#include "cli/commands/commands.h"
#include "core/audit/judgement.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/suggest.h"
#include "core/report/audit_document.h"
#include "core/report/audit_summary.h"
#include "core/report/audit_text.h"

namespace sentinel {
namespace {

const std::vector<std::string> kFormats{"human", "json"};

std::vector<std::string> judgement_names() {
  std::vector<std::string> out;
  for (const auto& judgement : judgements()) out.emplace_back(judgement.name);
  return out;
}

class CheckCommand final : public Subcommand {
 public:
  std::string name() const override { return "check"; }

  std::string summary() const override {
    return "prove the controls of a checklist on each host; exit 4 when one fails";
  }

  void declare(Declaration& d) override {
    d.option("--profile", "NAME", profile_, "a checklist, vps (all of them; the default) or cis");
    d.option("--format", "FORMAT", format_, "human (the default) or json");
    d.option("--output", "FILE", output_, "write the report to FILE instead of standard output");
    d.option("--fail-on", "SEVERITY", fail_on_,
             "the least severity that counts: info, low (the default), medium, high, critical");
    d.flag("--strict", threshold_.strict, "a warning counts as a failure");
  }

  ExitCode run(const Context& context) override {
    if (const auto understood = understand(context); !understood.ok()) return context.console.fail(understood.error());
    Diagnostics diagnostics;
    const auto workspace = open_workspace(context, diagnostics);
    context.console.warn(diagnostics.warnings);
    if (!workspace) return context.console.fail(diagnostics.errors);
    const auto items = load_checklists(workspace->assets, profile_, judgement_names(), diagnostics);
    if (!items) return context.console.fail(diagnostics.errors);
    const auto taken_at = to_rfc3339(SystemClock().now());
    const auto cases = ask_for_records(context, *workspace, *items);
    if (!cases.ok()) return context.console.fail(cases.error());
    return tell(context, judge_cases(*cases, profile_, workspace->project.name, taken_at));
  }

 private:
  static Error unknown_word(const std::string& what, const std::string& given, const std::vector<std::string>& known) {
    return {"usage." + what, fmt::format("there is no {} '{}'; known: {}", what, given, fmt::join(known, ", ")),
            did_you_mean(given, known), ExitCode::kUsage};
  }

  Result<void> understand(const Context& context) {
    if (context.console.json() && format_.empty()) format_ = "json";
    if (format_.empty()) format_ = "human";
    if (std::find(kFormats.begin(), kFormats.end(), format_) == kFormats.end())
      return unknown_word("format", format_, kFormats);
    std::vector<std::string> severities;
    for (const auto& [severity, word] : kSeverityNames) {
      severities.emplace_back(word);
      if (word == fail_on_) threshold_.fail_on = severity;
    }
    if (std::find(severities.begin(), severities.end(), fail_on_) == severities.end())
      return unknown_word("severity", fail_on_, severities);
    return {};
  }

  ExitCode tell(const Context& context, const AuditReport& report) const {
    Console& console = context.console;
    if (output_.empty()) {
      console.raw(text_of(report, console.output_style(), context.options.verbose));
    } else {
      const auto written =
          replace_file(output_, text_of(report, {}, context.options.verbose), {::geteuid(), ::getegid(), 0644});
      if (!written.ok()) return console.fail(written.error());
      console.say(audit_summary_text(report) + fmt::format("The report is in {}.\n", output_));
    }
    console.show(errors_of(report.hosts));
    return exit_code_of(report, threshold_);
  }

  std::string text_of(const AuditReport& report, const Style& style, bool verbose) const {
    if (format_ == "json") return document_text(audit_document(report));
    return audit_text(report, {style, verbose});
  }

  std::string profile_ = kDefaultProfile;
  std::string format_;
  std::string output_;
  std::string fail_on_ = "low";
  AuditThreshold threshold_;
};

}  // namespace

std::unique_ptr<Subcommand> make_check_command() {
  return std::make_unique<CheckCommand>();
}

}  // namespace sentinel
