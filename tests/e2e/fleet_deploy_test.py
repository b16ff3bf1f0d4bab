#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A release over a fleet of all supported Debian releases: canary and waves in order; a host that fails takes the others back;
hosts that failed or were away are caught up by the next deploy."""

import concurrent.futures
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from hosts import SUITES, Host  # noqa: E402
from releases import KEYS, ReleaseCase  # noqa: E402
from sentinel import Operator  # noqa: E402

NOWHERE = "192.0.2.1"  # TEST-NET-1


class FleetDeploy(ReleaseCase):
    def setUp(self):
        super().setUp()
        hosts = [Host(suite) for suite in SUITES]
        for host in hosts:
            self.addCleanup(host.destroy)
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(Host.start, hosts))
        operator = Operator()
        self.addCleanup(operator.close)
        self.prepared(*hosts[:1], operator, *hosts[1:])

    def fleet(self, release, *arguments, exit=0, project=None):
        self.project(**(project or {}))
        report = self.report("deploy", "--release", release, *arguments, exit=exit)
        return [(each["outcome"], each["release"]) for each in report["hosts"]], report

    def since(self):
        """When the release in force came, host by host."""
        out = []
        for host in self.hosts.values():
            (app,) = json.loads(host.read("/var/lib/sentinel/releases.json"))["apps"]
            out += [record["changed"] for record in app["releases"] if record["release"]["id"] == app["current"]]
        return out

    def test_canary_waves_failures_and_catching_up(self):
        done, _ = self.fleet("1", "--canary", 1, "--wave", 1)
        self.assertEqual(done, [("changed", "1")] * 3)
        self.assertEqual(self.since(), sorted(self.since()))

        # The second host can't start the next release: the first goes back, the third is not begun.
        second = self.hosts["web-2"]
        second.run(["rm", KEYS])
        change = {"settings": {"SENTINEL_DEBUG": "true"}}
        done, report = self.fleet("2", "--canary", 1, "--wave", 1, exit=6, project=change)
        self.assertEqual(done, [("reverted", "1"), ("reverted", "1"), ("failed", None)])
        self.assertEqual([each["error"]["code"] for each in report["hosts"]], ["fleet.taken-back", "release.unhealthy", "fleet.stopped"])
        self.assertIn("since web-2 failed", report["hosts"][0]["error"]["message"])
        for host in self.hosts.values():
            self.assertEqual(host.run(["readlink", "/opt/sentinel/current"]).stdout.strip(), "releases/1")
        third = self.hosts["web-3"]
        self.assertEqual(set(self.states(third)), {"1"})

        # One may fail; the others keep what they have.
        done, _ = self.fleet("3", "--max-failures", 1, exit=5, project=change)
        self.assertEqual(done, [("changed", "3"), ("reverted", "1"), ("changed", "3")])

        # It is well again, and another one is away: the same command brings it along and leaves the others as they are.
        self.give_keys(second)
        self.project(**change)
        project = json.loads((self.operator.directory / "sentinel.yaml").read_text())
        project["hosts"]["gone"] = {"address": NOWHERE}
        (self.operator.directory / "sentinel.yaml").write_text(json.dumps(project))
        for budget in ([], ["--max-failures", 1]):
            report = self.report("deploy", "--release", "3", "--connect-timeout", 2, *budget, exit=5)
            first = "changed" if not budget else "unchanged"
            self.assertEqual([(each["outcome"], each["release"]) for each in report["hosts"]],
                             [("unchanged", "3"), (first, "3"), ("unchanged", "3"), ("unreachable", None)])
        change["settings"]["SENTINEL_ATTEMPTS"] = 3
        project["app"]["settings"] = {**self.settings, **change["settings"]}
        (self.operator.directory / "sentinel.yaml").write_text(json.dumps(project))
        report = self.report("deploy", "--release", "4", "--connect-timeout", 2, "--max-failures", 0, exit=8)
        self.assertEqual([each["outcome"] for each in report["hosts"]], ["failed"] * 3 + ["unreachable"])


if __name__ == "__main__":
    unittest.main()
