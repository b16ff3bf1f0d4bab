// SPDX-License-Identifier: Apache-2.0
// The page is closed twice: nothing in it asks for anything, and its own content policy would refuse it.
#include <fmt/format.h>

#include <algorithm>

#include "core/report/audit_facts.h"
#include "core/report/audit_formats.h"
#include "core/report/audit_html_style.h"
#include "core/report/audit_summary.h"
#include "core/report/markup.h"

namespace sentinel {
namespace {

std::string chip(Verdict verdict, const std::string& text) {
  return fmt::format("<span class=\"chip {}\">{}</span>", name_of(kVerdictNames, verdict), text);
}

std::string chip(const std::optional<Verdict>& verdict) {
  return verdict ? chip(*verdict, name_of(kVerdictNames, *verdict))
                 : std::string("<span class=\"chip soft\">not asked</span>");
}

SectionScore total_of(const std::vector<SectionScore>& sections) {
  SectionScore out{"all", 0, 0};
  for (const SectionScore& section : sections) {
    out.passed += section.passed;
    out.applicable += section.applicable;
  }
  return out;
}

// Rounded down: 100 only when everything passed.
unsigned percent_of(const SectionScore& score) {
  return score.applicable == 0 ? 0 : score.passed * 100 / score.applicable;
}

const SectionScore* find_section(const std::vector<SectionScore>& sections, const std::string& name) {
  const auto found =
      std::find_if(sections.begin(), sections.end(), [&](const SectionScore& s) { return s.section == name; });
  return found == sections.end() ? nullptr : &*found;
}

std::string row_of(const SectionScore& score, const SectionScore* before) {
  std::string earlier = "–";
  if (before != nullptr && before->applicable > 0)
    earlier = fmt::format("{} of {}", before->passed, before->applicable);
  return fmt::format(
      "<tr><th scope=\"row\">{}</th><td><span class=\"bar\"><i style=\"width:{}%\"></i></span></td>"
      "<td class=\"n\">{} of {}</td><td class=\"n soft\">{}</td></tr>\n",
      markup_text(score.section), percent_of(score), score.passed, score.applicable, earlier);
}

std::string scores_of(const HostAudit& host) {
  const auto now = section_scores(host);
  const std::vector<SectionScore> before =
      host.history.empty() ? std::vector<SectionScore>{} : host.history.back().sections;
  std::string rows;
  for (const SectionScore& score : now) {
    if (score.applicable > 0) rows += row_of(score, find_section(before, score.section));
  }
  const SectionScore earlier = total_of(before);
  SectionScore all = total_of(now);
  rows += row_of(all, &earlier);
  return "<h3>Score by section</h3>\n<table><thead><tr><th scope=\"col\">Section</th><th scope=\"col\">Score</th><th "
         "scope=\"col\" "
         "class=\"n\">Passed</th>"
         "<th scope=\"col\" class=\"n\">Last time</th></tr></thead><tbody>\n" +
         rows + "</tbody></table>\n";
}

// A line of all scores from the oldest kept audit to this one, and the same as words.
std::string trend_of(const HostAudit& host) {
  if (host.history.empty()) return "<p class=\"soft\">First audit of this host with this profile.</p>\n";
  std::vector<unsigned> points;
  for (const PastAudit& audit : host.history) points.push_back(percent_of(total_of(audit.sections)));
  points.push_back(percent_of(total_of(section_scores(host))));
  std::string line;
  for (std::size_t i = 0; i < points.size(); ++i) {
    line += fmt::format("{}{},{}", i == 0 ? "" : " ", i * 100 / (points.size() - 1), 100 - points[i]);
  }
  const auto [low, high] = std::minmax_element(points.begin(), points.end());
  return fmt::format(
      "<h3>History</h3>\n<p>{} audits since {}: {}% then, {}% now; lowest {}%, highest {}%.</p>\n"
      "<svg class=\"trend\" viewBox=\"0 -2 100 104\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
      "<line x1=\"0\" y1=\"0\" x2=\"100\" y2=\"0\"/><line x1=\"0\" y1=\"100\" x2=\"100\" y2=\"100\"/>"
      "<polyline points=\"{}\"/></svg>\n",
      points.size(), markup_text(host.history.front().taken_at.substr(0, 10)), points.front(), points.back(), *low,
      *high, line);
}

std::string changes_of(const char* title, const std::vector<VerdictChange>& changes) {
  if (changes.empty()) return "";
  std::string out = fmt::format("<h3>{}</h3>\n<table><tbody>\n", title);
  for (const VerdictChange& change : changes) {
    out += fmt::format("<tr><th scope=\"row\">{}</th><td>{} → {}</td></tr>\n", markup_text(change.control),
                       chip(change.before), chip(change.now));
  }
  return out + "</tbody></table>\n";
}

std::string delta_of(const std::optional<AuditDelta>& delta, const char* worse, const char* better) {
  return delta ? changes_of(worse, delta->worse) + changes_of(better, delta->better) : std::string();
}

std::string facts_list(const Finding& finding) {
  std::string out;
  for (const FindingFact& fact : facts_of(finding)) {
    out += fmt::format("<dt>{}</dt><dd{}>{}</dd>\n", fact.label, fact.label == "seen" ? " class=\"seen\"" : "",
                       markup_text(fact.text));
  }
  std::string references;
  for (const std::string& reference : finding.control.references) {
    references += (references.empty() ? "" : ", ") + markup_text(reference);
  }
  if (!references.empty()) out += "<dt>maps to</dt><dd>" + references + "</dd>\n";
  return out.empty() ? out : "<dl>\n" + out + "</dl>\n";
}

// What asks for somebody is open; what is in order can be opened.
std::string finding_html(const Finding& finding) {
  const std::string verdict = name_of(kVerdictNames, finding.verdict);
  const bool calm = finding.verdict == Verdict::kPass || finding.verdict == Verdict::kNotApplicable;
  return fmt::format(
      "<details class=\"finding {}\"{}><summary>{} <strong>{}</strong> {} <span "
      "class=\"soft\">({})</span></summary>\n{}</details>\n",
      verdict, calm ? "" : " open", chip(finding.verdict, verdict), markup_text(finding.control.id),
      markup_text(finding.control.title), name_of(kSeverityNames, finding.control.severity), facts_list(finding));
}

std::string host_html(const AuditReport& report, const HostAudit& host, std::size_t number) {
  std::string out =
      fmt::format("<section aria-labelledby=\"h{0}\">\n<h2 id=\"h{0}\">{1}</h2>\n", number, markup_text(host.host));
  if (!host.errors.empty()) {
    const Error& error = host.errors.front();
    return out + fmt::format("<p>{} {} <span class=\"soft\">[{}]</span></p>\n</section>\n",
                             chip(Verdict::kUnknown, "could not be audited"), markup_text(error.message),
                             markup_text(error.code));
  }
  out += fmt::format("<p class=\"soft\">Profile {}, {}</p>\n<ul class=\"chips\">\n", markup_text(report.profile),
                     markup_text(host.taken_at));
  for (const auto& [verdict, count] : count_verdicts(host)) {
    if (count > 0)
      out += fmt::format("<li>{}</li>\n", chip(verdict, fmt::format("{} {}", count, name_of(kVerdictNames, verdict))));
  }
  out += "</ul>\n";
  out += delta_of(host.since_baseline, "Regressions against the baseline", "Repaired since the baseline");
  out += scores_of(host) + trend_of(host);
  out += delta_of(host.since_last, "Worse since the last audit", "Better since the last audit");
  for (const auto& [section, findings] : by_section(host)) {
    out += fmt::format("<h3>{}</h3>\n", markup_text(section));
    for (const Finding* finding : findings) out += finding_html(*finding);
  }
  return out + "</section>\n";
}

}  // namespace

std::string html_text(const AuditReport& report) {
  const std::string title = markup_text("Audit of " + report.project);
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n<title>{0}</title>\n<style>{1}</style>\n"
      "</head>\n<body>\n<main>\n<h1>{0}</h1>\n<p class=\"soft\">{2}, sentinelctl {3}</p>\n",
      title, kAuditStyle, markup_text(report.taken_at), markup_text(report.version));
  if (report.hosts.size() > 1) {
    out += "<ul>\n";
    for (std::size_t i = 0; i < report.hosts.size(); ++i) {
      const HostAudit& host = report.hosts[i];
      auto counts = count_verdicts(host);
      const std::string words =
          host.errors.empty() ? fmt::format("{} fail, {} unknown", counts[Verdict::kFail], counts[Verdict::kUnknown])
                              : std::string("could not be audited");
      out += fmt::format("<li><a href=\"#h{}\">{}</a>: {}</li>\n", i, markup_text(host.host), words);
    }
    out += "</ul>\n";
  }
  for (std::size_t i = 0; i < report.hosts.size(); ++i) out += host_html(report, report.hosts[i], i);
  return out + "</main>\n</body>\n</html>\n";
}

}  // namespace sentinel
