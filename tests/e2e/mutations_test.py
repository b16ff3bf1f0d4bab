#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A compliant host with one thing changed: the row that is about it says so, on the side where it holds, and no other row does.
The same configuration written otherwise changes no verdict.

mutations/*.yaml has the cases, written from what the rows of the checklists mean. Fields of a case: name; change (a shell script,
as root); row (of a checklist; none in same.yaml, where nothing may change); verdict (fail); side (where the fault holds: both,
runtime-only, boot-only), trap (its name); shows (a script that succeeds when the host looks right and is wrong); also ({row: why it
may say something too}); within (seconds until the service notices); reboot (false: not to be tried by one); suites; undo (in place
of the file's restore); open (why nothing sees it yet: the case fails when something does); repaired (the playbook
says otherwise, so the plan that `check` asks for repairs it). /root/as-was has what the host was before, and put_back takes it from there.

SENTINEL_CASE=TEXT runs the cases whose name has TEXT; SENTINEL_SUITE names another release."""

import os
import random
import sys
import time
import unittest
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from compliant import CompliantCase  # noqa: E402
from releases import SECRETS  # noqa: E402
from sentinel import CAMPAIGN, wait_until  # noqa: E402

SUITE = os.environ.get("SENTINEL_SUITE", "bookworm")
# Rows of several documents that ask the same, and the rows of the firewall, each of which sees a part of it.
KIN = [{"000-03", "003-04", "004-04", "004-06", "002-05"}, {"000-04", "003-05"}, {"000-05", "003-06"}, {"000-08", "004-14"},
       {"000-21", "002-12"}, {"000-31", "003-01"}, {"004-09", "004-10"}, {"002-14", "003-09"}]
PRELUDE = """
put_back() { for path; do rm -rf "$path"; [ ! -e "/root/as-was$path" ] || cp -a "/root/as-was$path" "$path"; done; }
changed() { for path; do diff -qr "$path" "/root/as-was$path" >/dev/null 2>&1 || { [ ! -e "$path" ] && [ ! -e "/root/as-was$path" ]; } || return 0; done; return 1; }
"""
SAVE = """mkdir -p /root/as-was && cp -a --parents /etc /opt/sentinel /var/lib/sentinel/releases /var/lib/dpkg/status /usr/lib/os-release \
/home/deploy /root/as-was && iptables-save >/root/as-was/ip && ip6tables-save >/root/as-was/ip6"""


def cases(file):
    """The cases of a file that this release of the system has."""
    document = yaml.safe_load(file.read_text())
    every = [{"within": 0, "undo": document["restore"], **case} for case in document["cases"]]
    return [case for case in every if SUITE in case.get("suites", [SUITE])]


def chosen(among, sample):
    if "SENTINEL_CASE" in os.environ:
        return [case for case in among if os.environ["SENTINEL_CASE"] in case["name"]]
    return among if CAMPAIGN else random.Random(6).sample(among, sample)


FILES = sorted((HERE / "mutations").glob("*.yaml"))
MUTATIONS = [case for file in FILES if file.stem != "same" for case in cases(file)]
SAME = cases(HERE / "mutations" / "same.yaml")


class Mutations(CompliantCase):
    suite = SUITE

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shell(SAVE)
        cls.before = cls.audit()

    @classmethod
    def shell(cls, script, check=True):
        return cls.host.run(["sh", "-ec", PRELUDE + script], check=check)

    def wrong(self, case, after):
        """What the audit says of a changed host and should not, or does not and should."""
        out = []
        row = case.get("row")
        allowed = set(case.get("also", {})) | {row}
        allowed |= {each for kin in KIN if kin & allowed for each in kin} if row else set()
        if row:
            got = after[row]
            if got["status"] != case.get("verdict", "fail"):
                out.append(f"{row} is {got['status']}: {got['actual']} {got['reason']}")
            elif got["persistence"] != case.get("side", got["persistence"]):
                out.append(f"{row} holds {got['persistence']}, not {case['side']}: {got['actual']}")
            elif case.get("trap") not in [None, *(trap["name"] for trap in got["traps"])]:
                out.append(f"{row} names {[trap['name'] for trap in got['traps']]}, not {case['trap']}: {got['actual']}")
        return out + [f"{other} became {result['status']}: {result['actual']} {result['reason']}" for other, result in after.items()
                      if result["status"] != self.before[other]["status"] and other not in allowed]

    def settled(self, wrong, seconds):
        """`wrong(audit)` of the last audit, which is the first that finds nothing wrong."""
        end = time.monotonic() + seconds
        while True:
            found = wrong(self.audit())
            if not found or time.monotonic() > end:
                return found

    def assert_as_it_was(self, undo):
        self.shell("set +e\n" + undo + "\ntrue")
        left = self.settled(lambda audit: self.wrong({}, audit), 60)
        self.assertEqual(left, [], "the host is not as it was again")

    def try_case(self, case):
        try:
            self.shell(case["change"])
            if "shows" in case:
                wait_until(lambda: self.shell(case["shows"], check=False).returncode == 0, 10, "the trap shows: " + case["shows"])
            wrong = self.settled(lambda audit: self.wrong(case, audit), case["within"])
            if "open" in case:
                self.assertNotEqual(wrong, [], "it is seen now: take `open` out")
                return
            self.assertEqual(wrong, [])
            if CAMPAIGN and case.get("side", "both") != "both" and case.get("reboot", True):
                self.assert_foretold(case)
        finally:
            self.assert_as_it_was(case["undo"])

    def assert_foretold(self, case):
        """What was said of the time after a reboot is what is seen after one."""
        self.host.reboot()
        foretold = "pass" if case["side"] == "runtime-only" else "fail"
        row = case["row"]

        def unlike(audit):
            got = audit[row]
            now = {"pass": "pass", "warn": "pass"}.get(got["status"], got["status"])  # a warning stood there before
            now = "pass" if got["persistence"] == "boot-only" else now
            return [] if now == foretold else [f"after a reboot {row} is {got['status']} {got['persistence']}: {got['actual']} {got['reason']}"]
        self.assertEqual(self.settled(unlike, 60), [])

    def test_each_mutation_is_caught_by_its_row_and_no_other(self):
        for case in chosen(MUTATIONS, 14):
            with self.subTest(case["name"]):
                self.try_case(case)

    def test_the_same_written_otherwise_changes_no_verdict(self):
        for case in chosen(SAME, 8):
            with self.subTest(case["name"]):
                self.try_case(case)

    def assert_repaired(self, case):
        """What the report asks for is planned, applied, and then the row passes."""
        (self.operator.directory / "repair.plan").unlink(missing_ok=True)  # of the case before
        for arguments, exit in ((("check", "--format", "json", "--output", "bad.json"), None), (("plan", "--from-check", "bad.json", "--out", "repair.plan"), 3),
                                (("apply", "repair.plan", "--yes"), 0)):
            self.operator.run(*arguments, exit=exit, environment=SECRETS)
        row = case["row"]
        self.assertEqual(self.settled(lambda audit: [audit[row]] if audit[row]["status"] != self.before[row]["status"] else [], 60), [])

    def test_what_a_row_asks_for_repairs_it(self):
        for case in chosen([case for case in MUTATIONS if case.get("repaired")], 3):
            with self.subTest(case["name"]):
                try:
                    self.shell(case["change"])
                    self.settled(lambda audit: self.wrong(case, audit), case["within"])
                    self.assert_repaired(case)
                finally:
                    self.assert_as_it_was(case["undo"])

    def test_audits_leave_no_trace(self):
        """No file outside the agent's own directory and the logs of those who were asked, no mode, no time; nobody banned."""
        look = ("find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/log -o -path /var/lib/sentinel "
                "-o -path /var/lib/prometheus -o -path /var/lib/redis -o -path /var/lib/fail2ban -o -path /usr/local/lib/sentinel "
                "-o -path /var/lib/docker -o -path /var/lib/containerd -o -path /var/lib/private -o -path /var/tmp \\) -prune "
                "-o -printf '%p %y %m %U %G %s %T@ %C@\\n' | sort; find /etc /opt -xdev -type f -exec sha256sum {} + | sort")
        before = self.shell(look).stdout.splitlines()
        self.assertGreater(len(before), 5000)
        for _ in range(100 if CAMPAIGN else 5):
            self.audit()
        after = self.shell(look).stdout.splitlines()
        self.assertEqual(sorted(set(before) ^ set(after)), [])
        self.assertIn("Currently banned:\t0", self.shell("fail2ban-client status sshd").stdout)

    def test_names_are_unique_and_rows_exist(self):
        names = [case["name"] for case in MUTATIONS + SAME]
        self.assertEqual(sorted(names), sorted(set(names)))
        self.assertLessEqual({case["row"] for case in MUTATIONS}, set(self.before))
        self.assertTrue(all("row" not in case for case in SAME))


if __name__ == "__main__":
    unittest.main()
