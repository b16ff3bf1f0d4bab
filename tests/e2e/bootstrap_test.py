#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A bare host becomes a hardened one, and doing it again changes nothing: not a byte, not a process."""

import shutil
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from effective import Effective  # noqa: E402
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

    def bootstrap_twice(self, suite, by_destination=False):
        """By a destination there is no project file: the built-in stack with its defaults, and the operator's usual key."""
        with Host(suite=suite) as host, Operator() as operator:
            operator.know(host)
            destination = [f"root@{host.address}"] if by_destination else []
            if by_destination:
                shutil.copy(host.key, operator.home / ".ssh/id_ed25519")
            else:
                operator.project({"web-1": host})
            bootstrap = lambda: operator.json("bootstrap", *destination, "--yes", exit=0)  # noqa: E731
            shown = only(operator.json("bootstrap", *destination, "--dry-run", exit=3))
            first = only(bootstrap())
            self.assertEqual(first["outcome"], "changed")
            self.assertEqual(first["changed"], [step["id"] for step in shown["steps"]])
            self.assertEqual(first["generation"], 1)
            before = fingerprint(host)
            second = only(bootstrap())
            self.assertEqual(second["outcome"], "unchanged")
            self.assertEqual(second["changed"], [])
            after = fingerprint(host)
            self.assertEqual(before[0], after[0])
            self.assertEqual(before[1], after[1])
            operator.project({host.address if by_destination else "web-1": host})
            plan = only(operator.json("plan", exit=0))
            self.assertEqual(plan["status"], "in-sync")
            Effective(self, host).all_of(caddy=suite != "bullseye")

    def test_debian_12(self):
        self.bootstrap_twice("bookworm")

    def test_debian_11_has_no_caddy_and_does_without(self):
        self.bootstrap_twice("bullseye")

    def test_debian_13_without_a_project(self):
        self.bootstrap_twice("trixie", by_destination=True)

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
