// SPDX-License-Identifier: Apache-2.0
// `check`: whether each control of a checklist holds on each host, proved by what the host really does. Changes
// nothing. An audit makes a bundle, in memory at least, and the report is made of the bundle: so is a replay.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <filesystem>

#include "cli/audit_hosts.h"
#include "cli/check_history.h"
#include "cli/commands/commands.h"
#include "core/audit/report.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/suggest.h"
#include "core/report/audit_document.h"
#include "core/report/audit_formats.h"
#include "core/report/audit_summary.h"
#include "core/report/audit_text.h"

namespace sentinel {
namespace {

constexpr std::size_t kMaxEvidence = 256U << 20;

std::string json_text(const AuditReport& report) {
  return document_text(audit_document(report));
}

struct Format {
  const char* name;
  std::string (*text)(const AuditReport&);  ///< null: for people, depends on the terminal
};

constexpr Format kFormats[] = {
    {"human", nullptr},   {"json", json_text},           {"junit", junit_text}, {"sarif", sarif_text},
    {"html", html_text},  {"markdown", markdown_report}, {"tap", tap_text},     {"prometheus", prometheus_text},
    {"oscal", oscal_text}};

Result<void> write_file(const std::string& path, const std::string& text, mode_t mode) {
  return replace_file(std::filesystem::absolute(path), text, {::geteuid(), ::getegid(), mode});
}

class CheckCommand final : public Subcommand {
 public:
  std::string name() const override { return "check"; }

  std::string summary() const override {
    return "prove the controls of a checklist on each host; exit 4 when one fails";
  }

  void declare(Declaration& d) override {
    d.option("--profile", "NAME", profile_, "a checklist, vps (all of them; the default) or cis");
    d.option("--format", "FORMAT", format_name_,
             "human (the default), json, junit, sarif, html, markdown, tap, prometheus or oscal");
    d.option("--output", "FILE", output_, "write the report to FILE instead of standard output");
    d.option("--fail-on", "SEVERITY", fail_on_,
             "the least severity that counts: info, low (the default), medium, high, critical");
    d.flag("--strict", threshold_.strict, "a warning counts as a failure");
    d.option("--baseline", "FILE", baseline_, "a JSON report: only what became worse since counts");
    d.option("--bundle", "FILE", bundle_, "keep the evidence, for --replay");
    d.option("--replay", "FILE", replay_, "make the report of a kept bundle again, without a network");
  }

  ExitCode run(const Context& context) override {
    if (const auto understood = understand(context); !understood.ok()) return context.console.fail(understood.error());
    std::optional<EarlierReport> baseline;
    if (!baseline_.empty()) {
      auto read = read_baseline();
      if (!read.ok()) return context.console.fail(read.error());
      baseline = std::move(*read);
    }
    return replay_.empty() ? audit(context, baseline) : replay(context, baseline);
  }

 private:
  static Error unknown_word(const std::string& what, const std::string& given, const std::vector<std::string>& known) {
    return {"usage." + what, fmt::format("there is no {} '{}'; known: {}", what, given, fmt::join(known, ", ")),
            did_you_mean(given, known), ExitCode::kUsage};
  }

  Result<void> understand(const Context& context) {
    if (format_name_.empty()) format_name_ = context.console.json() ? "json" : "human";
    std::vector<std::string> formats;
    for (const Format& format : kFormats) {
      formats.emplace_back(format.name);
      if (format_name_ == format.name) format_ = &format;
    }
    if (format_ == nullptr) return unknown_word("format", format_name_, formats);
    std::vector<std::string> severities;
    for (const auto& [severity, word] : kSeverityNames) {
      severities.emplace_back(word);
      if (word == fail_on_) threshold_.fail_on = severity;
    }
    if (std::find(severities.begin(), severities.end(), fail_on_) == severities.end())
      return unknown_word("severity", fail_on_, severities);
    if (!replay_.empty() && (!bundle_.empty() || !profile_.empty())) {
      return Error{"usage.replay", "a replay has the profile and the evidence of its bundle",
                   "leave out --profile and --bundle", ExitCode::kUsage};
    }
    return {};
  }

