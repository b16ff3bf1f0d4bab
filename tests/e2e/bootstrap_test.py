#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A bare host becomes a hardened one, and doing it again changes nothing: not a byte, not a process."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from hosts import Host  # noqa: E402
from sentinel import Operator, only  # noqa: E402

# Everything a bootstrap could touch. Logs, caches and what daemons write by themselves are not configuration.
TREES = "/etc /usr/local /opt /root /home /var/lib/sentinel /var/lib/dpkg"
UNITS = "ssh ufw fail2ban docker caddy redis-server prometheus prometheus-node-exporter cron systemd-journald".split()


def fingerprint(host):
    """Content, owner, mode and times of every file, and the start of every service."""
    files = host.run(["sh", "-c", f"find {TREES} -xdev -printf '%p %y %m %u %g %s %T@ %l\\n' | sort; "
                      f"find {TREES} -xdev -type f -exec sha256sum {{}} + | sort"]).stdout
    services = host.run(["systemctl", "show", "--property=Id,MainPID,ExecMainStartTimestampMonotonic,StateChangeTimestampMonotonic",
                         *UNITS], check=False).stdout
    return files.splitlines(), services.splitlines()


class Bootstrap(unittest.TestCase):
    maxDiff = None

    def bootstrap_twice(self, suite):
        with Host(suite=suite) as host, Operator() as operator:
            operator.know(host)
            operator.project({"web-1": host})
            first = only(operator.bootstrap())
            self.assertEqual(first["outcome"], "changed")
            self.assertEqual(first["generation"], 1)
            before = fingerprint(host)
            second = only(operator.bootstrap())
            self.assertEqual(second["outcome"], "unchanged")
            self.assertEqual(second["changed"], [])
            after = fingerprint(host)
            self.assertEqual(before[0], after[0])
            self.assertEqual(before[1], after[1])
            plan = only(operator.json("plan", exit=0))
            self.assertEqual(plan["status"], "in-sync")
            self.look_around(host)

    def look_around(self, host):
        """What the words of the issue mean, asked of the host's own programs."""
        effective = host.run(["sshd", "-T"]).stdout
        for line in ("permitrootlogin no", "passwordauthentication no", "maxauthtries 3"):
            self.assertIn(line, effective)
        self.assertNotEqual(host.ssh("true", user="root").returncode, 0, "root can still log in")
        status = host.run(["ufw", "status", "verbose"]).stdout
        self.assertIn("Status: active", status)
        self.assertIn("Default: deny (incoming), allow (outgoing)", status)
        jail = host.run(["fail2ban-client", "get", "sshd", "maxretry"]).stdout
        self.assertEqual(jail.strip(), "3")
        self.assertEqual(host.run(["fail2ban-client", "get", "sshd", "bantime"]).stdout.strip(), "86400")
        self.assertEqual(host.run(["redis-cli", "config", "get", "appendfsync"]).stdout.split()[-1], "everysec")
        listening = host.run(["ss", "-Hltn"]).stdout
        world = {line.split()[3].rsplit(":", 1)[1] for line in listening.splitlines() if not line.split()[3].startswith(("127.", "[::1]"))}
        self.assertLessEqual(world, {"22", "80", "443"}, listening)

    def test_debian_12(self):
        self.bootstrap_twice("bookworm")

    def test_debian_11_has_no_caddy_and_does_without(self):
        self.bootstrap_twice("bullseye")

    def test_debian_13(self):
        self.bootstrap_twice("trixie")

    def test_asking_for_caddy_on_debian_11_is_a_clear_error_and_changes_nothing(self):
        with Host(suite="bullseye") as host, Operator() as operator:
            operator.know(host)
            operator.project({"web-1": host}, {"caddy": {"enabled": True}})
            refused = operator.run("bootstrap", "--yes", exit=2)
            self.assertIn("no Caddy package", refused.stderr)
            self.assertFalse(host.exists("/etc/ssh/sshd_config.d/00-sentinel.conf"))
            self.assertFalse(host.exists("/var/lib/sentinel/generations/1.json"))


if __name__ == "__main__":
    unittest.main()
