// SPDX-License-Identifier: Apache-2.0
// Every format byte for byte against tests/golden/check, which tests/golden/check_formats.py puts to real consumers.
// SENTINEL_ACCEPT=1 writes what came into those files, and fails: an accepted file has not passed.
#include "core/report/audit_formats.h"

#include <cstdlib>
#include <fstream>

#include <catch2/catch.hpp>

#include "core/base/file.h"
#include "core/report/audit_facts.h"
#include "core/report/markup.h"
#include "tests/unit/core/report/sample_audit.h"

namespace sentinel {
namespace {

struct Format {
  const char* file;
  std::string (*render)(const AuditReport&);
};

const Format kFormats[] = {{"junit.xml", junit_text}, {"sarif.json", sarif_text},        {"report.md", markdown_report},
                           {"report.tap", tap_text},  {"metrics.prom", prometheus_text}, {"oscal.json", oscal_text},
                           {"page.html", html_text}};

void compare(const std::string& name, const AuditReport& report) {
  for (const Format& format : kFormats) {
    const std::string path = std::string(SENTINEL_SOURCE_DIR) + "/tests/golden/check/" + name + "-" + format.file;
    const std::string text = format.render(report);
    const auto expected = read_whole_file(path);
    if (expected.ok() && *expected == text) continue;
    if (std::getenv("SENTINEL_ACCEPT") != nullptr) std::ofstream(path, std::ios::binary) << text;
    FAIL_CHECK(path << " differs; look with SENTINEL_ACCEPT=1 and git diff");
  }
}

}  // namespace

TEST_CASE("Each format of a report with every verdict is as its golden file") {
  compare("sample", sample_audit());
}

TEST_CASE("Each format of a report full of hostile text is as its golden file") {
  compare("hostile", hostile_audit());
}

TEST_CASE("No format lets a control character or a byte that is no UTF-8 through") {
  for (const Format& format : kFormats) {
    INFO(format.file);
    const std::string text = format.render(hostile_audit());
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find('\r') == std::string::npos);
    CHECK(text.find('\x07') == std::string::npos);
    CHECK(text.find('\xFF') == std::string::npos);
    CHECK(text.find("\xE2\x80\xAE") == std::string::npos);
  }
}

TEST_CASE("Markup escapes what its reader would act on") {
  CHECK(markup_text("<a b=\"c\" d='e'>&") == "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
  CHECK(markup_text("a\xEF\xBF\xBE\xEF\xBF\xBF") == "a\\ufffe\\uffff");
  CHECK(markup_text("a\nb\x1b") == "a\\nb\\e");
  CHECK(markdown_code("plain") == "`plain`");
  CHECK(markdown_code("a `b` ``c``") == "``` a `b` ``c`` ```");
  CHECK(markdown_code("`") == "`` ` ``");
  CHECK(markdown_code("  ") == "`  `");
  CHECK(markdown_code("").empty());
  CHECK(markdown_text_of("a|b *c* <d> @e") == "a\\|b \\*c\\* \\<d\\> \\@e");
}

TEST_CASE("A finding's facts come in one order, without empty ones") {
  const AuditReport report = sample_audit();
  CHECK(facts_text(report.hosts[0].findings[0]) ==
        "found: passwordauthentication yes\nwanted: passwordauthentication no\nwhen: now; a reboot would mend it\n"
        "seen: passwordauthentication yes [/etc/ssh/sshd_config.d/50-cloud-init.conf:3]\n"
        "seen: publickey,password [sshd.offered]\n"
        "trap: cloud-init-password: the cloud image's drop-in turns passwords on -> sort a drop-in before it\n"
        "why: Passwords are guessed all day long on every public address.\n"
        "repair: Put the drop-in in place before 50-cloud-init.conf and reload sshd.\nsteps: ssh/drop-in, users/keys");
  CHECK(gist_of(report.hosts[0].findings[4]) == "accepted until 2027-01-31 by ops: the office moves in January");
  CHECK(delta_text(*report.hosts[0].since_last) == "2 worse, 1 better since 2026-11-25");
  CHECK(delta_text({"2026-11-25T10:00:00.000Z", {}, {}}).empty());
}

}  // namespace sentinel
