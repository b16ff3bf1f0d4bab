// SPDX-License-Identifier: Apache-2.0
// What is in them is chosen so that every branch of every format has something to say.
#include "tests/unit/core/report/sample_audit.h"

namespace sentinel {
namespace {

Finding finding(const std::string& id, const std::string& title, const std::string& section, Severity severity,
                Verdict verdict) {
  Finding out;
  out.control.id = id;
  out.control.title = title;
  out.control.section = section;
  out.control.severity = severity;
  out.verdict = verdict;
  out.duration_us = 1500;
  return out;
}

Finding failed_login() {
  Finding out = finding("000-02", "SSH lets in keys only", "Access", Severity::kCritical, Verdict::kFail);
  out.control.why = "Passwords are guessed all day long on every public address.";
  out.control.remediation = "Put the drop-in in place before 50-cloud-init.conf and reload sshd.";
  out.control.steps = {"ssh/drop-in", "users/keys"};
  out.control.references = {"CIS-U 5.1.20", "DS sshd-06"};
  out.persistence = Persistence::kRuntimeOnly;
  out.expected = "passwordauthentication no";
  out.actual = "passwordauthentication yes";
  out.evidence = {{"sshd.effective", "passwordauthentication yes", "/etc/ssh/sshd_config.d/50-cloud-init.conf:3"},
                  {"sshd.offered", "publickey,password", ""}};
  out.traps = {{"cloud-init-password", "the cloud image's drop-in turns passwords on", "sort a drop-in before it"}};
  return out;
}

HostAudit first_host() {
  HostAudit out;
  out.host = "web-1";
  out.taken_at = "2026-11-26T10:00:01.250Z";
  Finding firewall = finding("000-03", "The firewall is on", "Firewall", Severity::kCritical, Verdict::kPass);
  firewall.persistence = Persistence::kBoth;
  firewall.expected = "22, 80, 443";
  firewall.actual = "22, 80, 443";
  firewall.evidence = {{"netfilter", "INPUT DROP", "iptables-save"}};
  Finding updates =
      finding("000-05", "Security updates install themselves", "System", Severity::kHigh, Verdict::kUnknown);
  updates.reason = "probe-failed: apt-config: timed out";
  Finding reboot =
      finding("000-01", "A supported release and its newest kernel", "System", Severity::kMedium, Verdict::kWarn);
  reboot.actual = "a newer kernel is installed than the one that runs";
  Finding admin =
      finding("004-07", "SSH from the admin's address only", "Firewall", Severity::kMedium, Verdict::kWaived);
  admin.actual = "22/tcp from anywhere";
  admin.reason = "the office moves in January";
  admin.waiver = Waiver{"004-07", "web*", "ops", "the office moves in January", "2027-01-31"};
  Finding redis = finding("002-04", "Redis asks for a password", "Data", Severity::kCritical, Verdict::kFail);
  redis.actual = "PING is answered without AUTH";
  redis.waiver = Waiver{"002-04", "", "ops", "replaced soon", "2026-11-25"};
  redis.waiver_expired = true;
  Finding grafana =
      finding("000-22", "Grafana shows dashboards", "Monitoring", Severity::kMedium, Verdict::kNotApplicable);
  grafana.reason = "stack: no Grafana";
  out.findings = {failed_login(), firewall, updates, reboot, admin, redis, grafana};
  out.history = {{"2026-11-24T10:00:00.000Z", "vps", {{"Access", 1, 1}, {"Firewall", 0, 2}}, {}},
                 {"2026-11-25T10:00:00.000Z", "vps", {{"Access", 1, 1}, {"Firewall", 1, 2}, {"System", 1, 2}}, {}}};
  out.since_last = AuditDelta{"2026-11-25T10:00:00.000Z",
                              {{"000-02", Verdict::kPass, Verdict::kFail}, {"000-05", std::nullopt, Verdict::kUnknown}},
                              {{"000-03", Verdict::kFail, Verdict::kPass}}};
  out.since_baseline = AuditDelta{"2026-11-20T10:00:00.000Z",
                                  {{"000-02", Verdict::kPass, Verdict::kFail}},
                                  {{"000-03", Verdict::kUnknown, Verdict::kPass}}};
  return out;
}

}  // namespace

AuditReport sample_audit() {
  HostAudit unreached;
  unreached.host = "web-2";
  unreached.errors = {
      Error("ssh.timeout", "no answer from 203.0.113.2:22 in 10 s", "is it up?", ExitCode::kUnreachable)};
  return {"0.1.0", "vps", "demo", "2026-11-26T10:00:00.000Z", {first_host(), unreached}};
}

AuditReport hostile_audit() {
  const std::string bad =
      "</failure>]]><script>alert(1)</script> \"quoted\" 'single' & &amp; `code` ``` @someone #1 # TODO \\# | pipe | "
      "[link](javascript:x) ![i](http://198.51.100.1/x.png) \x1b[31mred\x1b]0;title\x07\nnot ok 99 - injected\r\n1..1\n"
      "{label=\"x\"} 1\n---\n...\n\xEF\xBF\xBE\xEF\xBF\xBF\xE2\x80\xAE reversed \xFF\xC0\xAF caf\xC3\xA9 "
      "\xF0\x9F\x94\x92\x01";
  AuditReport report{"0.1.0", "own " + bad, "demo " + bad, "2026-11-26T10:00:00.000Z", {}};
  HostAudit host;
  host.host = "web-1";
  host.taken_at = "2026-11-26T10:00:01.250Z";
  for (const auto& [verdict, word] : kVerdictNames) {
    Finding hostile = finding("x-" + std::string(word), "title " + bad, "section " + bad, Severity::kHigh, verdict);
    hostile.control.why = bad;
    hostile.control.remediation = bad;
    hostile.control.steps = {bad, bad};
    hostile.control.references = {bad};
    hostile.expected = bad;
    hostile.actual = bad;
    hostile.reason = bad;
    hostile.evidence = {{bad, bad, bad}, {"probe", bad, "/etc/" + bad + ":12"}, {"probe", "v", "/etc/a\x1b[0m/b:3"}};
    hostile.traps = {{bad, bad, bad}};
    if (verdict == Verdict::kWaived) hostile.waiver = Waiver{hostile.control.id, "", bad, bad, "2027-01-31"};
    host.findings.push_back(std::move(hostile));
  }
  HostAudit unreached;
  unreached.host = "web-2";
  unreached.errors = {Error("ssh.timeout", bad, bad, ExitCode::kUnreachable)};
  report.hosts = {host, unreached};
  return report;
}

}  // namespace sentinel
