// SPDX-License-Identifier: Apache-2.0
// Which program judges which file, and how its answer is read.
#include "core/resources/validators.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sentinel {
namespace {

std::string line_of(const ResourceBody& body) {
  const auto validator = validator_of(body);
  if (!validator) return "none";
  return fmt::format("{}{}", validator->user.empty() ? "" : validator->user + ": ",
                     fmt::join(validator->command.argv, " "));
}

File file(const std::string& path, FileFormat format) {
  File out;
  out.path = path;
  out.format = format;
  return out;
}

TEST_CASE("each format has its program, run as the service's user") {
  CHECK(line_of(file("/etc/sudoers.d/90-deploy", FileFormat::kSudoers)) ==
        "/usr/sbin/visudo -c -f /etc/sudoers.d/90-deploy");
  CHECK(line_of(file("/etc/caddy/Caddyfile", FileFormat::kCaddyfile)) ==
        "caddy: /usr/bin/caddy validate --adapter caddyfile --config /etc/caddy/Caddyfile");
  CHECK(line_of(file("/etc/caddy/sites/a.caddy", FileFormat::kCaddyfile)) ==
        "caddy: /usr/bin/caddy validate --adapter caddyfile --config /etc/caddy/Caddyfile");
  CHECK(line_of(file("/etc/prometheus/prometheus.yml", FileFormat::kPrometheus)) ==
        "prometheus: /usr/bin/promtool check config /etc/prometheus/prometheus.yml");
  CHECK(line_of(file("/etc/prometheus/rules/a.yml", FileFormat::kPrometheusRules)) ==
        "prometheus: /usr/bin/promtool check rules /etc/prometheus/rules/a.yml");
  CHECK(line_of(file("/etc/fail2ban/jail.d/a.local", FileFormat::kFail2ban)) == "/usr/bin/fail2ban-client -t");
  CHECK(line_of(SshdConfig{"/etc/ssh/sshd_config.d/00-sentinel.conf", {}, {}}) ==
        "/usr/sbin/sshd -t -f /etc/ssh/sshd_config");
  CHECK(line_of(file("/etc/motd", FileFormat::kPlain)) == "none");
  CHECK(line_of(Directory{}) == "none");
}

TEST_CASE("a drop-in is judged with its unit, and what is no unit isn't judged") {
  CHECK(line_of(file("/etc/systemd/system/app.service", FileFormat::kSystemdUnit)) ==
        "/usr/bin/systemd-analyze verify --man=no /etc/systemd/system/app.service");
  CHECK(line_of(file("/etc/systemd/system/caddy.service.d/limits.conf", FileFormat::kSystemdUnit)) ==
        "/usr/bin/systemd-analyze verify --man=no caddy.service");
  CHECK(line_of(file("/etc/systemd/journald.conf.d/a.conf", FileFormat::kSystemdUnit)) == "none");
  CHECK(line_of(file("/etc/systemd/system/multi-user.target.wants/a.service", FileFormat::kSystemdUnit)) == "none");
}

TEST_CASE("a file that goes away needs no judge") {
  auto gone = file("/etc/sudoers.d/a", FileFormat::kSudoers);
  gone.ensure = Ensure::kAbsent;
  CHECK(line_of(gone) == "none");
}

TEST_CASE("a refusal says what the program said") {
  const auto body = file("/etc/sudoers.d/a", FileFormat::kSudoers);
  CHECK(judge(body, {0, "/etc/sudoers.d/a: parsed OK\n", ""}).ok());
  const auto refused = judge(body, {1, "", "/etc/sudoers.d/a:1:8: syntax error\n"});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == "validate.failed");
  CHECK(refused.error().message == "visudo refuses /etc/sudoers.d/a: /etc/sudoers.d/a:1:8: syntax error");
  CHECK_FALSE(judge(SshdConfig{"/etc/ssh/sshd_config.d/a.conf", {}, {}}, {255, "", "Bad configuration option\n"}).ok());
}

TEST_CASE("a unit isn't refused for others' faults nor for programs that are still to come") {
  const auto body = file("/etc/systemd/system/app.service", FileFormat::kSystemdUnit);
  CHECK(judge(body, {1, "", "app.service: Command /opt/app/current/app is not executable: No such file or directory\n"})
            .ok());
  CHECK(
      judge(body, {1, "",
                   "/lib/systemd/system/other.service:9: Unknown key name 'Restrat' in section 'Service', ignoring.\n"})
          .ok());
  CHECK(judge(body, {1, "",
                     "/etc/systemd/system/app.service:5: Unknown key 'ProtectProc' in section [Service], ignoring.\n"
                     "app.service: Command /opt/app/current/app is not executable: No such file or directory\n"})
            .ok());
  const auto refused =
      judge(body, {1, "",
                   "/etc/systemd/system/app.service:4: Failed to parse service type, ignoring: notfy\n"
                   "app.service: Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.\n"});
  REQUIRE_FALSE(refused.ok());
  CHECK(
      refused.error().message ==
      "systemd-analyze refuses /etc/systemd/system/app.service: app.service: Service has no ExecStart=, ExecStop=, or "
      "SuccessAction=. Refusing.");
}

}  // namespace
}  // namespace sentinel
