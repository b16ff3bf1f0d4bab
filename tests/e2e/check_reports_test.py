#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What becomes of an audit of a real host: every format, the bundle and its replay, baselines, waivers, history, and the plan
that repairs what failed."""

import datetime
import json
import random
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from sentinel import CAMPAIGN, Operator, bootstrapped, only  # noqa: E402

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

    def test_a_replay_says_the_same_in_every_format(self):
        """Of everything that a report can hold: findings, a baseline, waivers in force and past, history, a host that nobody reaches."""
        self.check("--format", "json", "--output", "good.json")
        self.let_passwords_in()
        waivers = [{"control": control, "owner": "ops", "reason": "for now", "until": until} for control, until in (("000-02", day(1)), ("002-04", day(-1)))]
        self.operator.project({"web-1": self.host}, waivers=waivers)
        document = json.loads((self.operator.directory / "sentinel.yaml").read_text())
        document["hosts"]["web-2"] = {**document["hosts"]["web-1"], "address": "127.0.0.1", "port": 1}
        (self.operator.directory / "sentinel.yaml").write_text(json.dumps(document))
        with Operator() as elsewhere:  # no project, no key, no network needed
            for format in FORMATS:
                with self.subTest(format):
                    kept, baseline = self.operator.directory / "kept", self.operator.directory / "good.json"
                    options = ("--baseline", str(baseline), "--verbose", "--strict", "--format", format, "--output")
                    said = self.check(*options, f"live.{format}", "--bundle", "kept")
                    self.assertIn("head ", said.stderr)
                    again = elsewhere.run("check", "--replay", str(kept), *options, f"again.{format}", exit=said.returncode)
                    self.assertEqual(again.returncode, 5)
                    live = (self.operator.directory / f"live.{format}").read_bytes()
                    self.assertGreater(len(live), 500)
                    self.assertEqual(live, (elsewhere.directory / f"again.{format}").read_bytes())
            self.assertEqual(kept.stat().st_mode & 0o777, 0o600)

    def test_a_changed_bit_is_found_and_its_record_named(self):
        """Of each kind of record each kind of place: the digest and what parts it from the record, names, values, signs, the digest of the
        record before, the end of the line. unit.audit changes every bit of a small bundle."""
        self.check("--bundle", "kept")
        kept = self.operator.directory / "kept"
        whole = kept.read_bytes()
        records, begin = {}, 0
        for number, line in enumerate(whole.split(b"\n")[:-1]):
            records.setdefault(json.loads(line[65:])["kind"], []).append((number, begin, line))
            begin += len(line) + 1
        self.assertEqual(set(records), {"audit", "host", "control", "observation", "end"})
        chance = random.Random(1)
        rounds = 40 if CAMPAIGN else 1
        for kind, lines in records.items():
            for _ in range(rounds):
                number, begin, line = chance.choice(lines)
                previous = line.index(b'"previous":"') + 12
                signs = [at for at in range(65, len(line)) if line[at] in b'{}[]":,']
                letters = [at for at in range(65, len(line)) if chr(line[at]).isalnum() and not previous <= at < previous + 64]
                places = {"digest": chance.randrange(64), "space": 64, "sign": chance.choice(signs), "letter": chance.choice(letters),
                          "digest before": previous + chance.randrange(64), "end of line": len(line)}
                for place, at in places.items():
                    bit = chance.randrange(8)
                    with self.subTest(kind=kind, record=number, place=place, at=at, bit=bit):
                        changed = bytearray(whole)
                        changed[begin + at] ^= 1 << bit
                        kept.write_bytes(changed)
                        damaged = self.check("--replay", "kept", exit=2).stderr
                        self.assertIn("evidence.damaged", damaged)
                        self.assertRegex(damaged, rf"record {number} ")

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
        self.operator.run("plan", "--from-check", "good.json", exit=0)

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
