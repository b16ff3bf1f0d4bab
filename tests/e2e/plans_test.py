#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Saved plans do exactly what they showed, once, on a host that is still as they saw it; one operator at a time."""

import json
import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from sentinel import Operator, bootstrapped, only, wait_until  # noqa: E402

SLOW = [{"command": {"argv": ["sh", "-c", "while [ ! -e /run/go-on ]; do sleep 0.1; done"], "always": True, "undo": ["true"]}, "id": "slow"}]
# Long enough for a request to revert to arrive before it ends.
LONG = [{"command": {"argv": ["sleep", "10"], "always": True, "undo": ["true"]}, "id": "long"}]
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9nLkpTOkVQm6oZdZkW7aGmlo8wRc2xUqDOqB1XHKLr somebody-else"
MOTD = [{"file": {"path": "/etc/motd", "content": "by plan\n"}, "id": "motd"}]


class OnOneHost(unittest.TestCase):
    def setUp(self):
        self.host = bootstrapped().start()
        self.addCleanup(self.host.destroy)
        self.operator = self.new_operator("one", MOTD)

    def new_operator(self, stack, resources):
        operator = Operator()
        self.addCleanup(operator.close)
        operator.know(self.host)
        operator.own_stack(stack, resources)
        operator.project({"web-1": self.host}, {"deploy_user": "deploy"}, stack=stack)
        return operator

    def motd(self):
        return self.host.read("/etc/motd").decode()

    def status(self):
        return json.loads(self.host.run(["sentinel-agent", "status", "--json"]).stdout)


class SavedPlans(OnOneHost):
    def test_a_plan_is_applied_as_shown_and_only_once(self):
        self.operator.run("plan", "--out", "saved.plan", exit=3)
        applied = only(self.operator.json("apply", "saved.plan", "--yes", exit=0))
        self.assertEqual(applied["changed"], ["one/motd"])
        self.assertEqual(self.motd(), "by plan\n")
        self.host.write("/etc/motd", "as it was when the plan was made\n")
        again = self.operator.run("apply", "saved.plan", "--yes", exit=10)
        self.assertIn("applied already", again.stderr + again.stdout)
        self.assertEqual(self.motd(), "as it was when the plan was made\n")

    def test_a_host_that_changed_in_between_is_refused(self):
        self.operator.run("plan", "--out", "saved.plan", exit=3)
        self.host.write("/etc/motd", "somebody else was here\n")
        self.operator.run("apply", "saved.plan", "--yes", exit=10)
        self.assertEqual(self.motd(), "somebody else was here\n")

    def test_a_project_that_changed_in_between_does_not_change_the_plan(self):
        self.operator.run("plan", "--out", "saved.plan", exit=3)
        self.operator.own_stack("one", [{"file": {"path": "/etc/motd", "content": "something else\n"}, "id": "motd"}])
        self.operator.run("apply", "saved.plan", "--yes", exit=0)
        self.assertEqual(self.motd(), "by plan\n")

    def test_a_generation_can_be_gone_back_to_and_forward_again(self):
        before = self.motd()
        self.operator.run("apply", "--yes", exit=0)
        self.assertEqual(self.motd(), "by plan\n")
        self.operator.run("rollback", "--generation", "1", "--yes", exit=0)
        self.assertEqual(self.motd(), before)
        self.operator.run("rollback", "--generation", "2", "--yes", exit=0)
        self.assertEqual(self.motd(), "by plan\n")
        purposes = [entry["purpose"] for entry in only(self.operator.json("history", exit=0))["entries"]]
        self.assertEqual(len(purposes), 4)


