#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What becomes of an audit of a real host: every format, the bundle and its replay, baselines, waivers, history, and the plan
that repairs what failed."""

import datetime
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from sentinel import Operator, bootstrapped, only  # noqa: E402

FORMATS = ("human", "json", "junit", "sarif", "html", "markdown", "tap", "prometheus", "oscal")
PASSWORDS = "/etc/ssh/sshd_config.d/00-sentinel.conf"


def day(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%d")


class Reports(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.host = bootstrapped().start()
        self.addCleanup(self.host.destroy)
        self.operator = Operator()
        self.addCleanup(self.operator.close)
        self.operator.know(self.host)
        self.operator.project({"web-1": self.host})

    def let_passwords_in(self):
        """A drop-in edited by hand: what 000-02 is about, and ssh/drop-in repairs."""
        text = self.host.read(PASSWORDS).decode()
        self.assertIn("PasswordAuthentication no", text)
        self.host.write(PASSWORDS, text.replace("PasswordAuthentication no", "PasswordAuthentication yes"))
        self.host.run(["systemctl", "reload", "ssh.service"])

    def check(self, *arguments, **more):
        return self.operator.run("check", *arguments, **more)

    def statuses(self, *arguments, exit=None):
        return {result["control"]: result for result in only(self.operator.json("check", *arguments, exit=exit))["results"]}

    def test_a_replay_says_the_same_in_every_format_and_a_changed_byte_is_named(self):
        self.let_passwords_in()
        with Operator() as elsewhere:  # no project, no key, no network needed
            for format in FORMATS:
                with self.subTest(format):
                    said = self.check("--format", format, "--output", f"live.{format}", "--bundle", "kept", exit=4)
                    self.assertIn("head ", said.stderr)
                    kept = self.operator.directory / "kept"
                    elsewhere.run("check", "--replay", str(kept), "--format", format, "--output", f"again.{format}", exit=4)
                    live = (self.operator.directory / f"live.{format}").read_bytes()
                    self.assertGreater(len(live), 500)
                    self.assertEqual(live, (elsewhere.directory / f"again.{format}").read_bytes())
            whole = kept.read_bytes()
            self.assertEqual(kept.stat().st_mode & 0o777, 0o600)
            at = whole.index(b"passwordauthentication")
            kept.write_bytes(whole[:at] + b"P" + whole[at + 1:])
            damaged = elsewhere.run("check", "--replay", str(kept), exit=2)
            self.assertIn(f"record {whole[:at].count(10)} (observation ", damaged.stderr)
            self.assertIn("evidence.damaged", damaged.stderr)

    def test_what_failed_becomes_the_plan_that_repairs_it(self):
        self.check("--format", "json", "--output", "good.json")
        good = only(json.loads((self.operator.directory / "good.json").read_text()))
        self.assertEqual({result["control"]: result["status"] for result in good["results"]}["000-02"], "pass")
        self.let_passwords_in()

        bad = only(self.operator.json("check", "--baseline", "good.json", exit=4))
        self.assertIn({"control": "000-02", "before": "pass", "now": "fail"}, bad["since_baseline"]["worse"])
        self.assertEqual(bad["since_last"]["worse"], bad["since_baseline"]["worse"])
        self.check("--format", "json", "--output", "bad.json", exit=4)
        human = self.check("--baseline", "bad.json")  # nothing is worse than it was then
        self.assertEqual(human.returncode, 0, human.stdout)
        self.assertIn("No regression against the baseline.", human.stdout)

        # Something else that is not as it should be stays out of it.
        self.host.write("/etc/motd", "by hand\n")
        planned = self.operator.run("plan", "--from-check", "bad.json", "--out", "repair.plan", "--json", exit=3)
        self.assertEqual([step["id"] for step in only(json.loads(planned.stdout))["steps"]], ["ssh/drop-in"])
        self.operator.run("apply", "repair.plan", "--yes", exit=0)
        repaired = only(self.operator.json("check", "--baseline", "bad.json"))
        self.assertIn({"control": "000-02", "before": "fail", "now": "pass"}, repaired["since_baseline"]["better"])
        self.assertIn({"control": "000-02", "before": "fail", "now": "pass"}, repaired["since_last"]["better"])
        self.assertEqual(self.host.read("/etc/motd"), b"by hand\n")
        nothing = self.operator.run("plan", "--from-check", "good.json")
        self.assertIn(nothing.returncode, (0, 3))

    def test_a_waiver_is_seen_ends_and_may_not_be_long(self):
        self.let_passwords_in()
        waiver = {"control": "000-02", "hosts": "web-*", "owner": "ops", "reason": "moves to keys next week", "until": day(0)}
        self.operator.project({"web-1": self.host}, waivers=[waiver])
        result = self.statuses()["000-02"]
        self.assertEqual((result["status"], result["waiver"]["owner"], result["waiver"]["expired"]), ("waived", "ops", False))
        self.assertIn("moves to keys next week", self.check().stdout)

        self.operator.project({"web-1": self.host}, waivers=[{**waiver, "until": day(-1)}])
        self.assertTrue(self.statuses(exit=4)["000-02"]["waiver"]["expired"])
        self.assertIn("EXPIRED", self.check(exit=4).stdout)

        for command in ("check", "validate"):
            self.operator.project({"web-1": self.host}, waivers=[{**waiver, "until": day(92)}])
            self.assertIn("waiver.too-long", self.operator.run(command, exit=2).stderr)
            self.operator.project({"web-1": self.host}, waivers=[{**waiver, "control": "000-20x"}])
            self.assertIn("waiver.unknown-control", self.operator.run(command, exit=2).stderr)


if __name__ == "__main__":
    unittest.main()
