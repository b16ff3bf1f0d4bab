#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A change made by hand on the host is found by plan and put back by apply."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from sentinel import Operator, bootstrapped, only  # noqa: E402

# What somebody does on the host -> the step that finds it, and a look that says it is back.
DRIFTS = {
    "file content": ("echo '# by hand' >> /etc/caddy/Caddyfile", "caddy/caddyfile", "! grep -q 'by hand' /etc/caddy/Caddyfile"),
    "file mode": ("chmod 666 /etc/fail2ban/jail.d/sentinel.local", "fail2ban/jail",
                  "test $(stat -c %a /etc/fail2ban/jail.d/sentinel.local) = 644"),
    "file owner": ("chown games /etc/docker/daemon.json", "docker/daemon", "test $(stat -c %U /etc/docker/daemon.json) = root"),
    "stopped unit": ("systemctl stop redis-server", "redis/service", "systemctl is-active redis-server"),
    "disabled unit": ("systemctl disable caddy", "caddy/service", "systemctl is-enabled caddy"),
    "removed UFW rule": ("ufw delete allow 443/tcp", "firewall/ufw", "ufw status | grep -q '^443/tcp .*ALLOW'"),
    "added UFW rule": ("ufw allow 4222/tcp", "firewall/ufw", "! ufw status | grep -q 4222"),
    "ruleset flushed behind UFW's back": ("iptables -P INPUT ACCEPT && iptables -F INPUT", "firewall/ufw",
                                          "iptables -S INPUT | grep -q -- '-P INPUT DROP' && iptables -S INPUT | grep -q ufw-before-input"),
    "UFW's default": ("ufw default allow incoming", "firewall/ufw", "iptables -S INPUT | grep -q -- '-P INPUT DROP'"),
    "live sshd value": ("cd /etc/ssh/sshd_config.d && cp -p 00-sentinel.conf /tmp/kept && "
                        "sed -i 's/^PasswordAuthentication.*/PasswordAuthentication yes/' 00-sentinel.conf && systemctl reload ssh && "
                        "cp -p /tmp/kept 00-sentinel.conf", "ssh/drop-in",
                        "test $(sshd -T | grep -c 'passwordauthentication no') = 1"),
    "live sysctl": ("sysctl -w net.ipv4.conf.all.accept_redirects=1", "kernel/parameters",
                    "test $(sysctl -n net.ipv4.conf.all.accept_redirects) = 0"),
    "removed package": ("apt-get -y -q purge logrotate", "logs/package", "dpkg -s logrotate | grep -q 'install ok installed'"),
    "user's shell": ("usermod -s /bin/sh deploy", "users/deploy", "getent passwd deploy | grep -q /bin/bash"),
}


class Drift(unittest.TestCase):
    def test_every_change_by_hand_is_found_and_put_back(self):
        with bootstrapped() as host, Operator() as operator:
            operator.know(host)
            operator.project({"web-1": host})
            # The state a plan sees must be quiet before the first change.
            self.assertEqual(only(operator.json("plan", exit=0))["status"], "in-sync")
            for name, (change, step, back) in DRIFTS.items():
                with self.subTest(name):
                    host.run(["sh", "-ec", change])
                    host.wait_for_ssh(user="deploy")
                    plan = only(operator.json("plan", exit=3))
                    self.assertIn(step, [entry["id"] for entry in plan["steps"]], name)
                    applied = only(operator.json("apply", "--yes", exit=0))
                    self.assertEqual(applied["outcome"], "changed")
                    self.assertEqual(host.run(["sh", "-c", back], check=False).returncode, 0, f"{name} is not back")
                    self.assertEqual(only(operator.json("plan", exit=0))["status"], "in-sync", name)


if __name__ == "__main__":
    unittest.main()