class Leases(OnOneHost):
    def start_slow(self, more=()):
        holder = self.new_operator("slow", [*SLOW, *more])
        process = holder.start("apply", "--yes", "--json", "--events")
        for line in process.stdout:
            if json.loads(line).get("type") == "step-started":
                break
        self.addCleanup(lambda: (process.kill() if process.poll() is None else None, process.communicate()))
        return process

    def test_the_second_operator_is_told_who_holds_the_lease_and_since_when(self):
        process = self.start_slow()
        refused = self.operator.run("apply", "--yes", exit=9)
        self.assertRegex(refused.stderr + refused.stdout, r"\S+@\S+ is changing this host \(apply\)")
        self.assertRegex(refused.stderr + refused.stdout, r"since 20\d\d-")
        waiting = self.operator.start("apply", "--yes", "--json", "--wait", "60")
        self.host.write("/run/go-on", "")
        process.communicate(timeout=60)
        out, errors = waiting.communicate(timeout=60)
        self.assertEqual(waiting.returncode, 0, errors)
        self.assertEqual(only(json.loads(out))["outcome"], "changed")

    def test_an_operator_killed_before_the_activation_frees_the_lease_within_two_seconds(self):
        # A validator that doesn't end holds the transaction back before its first change.
        self.host.write("/usr/sbin/visudo", "#!/bin/sh\ntouch /run/validating\nexec sleep 600\n", 0o755)
        holder = self.new_operator("sudo", [{"sudoers": {"name": "60-more", "content": "# nothing\n"}, "id": "sudo"}])
        process = holder.start("apply", "--yes", "--json")
        wait_until(lambda: self.host.exists("/run/validating"), 60, "the validator runs")
        self.assertEqual(self.status()["running"]["purpose"], "apply")
        process.send_signal(signal.SIGKILL)
        wait_until(lambda: self.status()["running"] is None, 2, "the lease is free")
        process.communicate(timeout=10)
        self.operator.run("apply", "--yes", exit=0)
        self.assertFalse(self.host.exists("/etc/sudoers.d/60-more"))

    def test_a_killed_operator_does_not_take_an_activated_transaction_with_it(self):
        process = self.start_slow()
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)
        self.assertIsNotNone(self.status()["running"])
        self.host.write("/run/go-on", "")
        wait_until(lambda: self.status()["running"] is None, 60, "the transaction ends by its own rules")
        self.assertEqual(self.status()["last_transaction"]["outcome"], "changed")

    def test_a_connection_that_breaks_is_made_again_and_the_run_goes_on(self):
        process = self.start_slow(LONG)
        before = self.logins()
        self.host.run(["pkill", "-u", "deploy", "sshd"])
        wait_until(lambda: self.logins() > before, 60, "sentinelctl comes back")
        self.host.write("/run/go-on", "")
        out, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, errors)
        self.assertEqual(only(json.loads(out.splitlines()[-1]))["changed"], ["slow/slow", "slow/long"])

    def test_attach_follows_what_another_began_from_its_first_event_to_its_end(self):
        process = self.start_slow()
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)
        following = self.operator.start("attach", "--json", "--events")
        seen = [json.loads(line)["type"] for line in iter(following.stdout.readline, "") if self.goes_on(line)]
        following.communicate(timeout=60)
        self.assertEqual(following.returncode, 0)
        self.assertIn("step-done", seen)
        # What has ended can still be looked at, also when it failed; the exit code is its own.
        self.assertEqual(only(self.operator.json("attach", "web-1", exit=0))["outcome"], "changed")
        failing = self.new_operator("failing", [{"command": {"argv": ["false"], "always": True, "undo": ["true"]}, "id": "fails"}])
        failing.run("apply", "--yes", exit=1)
        again = failing.json("attach", exit=1)
        self.assertEqual((only(again)["outcome"], only(again)["error"]["code"]), ("reverted", "command.failed"))

    def goes_on(self, line):
        """True for an event; the first of a step lets the slow command end."""
        event = json.loads(line)
        if event.get("type") == "step-started":
            self.host.write("/run/go-on", "")
        return "type" in event

    def logins(self):
        return self.host.journal("ssh").count("Accepted publickey for deploy")

    def test_one_login_tells_that_nothing_is_to_do_and_two_make_a_risky_change(self):
        key = next(line for line in self.host.read("/home/deploy/.ssh/authorized_keys").decode().splitlines() if line.startswith("ssh-"))
        operator = self.new_operator("access", [{"authorized_keys": {"user": "deploy", "keys": [key]}, "id": "keys"}])
        before = self.logins()
        self.assertEqual(only(operator.json("apply", "--yes", exit=0))["outcome"], "unchanged")
        self.assertEqual(self.logins() - before, 1)
        operator.own_stack("access", [{"authorized_keys": {"user": "deploy", "keys": [key, OTHER_KEY]}, "id": "keys"}])
        before = self.logins()
        self.assertEqual(only(operator.json("apply", "--yes", exit=0))["outcome"], "changed")
        self.assertEqual(self.logins() - before, 2)
        # What was confirmed and has ended is not confirmed again by those who look at it later.
        before = self.logins()
        self.assertEqual(only(operator.json("attach", exit=0))["outcome"], "changed")
        self.assertEqual(self.logins() - before, 1)

    def test_a_dead_transaction_frees_the_lease_and_is_reverted(self):
        process = self.start_slow()
        self.host.run(["sh", "-c", "systemctl kill --signal=KILL 'sentinel-transaction@*'"])
        wait_until(lambda: (self.status()["running"] or {}).get("purpose") != "apply", 2, "the lease is free, or the recovery's")
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1)
        self.assertEqual(self.status()["last_transaction"]["outcome"], "reverted")
        self.operator.run("apply", "--yes", exit=0)

    def test_ctrl_c_asks_the_host_to_revert(self):
        process = self.start_slow(LONG)
        process.send_signal(signal.SIGINT)
        self.host.write("/run/go-on", "")
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(self.status()["last_transaction"]["outcome"], "reverted")


class PackageLock(OnOneHost):
    def test_a_held_dpkg_lock_is_waited_for_with_the_reason_shown(self):
        operator = self.new_operator("package", [{"package": {"names": ["netcat-openbsd"]}, "id": "netcat"}])
        # dpkg's lock is a POSIX record lock: taken here by perl, which every Debian host has.
        self.host.run(["sh", "-c", "perl -e 'use Fcntl qw(:flock :seek F_SETLK F_WRLCK); open(F, \"+>\", \"/var/lib/dpkg/lock-frontend\");"
                       " fcntl(F, F_SETLK, pack(\"s s l! l! i\", F_WRLCK, SEEK_SET, 0, 0, 0)) or die; sleep 1 while ! -e \"/run/let-go\"'"
                       " >/dev/null 2>&1 &"])
        process = operator.start("apply", "--yes", "--json", "--events")
        for line in process.stdout:
            event = json.loads(line)
            if event.get("type") == "waiting":
                self.assertRegex(event["text"], r"perl.*pid \d+")
                self.host.write("/run/let-go", "")
                break
        _, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, errors)


if __name__ == "__main__":
    unittest.main()
