#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every way we know to lock the operator out: access is back by the deadline and five seconds, and nothing is ever confirmed
that the operator could not walk through."""

import json
import secrets
import signal
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from sentinel import Operator, bootstrapped, wait_until  # noqa: E402
from wire import CONFIRM, AgentSession  # noqa: E402

TIMEOUT = 12  # seconds to confirm
GRACE = 5
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9nLkpTOkVQm6oZdZkW7aGmlo8wRc2xUqDOqB1XHKLr somebody-else"
DROP_IN = "/etc/ssh/sshd_config.d/00-sentinel.conf"


def drop_in(*lines):
    return [{"sshd": {"path": DROP_IN, "content": "\n".join(lines) + "\n"}, "notify": ["reload ssh"]}]


def command(argv, undo):
    """A change that locks out beside one that arms the guard."""
    return [*drop_in("PasswordAuthentication no", "ClientAliveInterval 61"),
            {"command": {"argv": argv, "always": True, "undo": undo}, "id": "fault"}]


NEW_SSH = ["INPUT", "-p", "tcp", "--dport", "22", "-m", "conntrack", "--ctstate", "NEW", "-j", "DROP"]

# name -> resources that lock out when they are applied
FAULTS = {
    "UFW denies 22": lambda host: command(["ufw", "insert", "1", "deny", "22/tcp"], ["ufw", "delete", "deny", "22/tcp"]),
    "only established connections survive": lambda host: command(
        ["iptables", "-I", *NEW_SSH], ["sh", "-c", "iptables -D " + " ".join(NEW_SSH) + " || true"]),
    "wrong sshd port": lambda host: drop_in("Port 2222", "PasswordAuthentication no"),
    "AllowUsers excludes us": lambda host: drop_in("AllowUsers nobody", "PasswordAuthentication no"),
    "authorized_keys emptied": lambda host: [
        {"authorized_keys": {"user": "deploy", "keys": [OTHER_KEY], "exclusive": True}, "id": "keys"}],
    "fail2ban bans us": lambda host: command(["fail2ban-client", "set", "sshd", "banip", host.gateway],
                                             ["sh", "-c", f"fail2ban-client set sshd unbanip {host.gateway} || true"]),
    "sudo taken away": lambda host: [{"sudoers": {"name": "60-sentinel", "content": "# nothing\n"}, "id": "sudo"}],
}


class Lockout(unittest.TestCase):
    def setUp(self):
        self.host = bootstrapped().start()
        self.addCleanup(self.host.destroy)
        self.operator = Operator()
        self.addCleanup(self.operator.close)
        self.operator.know(self.host)
        self.assertEqual(self.host.ssh("true", user="deploy").returncode, 0)
        self.before = self.host.read(DROP_IN)

    def write_project(self, resources):
        self.operator.own_stack("fault", resources)
        self.operator.project({"web-1": self.host}, {"deploy_user": "deploy"}, stack="fault")

    def start(self, resources):
        self.write_project(resources)
        return self.operator.start("apply", "--yes", "--json", "--events", "--confirm-timeout", TIMEOUT)

    def await_event(self, process, wanted):
        """Reads events until one of the wanted types; returns it."""
        for line in process.stdout:
            event = json.loads(line)
            if event.get("type") in wanted:
                return event
        raise AssertionError(f"no {wanted} event; stderr: {process.stderr.read()}")

    def agent_status(self):
        return json.loads(self.host.run(["sentinel-agent", "status", "--json"]).stdout)

    def settled(self):
        status = self.agent_status()
        return status["running"] is None and not status["interrupted"]

    def assert_access_and_old_state(self, since, within=TIMEOUT + GRACE):
        wait_until(self.settled, within + 30, "the transaction is over")
        login = self.host.ssh("sudo -n sentinel-agent status --json", user="deploy")
        self.assertLessEqual(time.monotonic() - since, within + 3, "access came back too late")
        self.assertEqual(login.returncode, 0, login.stderr)
        self.assertEqual(json.loads(login.stdout)["last_transaction"]["outcome"], "reverted")
        self.assertEqual(self.host.read(DROP_IN), self.before)
        self.assertEqual(self.agent_status()["generation"], 1, "a fault was confirmed")

    def test_each_fault_is_reverted(self):
        for name, fault in FAULTS.items():
            with self.subTest(name):
                self.write_project(fault(self.host))
                process = self.operator.start("apply", "--yes", "--json", "--events", "--confirm-timeout", TIMEOUT)
                self.await_event(process, {"await-confirm"})
                since = time.monotonic()
                _, errors = process.communicate(timeout=120)
                self.assertEqual(process.returncode, 1, errors)
                self.assert_access_and_old_state(since)

    def test_a_broken_sshd_configuration_is_refused_before_it_is_in_place(self):
        self.write_project(drop_in("NoSuchKeyword yes"))
        refused = self.operator.run("apply", "--yes", exit=1)
        self.assertIn("NoSuchKeyword", refused.stderr + refused.stdout)
        self.assertEqual(self.host.read(DROP_IN), self.before)

    def test_the_transaction_is_killed_while_armed(self):
        process = self.start(FAULTS["AllowUsers excludes us"](self.host))
        self.await_event(process, {"await-confirm"})
        since = time.monotonic()
        self.host.run(["sh", "-c", "systemctl kill --signal=KILL 'sentinel-transaction@*'"])
        self.assert_access_and_old_state(since)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1)

    def test_the_transaction_hangs_while_armed(self):
        process = self.start(FAULTS["AllowUsers excludes us"](self.host))
        self.await_event(process, {"await-confirm"})
        since = time.monotonic()
        self.host.run(["sh", "-c", "systemctl kill --kill-who=main --signal=STOP 'sentinel-transaction@*'"])
        self.assert_access_and_old_state(since, within=10 + 10 + GRACE)  # watchdog and stop timeout
        process.communicate(timeout=60)

    def test_the_operator_is_killed(self):
        process = self.start(FAULTS["wrong sshd port"](self.host))
        self.await_event(process, {"step-started"})
        process.send_signal(signal.SIGKILL)
        since = time.monotonic()
        process.communicate(timeout=60)
        self.assert_access_and_old_state(since)

    def test_the_host_reboots_while_armed(self):
        process = self.start(FAULTS["wrong sshd port"](self.host))
        self.await_event(process, {"await-confirm"})
        since = time.monotonic()
        self.host.reboot()
        self.assert_access_and_old_state(since, within=TIMEOUT + GRACE + 20)
        process.kill()
        process.communicate(timeout=60)

    def test_a_stale_nonce_confirms_nothing(self):
        process = self.start(FAULTS["AllowUsers excludes us"](self.host))
        self.await_event(process, {"await-confirm"})
        since = time.monotonic()
        reply = self.host.run(["sh", "-c", f"printf '\\000\\000\\000\\062\\026{{\"transaction\":\"{secrets.token_hex(16)}\"}}' | sentinel-agent serve"],
                              text=False).stdout
        self.assertIn(b"confirm.unknown-transaction", reply)
        process.communicate(timeout=120)
        self.assert_access_and_old_state(since)

    def test_an_old_connection_confirms_nothing(self):
        with AgentSession(self.host.ssh_command(user="deploy"), sudo=True) as old:
            process = self.start(FAULTS["AllowUsers excludes us"](self.host))
            self.await_event(process, {"await-confirm"})
            since = time.monotonic()
            transaction = self.agent_status()["running"]["transaction"]
            old.send(CONFIRM, {"transaction": transaction})
            self.assertEqual(old.error()["code"], "confirm.old-session")
            process.communicate(timeout=120)
        self.assert_access_and_old_state(since)


if __name__ == "__main__":
    unittest.main()
