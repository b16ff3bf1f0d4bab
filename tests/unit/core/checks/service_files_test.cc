// SPDX-License-Identifier: Apache-2.0
// What fail2ban's and Prometheus' files say.
#include <catch2/catch.hpp>

#include "core/checks/fail2ban_files.h"
#include "core/checks/prometheus_files.h"
#include "tests/support/fake_system.h"

using namespace sentinel;

TEST_CASE("times of a jail: units, sums, for ever, and what is no time") {
  CHECK(jail_seconds("600") == 600);
  CHECK(jail_seconds("24h") == 86400);
  CHECK(jail_seconds("1d 12h") == 129600);
  CHECK(jail_seconds("2w") == 1209600);
  CHECK(jail_seconds("1mo") == 2629800);
  CHECK(jail_seconds("-1") == -1);
  CHECK(!jail_seconds(""));
  CHECK(!jail_seconds("%(bantime)s"));
  CHECK(!jail_seconds("soon"));
}

TEST_CASE("options of a jail: later files win, and references lead to other options") {
  FakeSystem machine;
  machine.put_file("/etc/fail2ban/jail.conf",
                   "[DEFAULT]\nbantime = 10m\nmine = 30\nloop = %(loop)s\n[sshd]\nport = ssh\n");
  machine.put_file("/etc/fail2ban/jail.d/a.local",
                   "[sshd]\nmaxretry = %(mine)s\nignoreip = 127.0.0.1/8 %(friends)s\n  %(mine)s\nlast = %(loop)s\n");
  auto options = jail_options("sshd", machine).value();
  CHECK(options["bantime"] == "10m");
  CHECK(options["maxretry"] == "30");
  CHECK(options["ignoreip"] == "127.0.0.1/8 %(friends)s\n30");
  CHECK(options["last"] == "%(loop)s");
  machine.put_file("/etc/fail2ban/jail.d/b.local", "[sshd]\nmaxretry = 2\n");
  CHECK(jail_options("sshd", machine).value()["maxretry"] == "2");
}

TEST_CASE("Prometheus' file: who is told of alerts, in both ways to write a list") {
  const auto told = [](const std::string& alerting) {
    FakeSystem machine;
    machine.put_file("/etc/prometheus/prometheus.yml",
                     "global:\n  scrape_interval: 15s\n" + alerting +
                         "scrape_configs:\n- job_name: node\n  static_configs:\n  - targets: ['127.0.0.1:9100']\n");
    return prometheus_files(machine).value().at("alertmanagers");
  };
  using Names = std::vector<std::string>;
  CHECK(told("") == Names{});
  CHECK(told("alerting:\n  alertmanagers:\n    - static_configs:\n        - targets: [\"127.0.0.1:9093\", b:1]\n") ==
        Names{"127.0.0.1:9093", "b:1"});
  CHECK(told("alerting:\n  alertmanagers:\n  - scheme: https\n    static_configs:\n    - targets:\n      - 'a:9093'  # "
             "us\n"
             "      - b:9093\n    basic_auth:\n      password: 'x:1'\n") == Names{"a:9093", "b:9093"});
  CHECK(told("# alerting:\n#   targets: [a:1]\n") == Names{});
}