  Result<EarlierReport> read_baseline() const {
    auto text = read_whole_file(baseline_, kMaxEvidence);
    if (!text.ok()) return std::move(text).error().exits(ExitCode::kUsage);
    return read_report(*text, baseline_);
  }

  ExitCode audit(const Context& context, const std::optional<EarlierReport>& baseline) {
    Diagnostics diagnostics;
    const auto workspace = open_workspace(context, diagnostics);
    context.console.warn(diagnostics.warnings);
    if (!workspace) return context.console.fail(diagnostics.errors);
    if (profile_.empty()) profile_ = kDefaultProfile;
    EvidenceBundle asked{SENTINEL_VERSION, workspace->project.name, profile_, to_rfc3339(SystemClock().now()), {}};
    const auto items = load_profile(*workspace, profile_, asked.taken_at, diagnostics);
    if (!items) return context.console.fail(diagnostics.errors);
    auto hosts = ask_for_evidence(context, *workspace, profile_, *items);
    if (!hosts.ok()) return context.console.fail(hosts.error());
    asked.hosts = std::move(*hosts);
    // Read back before it is judged: what the report says is what the bundle holds, to the byte.
    const std::string text = evidence_text(asked);
    const auto evidence = read_evidence(text);
    if (!evidence.ok()) return context.console.fail(evidence.error());
    if (!bundle_.empty()) {
      if (const auto kept = write_file(bundle_, text, 0600); !kept.ok()) return context.console.fail(kept.error());
      context.console.say(fmt::format("The evidence is in {}, head {}.\n", bundle_, evidence_head(text)));
    }
    const AuditReport report = report_of(*evidence);
    for (const HostAudit& host : report.hosts) {
      if (!host.errors.empty()) continue;
      const auto kept = add_to_history(workspace->project.directory, host.host, to_past_audit(host, profile_));
      if (!kept.ok()) context.console.warn({kept.error()});
    }
    return tell(context, report, baseline);
  }

  ExitCode replay(const Context& context, const std::optional<EarlierReport>& baseline) const {
    const auto text = read_whole_file(replay_, kMaxEvidence);
    if (!text.ok()) return context.console.fail(Error(text.error()).exits(ExitCode::kUsage));
    const auto evidence = read_evidence(*text);
    if (!evidence.ok()) return context.console.fail(Error(evidence.error()).during("reading " + replay_));
    return tell(context, report_of(*evidence), baseline);
  }

  ExitCode tell(const Context& context, AuditReport report, const std::optional<EarlierReport>& baseline) const {
    Console& console = context.console;
    if (baseline) compare_with(report, *baseline);
    if (output_.empty()) {
      console.raw(text_of(report, console.output_style(), context.options.verbose));
    } else {
      const auto written = write_file(output_, text_of(report, {}, context.options.verbose), 0644);
      if (!written.ok()) return console.fail(written.error());
      console.say(audit_summary_text(report) + fmt::format("The report is in {}.\n", output_));
    }
    console.show(errors_of(report.hosts));
    return exit_code_of(report, threshold_);
  }

  std::string text_of(const AuditReport& report, const Style& style, bool verbose) const {
    return format_->text == nullptr ? audit_text(report, {style, verbose}) : format_->text(report);
  }

  std::string profile_;
  std::string format_name_;
  const Format* format_ = nullptr;
  std::string output_;
  std::string fail_on_ = "low";
  AuditThreshold threshold_;
  std::string baseline_;
  std::string bundle_;
  std::string replay_;
};

}  // namespace

std::unique_ptr<Subcommand> make_check_command() {
  return std::make_unique<CheckCommand>();
}

}  // namespace sentinel
