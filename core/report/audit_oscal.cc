// SPDX-License-Identifier: Apache-2.0
// NIST OSCAL 1.1.2, assessment results, JSON. Two things to know: a control's id must be a token that begins with a
// letter
// ("sentinel-000-02"), and empty arrays are not allowed, so what is empty is left out.
#include <fmt/format.h>

#include "core/base/uuid.h"
#include "core/report/audit_facts.h"
#include "core/report/audit_formats.h"
#include "core/report/documents.h"
#include "core/report/printable.h"

namespace sentinel {
namespace {

// Of this project's identifiers and of its own property names.
constexpr const char* kSpace = "5a1b0c1e-6f5d-5c3e-9b1a-0d7f6a3c2e10";
constexpr const char* kPropertySpace = "https://sentinel.invalid/ns/oscal";

std::string token_of(const std::string& control) {
  return "sentinel-" + control;
}

Document property(const char* name, const std::string& value) {
  return {{"name", name}, {"ns", kPropertySpace}, {"value", printable_line(value)}};
}

// Identifiers of one report: everything in it is named by its place.
class Identifiers {
 public:
  explicit Identifiers(const AuditReport& report)
      : space_(uuid_v5(kSpace, report.project + "\n" + report.profile + "\n" + report.taken_at)) {}

  std::string of(const std::string& what, const std::string& host = {}, const std::string& control = {}) const {
    return uuid_v5(space_, what + "\n" + host + "\n" + control);
  }

 private:
  std::string space_;
};

class HostResult {
 public:
  HostResult(const AuditReport& report, const HostAudit& host, const Identifiers& identifiers)
      : report_(report), host_(host), identifiers_(identifiers) {}

  Document document() {
    for (const Finding& finding : host_.findings) add(finding);
    Document out = {{"uuid", id("result")},
                    {"title", printable_line(fmt::format("{}, profile {}", host_.host, report_.profile))},
                    {"description", description()},
                    {"start", host_.taken_at.empty() ? report_.taken_at : host_.taken_at},
                    {"props", Document::array({property("host", host_.host)})},
                    {"reviewed-controls", {{"control-selections", Document::array({selection()})}}}};
    put(out, "observations", observations_);
    put(out, "risks", risks_);
    put(out, "findings", findings_);
    return out;
  }

 private:
  std::string id(const std::string& what, const std::string& control = {}) const {
    return identifiers_.of(what, host_.host, control);
  }

  static void put(Document& into, const char* name, const Document& list) {
    if (!list.empty()) into[name] = list;
  }

  std::string description() const {
    if (host_.errors.empty()) return "Judged by what the host does, now and after a reboot.";
    return printable_line("The host could not be audited: " + host_.errors.front().message);
  }

  Document selection() const {
    Document out = {
        {"description", reviewed_.empty() ? "No control was judged." : "The controls that apply to the host."}};
    put(out, "include-controls", reviewed_);
    return out;
  }

  void add(const Finding& finding) {
    const std::string& control = finding.control.id;
    Document evidence = Document::array();
    for (const FindingFact& fact : facts_of(finding)) {
      if (fact.label == "seen") evidence.push_back({{"description", printable_line(fact.text)}});
    }
    Document observation = {{"uuid", id("observation", control)},
                            {"title", printable_line(finding.control.title)},
                            {"description", printable_line(gist_of(finding))},
                            {"props", properties_of(finding)},
                            {"methods", Document::array({"TEST"})},
                            {"collected", host_.taken_at}};
    put(observation, "relevant-evidence", evidence);
    observations_.push_back(std::move(observation));
    // A row that doesn't apply was looked at, but is no reviewed control.
    if (finding.verdict == Verdict::kNotApplicable) return;
    reviewed_.push_back({{"control-id", token_of(control)}});
    findings_.push_back(finding_record(finding));
  }

  static Document properties_of(const Finding& finding) {
    return Document::array({property("control", finding.control.id),
                            property("status", name_of(kVerdictNames, finding.verdict)),
                            property("severity", name_of(kSeverityNames, finding.control.severity)),
                            property("persistence", name_of(kPersistenceNames, finding.persistence))});
  }

  Document finding_record(const Finding& finding) {
    const std::string& control = finding.control.id;
    Document out = {
        {"uuid", id("finding", control)},
        {"title", printable_line(finding.control.title)},
        {"description", or_gist(facts_text(finding), finding)},
        {"target", {{"type", "objective-id"}, {"target-id", token_of(control)}, {"status", status_of(finding)}}},
        {"related-observations", Document::array({{{"observation-uuid", id("observation", control)}}})}};
    if (finding.verdict == Verdict::kWaived && finding.waiver) {
      out["related-risks"] = Document::array({{{"risk-uuid", id("risk", control)}}});
      risks_.push_back(
          {{"uuid", id("risk", control)},
           {"title", printable_line("Accepted: " + finding.control.title)},
           {"description", printable_line(gist_of(finding))},
           {"statement", printable_line(finding.control.why.empty() ? finding.control.title : finding.control.why)},
           {"status", "deviation-approved"},
           {"deadline", finding.waiver->until + "T23:59:59Z"}});
    }
    return out;
  }

  static std::string or_gist(const std::string& text, const Finding& finding) {
    return text.empty() ? printable_line(gist_of(finding)) : text;
  }

  static Document status_of(const Finding& finding) {
    switch (finding.verdict) {
      case Verdict::kPass: return {{"state", "satisfied"}, {"reason", "pass"}};
      case Verdict::kWarn: return {{"state", "satisfied"}, {"reason", "other"}, {"remarks", "with a warning"}};
      case Verdict::kFail: return {{"state", "not-satisfied"}, {"reason", "fail"}};
      case Verdict::kWaived:
        return {{"state", "not-satisfied"}, {"reason", "other"}, {"remarks", "accepted for a while"}};
      case Verdict::kUnknown:
      case Verdict::kNotApplicable: break;
    }
    return {{"state", "not-satisfied"}, {"reason", "other"}, {"remarks", "could not be judged"}};
  }

  const AuditReport& report_;
  const HostAudit& host_;
  const Identifiers& identifiers_;
  Document observations_ = Document::array();
  Document risks_ = Document::array();
  Document findings_ = Document::array();
  Document reviewed_ = Document::array();
};

}  // namespace

std::string oscal_text(const AuditReport& report) {
  const Identifiers identifiers(report);
  Document results = Document::array();
  for (const HostAudit& host : report.hosts) results.push_back(HostResult(report, host, identifiers).document());
  const std::string plan = identifiers.of("plan");
  Document resource = {{"uuid", plan},
                       {"title", printable_line(fmt::format("sentinelctl check, profile {}", report.profile))},
                       {"description", "The checklist is part of sentinelctl and of the project's own playbooks."}};
  return document_text({{"assessment-results",
                         {{"uuid", identifiers.of("report")},
                          {"metadata",
                           {{"title", printable_line(fmt::format("Audit of {}", report.project))},
                            {"last-modified", report.taken_at},
                            {"version", report.taken_at},
                            {"oscal-version", "1.1.2"},
                            {"props", Document::array({property("sentinelctl-version", report.version)})}}},
                          {"import-ap", {{"href", "#" + plan}}},
                          {"results", std::move(results)},
                          {"back-matter", {{"resources", Document::array({std::move(resource)})}}}}}});
}

}  // namespace sentinel
