#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A compliant host with one thing changed: the row that is about it says so, on the side where it holds, and no other row does.
The same configuration written otherwise changes no verdict.

mutations/*.yaml has the cases, written from what the rows of the checklists mean. Fields of a case: name; change (a shell script,
as root); row (of a checklist; none in same.yaml, where nothing may change); verdict (fail); side (where the fault holds: both,
runtime-only, boot-only), trap (its name); shows (a script that succeeds when the host looks right and is wrong); also ({row: why it
may say something too}); within (seconds until the service notices, of a case or a whole file); reboot (false: it can't be tried by one; alone: what others
do needs what it switches off); suites; undo (in place of the file's restore); repaired (the playbook says otherwise, so the plan that
`check` asks for repairs it). /root/as-was has what the host was before, and put_back takes it from there.

Debian 12 gets every case. A campaign also tries those of the host itself, HOST_PART, on 11 and 13.

SENTINEL_CASE=TEXT runs the cases whose name has TEXT."""

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

HOST_PART = ["fail2ban", "firewall", "ssh", "system", "users"]
# Rows of several documents that ask the same, and the rows of the firewall, each of which sees a part of it.
KIN = [{"000-03", "003-04", "004-04", "004-06", "002-05"}, {"000-04", "003-05"}, {"000-05", "003-06"}, {"000-08", "004-14"},
       {"000-21", "002-12"}, {"000-31", "003-01"}, {"004-09", "004-10"}, {"002-14", "003-09"}]
PRELUDE = """
put_back() { for path; do rm -rf "$path"; [ ! -e "/root/as-was$path" ] || cp -a "/root/as-was$path" "$path"; done; }
changed() { for path; do diff -qr "$path" "/root/as-was$path" >/dev/null 2>&1 || { [ ! -e "$path" ] && [ ! -e "/root/as-was$path" ]; } || return 0; done; return 1; }
"""
SAVE = """mkdir -p /root/as-was && cp -a --parents /etc /opt/sentinel /var/lib/sentinel/releases /var/lib/dpkg/status /usr/lib/os-release \
/home/deploy /root/as-was && iptables-save >/root/as-was/ip && ip6tables-save >/root/as-was/ip6"""


def cases(suite, files):
    """The cases of these files that this release of the system has."""
    out = []
    for file in files:
        document = yaml.safe_load((HERE / "mutations" / f"{file}.yaml").read_text())
        every = [{"within": document.get("within", 0), "undo": document["restore"], **case} for case in document["cases"]]
        out += [case for case in every if suite in case.get("suites", [suite])]
    return out


def related(case):
    """Rows that a case may change: its own, those that ask the same, and what it names."""
    rows = {case["row"], *case.get("also", {})} if "row" in case else set()
    return rows.union(*(kin for kin in KIN if kin & rows))


def together(among):
    """Lists of cases that have no row in common, so that one reboot tells of all of them."""
    out = []
    for case in among:
        for batch in out:
            if all(not related(case) & related(other) and "alone" not in (case.get("reboot"), other.get("reboot")) for other in batch):
                batch.append(case)
                break
        else:
            out.append([case])
    return out


def chosen(among, sample):
    if "SENTINEL_CASE" in os.environ:
        return [case for case in among if os.environ["SENTINEL_CASE"] in case["name"]]
    return among if CAMPAIGN else random.Random(6).sample(among, sample)


FILES = sorted({file.stem for file in (HERE / "mutations").glob("*.yaml")} - {"same"})


class Mutations(CompliantCase):
    files = FILES

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mutations, cls.same = cases(cls.suite, cls.files), cases(cls.suite, ["same"])
        cls.shell(SAVE)
        cls.before = cls.audit()

    @classmethod
    def shell(cls, script, check=True):
        return cls.host.run(["sh", "-ec", PRELUDE + script], check=check)

    def wrong(self, case, after):
        """What the audit says of a changed host and should not, or does not and should."""
        out = []
        row = case.get("row")
        if row:
            got = after[row]
            if got["status"] != case.get("verdict", "fail"):
                out.append(f"{row} is {got['status']}: {got['actual']} {got['reason']}")
            elif got["persistence"] != case.get("side", got["persistence"]):
                out.append(f"{row} holds {got['persistence']}, not {case['side']}: {got['actual']}")
            elif case.get("trap") not in [None, *(trap["name"] for trap in got["traps"])]:
                out.append(f"{row} names {[trap['name'] for trap in got['traps']]}, not {case['trap']}: {got['actual']}")
        return out + [f"{other} became {result['status']}: {result['actual']} {result['reason']}" for other, result in after.items()
                      if result["status"] != self.before[other]["status"] and other not in related(case)]

    def settled(self, wrong, seconds):
        """`wrong(audit)` of the last audit, which is the first that finds nothing wrong."""
        end = time.monotonic() + seconds
        while True:
            found = wrong(self.audit())
            if not found or time.monotonic() > end:
                return found

    def assert_as_it_was(self, undo):
        # Cases start the same services more often than systemd's limits let them, which count again from here.
        self.shell("set +e\nsystemctl reset-failed\n" + undo + "\ntrue")
        left = self.settled(lambda audit: self.wrong({}, audit), 60)
        self.assertEqual(left, [], "the host is not as it was again")

    def try_case(self, case):
        begun = time.monotonic()
        try:
            self.shell(case["change"])
            if "shows" in case:
                wait_until(lambda: self.shell(case["shows"], check=False).returncode == 0, 10, "the trap shows: " + case["shows"])
            wrong = self.settled(lambda audit: self.wrong(case, audit), case["within"])
            self.assertEqual(wrong, [])
        finally:
            self.assert_as_it_was(case["undo"])
            print(f"{self.suite}: {case['name']}: {time.monotonic() - begun:.1f} s", flush=True)

    def unlike(self, case, audit):
        """What is seen of a row after a reboot and was not said of it before."""
        foretold = "pass" if case["side"] == "runtime-only" else "fail"
        got = audit[case["row"]]
        now = {"pass": "pass", "warn": "pass"}.get(got["status"], got["status"])  # a warning stood there before
        now = "pass" if got["persistence"] == "boot-only" else now
        return [] if now == foretold else [f"{case['name']}: after a reboot {case['row']} is {got['status']} {got['persistence']}: {got['actual']} {got['reason']}"]

    def assert_foretold(self, batch):
        begun = time.monotonic()
        try:
            for case in batch:
                self.shell(case["change"])
            self.host.reboot()
            self.assertEqual(self.settled(lambda audit: [each for case in batch for each in self.unlike(case, audit)], 60), [])
        finally:
            self.assert_as_it_was("\n".join(dict.fromkeys(case["undo"] for case in batch)))
            print(f"{self.suite}: a reboot of {len(batch)}: {time.monotonic() - begun:.1f} s", flush=True)

    def test_each_mutation_is_caught_by_its_row_and_no_other(self):
        for case in chosen(self.mutations, 14):
            with self.subTest(case["name"]):
                self.try_case(case)

    def test_what_is_said_of_the_time_after_a_reboot_is_so(self):
        split = [case for case in self.mutations if case.get("side", "both") != "both" and case.get("reboot", True)]
        for batch in together(chosen(split, 6)):
            with self.subTest([case["name"] for case in batch]):
                self.assert_foretold(batch)

    def test_the_same_written_otherwise_changes_no_verdict(self):
        for case in chosen(self.same, 8):
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
        for case in chosen([case for case in self.mutations if case.get("repaired")], 3):
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
        names = [case["name"] for case in self.mutations + self.same]
        self.assertEqual(sorted(names), sorted(set(names)))
        self.assertLessEqual({case["row"] for case in self.mutations}, set(self.before))
        self.assertTrue(all("row" not in case for case in self.same))


if CAMPAIGN:
    class Debian11(Mutations):
        suite, files = "bullseye", HOST_PART

    class Debian13(Mutations):
        suite, files = "trixie", HOST_PART


if __name__ == "__main__":
    unittest.main()
