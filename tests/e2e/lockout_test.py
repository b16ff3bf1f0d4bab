#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every way we know to lock the operator out: access is back by the deadline and five seconds, and nothing is ever confirmed
that the operator could not walk through. Each fault has a host of its own; two hosts run at a time.

The clock starts when the host begins to wait for its confirmation (earlier where that moment can't be seen) and stops when a
login as the operator comes next time, with sudo to the agent, is complete: one login, made when the host says that the
transaction is over, which has to work. Two faults have a bound of their own beside the deadline:
- A process that is stopped is ended by systemd's watchdog after ten seconds of silence, here before the deadline.
- A host that reboots is open when its boot is over, however long that takes: here the time of an ordinary reboot of the same
  host just before, and five seconds."""

import concurrent.futures
import json
import secrets
import signal
import struct
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from hosts.lifetime import guard  # noqa: E402
from sentinel import Operator, bootstrapped, wait_until  # noqa: E402
from wire import CONFIRM, AgentSession  # noqa: E402

TIMEOUT = 10  # seconds to confirm
GRACE = 5
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9nLkpTOkVQm6oZdZkW7aGmlo8wRc2xUqDOqB1XHKLr somebody-else"
DROP_IN = "/etc/ssh/sshd_config.d/00-sentinel.conf"
NEW_SSH = "INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -j DROP"


def drop_in(*lines):
    return [{"sshd": {"path": DROP_IN, "content": "\n".join(lines) + "\n"}, "notify": ["reload ssh"]}]


def command(argv, undo):
    """A change that locks out beside one that arms the guard."""
    return [*drop_in("PasswordAuthentication no", "ClientAliveInterval 61"),
            {"command": {"argv": argv, "always": True, "undo": undo}, "id": "fault"}]


# name -> resources that lock out when they are applied
CHANGES = {
    "UFW denies 22": lambda host: command(["ufw", "deny", "22/tcp"], ["ufw", "allow", "22/tcp"]),
    "only established connections survive": lambda host: command(["iptables", "-I", *NEW_SSH.split()],
                                                                 ["sh", "-c", f"iptables -D {NEW_SSH} || true"]),
    "wrong sshd port": lambda host: drop_in("Port 2222", "PasswordAuthentication no"),
    "AllowUsers excludes us": lambda host: drop_in("AllowUsers nobody", "PasswordAuthentication no"),
    "authorized_keys emptied": lambda host: [
        {"authorized_keys": {"user": "deploy", "keys": [OTHER_KEY], "exclusive": True}, "id": "keys"}],
    "home open to all, so its keys don't count": lambda host: command(["chmod", "777", "/home/deploy"], ["chmod", "755", "/home/deploy"]),
    "fail2ban bans us": lambda host: command(["fail2ban-client", "set", "sshd", "banip", host.gateway],
                                             ["sh", "-c", f"fail2ban-client set sshd unbanip {host.gateway} || true"]),
    "sudo taken away": lambda host: [{"sudoers": {"name": "60-sentinel", "content": "# nothing\n"}, "id": "sudo"}],
}


class Ground:
    """A bootstrapped host with its operator, while a change that locks out is under way."""

    def __init__(self, host, operator):
        self.host = host
        self.operator = operator
        operator.know(host)
        self.before = host.read(DROP_IN)
        self.generation = self.status()["generation"]

    def start(self, change):
        self.operator.own_stack("fault", CHANGES[change](self.host) if isinstance(change, str) else change)
        self.operator.project({"web-1": self.host}, {"deploy_user": "deploy"}, stack="fault")
        return self.operator.start("apply", "--yes", "--json", "--events", "--confirm-timeout", TIMEOUT)

    def start_and_arm(self, change, until="await-confirm"):
        """The running sentinelctl, and when the host began to wait for its confirmation."""
        process = self.start(change)
        for line in process.stdout:
            if json.loads(line).get("type") == until:
                return process, time.monotonic()
        raise AssertionError(f"no {until}: {process.communicate()[1]}")

    def status(self):
        return json.loads(self.host.run(["sentinel-agent", "status", "--json"]).stdout)

    def settled(self):
        status = self.status()
        return status["running"] is None and not status["interrupted"]

    def assert_access_is_back(self, since, within=TIMEOUT + GRACE):
        wait_until(self.settled, within + 60, "the transaction is over")
        status, end = self.log_in()
        last = status["last_transaction"]
        assert last["outcome"] == "reverted", status
        assert not self.was_confirmed(last["transaction"]), "a change was confirmed that locked out"
        self.assert_unchanged(status)
        assert end - since <= within, f"access came back after {end - since:.1f} s instead of {within:.1f} s"
        return end - since

    def log_in(self):
        """What the host says over a new connection, and when it had said it."""
        login = self.host.ssh("sudo -n sentinel-agent status --json", user="deploy")
        assert login.returncode == 0, f"still locked out: {login.stderr}"
        return json.loads(login.stdout), time.monotonic()

    def assert_unchanged(self, status):
        assert status["generation"] == self.generation, f"the change was kept: {status}"
        assert self.host.read(DROP_IN) == self.before

    def was_confirmed(self, transaction):
        events = self.host.read(f"/var/lib/sentinel/journal/{transaction}/events").splitlines()
        return any(json.loads(event)["type"] == "confirmed" for event in events)


def end(process, expected=1):
    _, errors = process.communicate(timeout=120)
    assert process.returncode == expected, f"exit {process.returncode}, expected {expected}: {errors}"


def nobody_confirms(change):
    def fault(ground):
        process, since = ground.start_and_arm(change)
        took = ground.assert_access_is_back(since)
        end(process)
        return took
    return fault


def broken_configuration(ground):
    process = ground.start(drop_in("NoSuchKeyword yes"))
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 1 and "NoSuchKeyword" in out + errors, out + errors
    ended = time.monotonic()
    status, logged_in = ground.log_in()
    ground.assert_unchanged(status)
    return logged_in - ended


def transaction_killed(ground):
    process, since = ground.start_and_arm("AllowUsers excludes us")
    ground.host.run(["systemctl", "kill", "--signal=KILL", "sentinel-transaction@*"])
    took = ground.assert_access_is_back(since)
    end(process)
    return took


def transaction_stopped(ground):
    process, since = ground.start_and_arm("AllowUsers excludes us")
    ground.host.run(["systemctl", "kill", "--kill-who=main", "--signal=STOP", "sentinel-transaction@*"])
    took = ground.assert_access_is_back(since)
    end(process)
    return took


def operator_killed(ground):
    process, _ = ground.start_and_arm("wrong sshd port", until="step-started")
    process.send_signal(signal.SIGKILL)
    since = time.monotonic()  # the wait begins later, after the effects
    process.communicate(timeout=60)
    return ground.assert_access_is_back(since)


def host_reboots(ground):
    begin = time.monotonic()
    ground.host.reboot()
    ordinary = ground.log_in()[1] - begin
    process, _ = ground.start_and_arm("wrong sshd port")
    since = time.monotonic()
    ground.host.reboot()
    took = ground.assert_access_is_back(since, ordinary + GRACE)
    process.kill()
    process.communicate(timeout=60)
    return took


def network_fails(ground):
    process, since = ground.start_and_arm("AllowUsers excludes us")
    ground.host.cut_network()
    wait_until(ground.settled, TIMEOUT + GRACE, "the host reverts by itself")
    ground.host.restore_network()
    took = ground.assert_access_is_back(since)
    process.kill()
    process.communicate(timeout=60)
    return took


def stale_nonce(ground):
    process, since = ground.start_and_arm("AllowUsers excludes us")
    payload = json.dumps({"transaction": secrets.token_hex(16)}).encode()
    reply = ground.host.run(["sentinel-agent", "serve"], input=struct.pack(">IB", len(payload), CONFIRM) + payload, text=False).stdout
    assert b"confirm.unknown-transaction" in reply, reply
    took = ground.assert_access_is_back(since)
    end(process)
    return took


def old_connection(ground):
    with AgentSession(ground.host.ssh_command(user="deploy"), sudo=True) as old:
        process, since = ground.start_and_arm("AllowUsers excludes us")
        old.send(CONFIRM, {"transaction": ground.status()["running"]["transaction"]})
        code = old.error()["code"]
        assert code == "confirm.old-session", code
        took = ground.assert_access_is_back(since)
        end(process)
    return took


FAULTS = {
    **{name: nobody_confirms(name) for name in CHANGES},
    "broken sshd configuration": broken_configuration,
    "transaction killed while armed": transaction_killed,
    "transaction stopped while armed": transaction_stopped,
    "sentinelctl killed": operator_killed,
    "reboot while armed": host_reboots,
    "network fails while armed": network_fails,
    "stale nonce": stale_nonce,
    "confirmation over an old connection": old_connection,
}


def run(name):
    """(name, seconds until access was back, what went wrong or nothing)"""
    try:
        with bootstrapped() as host, Operator() as operator:
            return name, FAULTS[name](Ground(host, operator)), None
    except Exception as failure:  # told by the test, with its name
        return name, 0, f"{type(failure).__name__}: {failure}"


class Lockout(unittest.TestCase):
    def test_every_fault_ends_with_access_and_the_old_state(self):
        guard()  # here, since threads make the hosts
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for name, seconds, wrong in pool.map(run, FAULTS):
                with self.subTest(name):
                    self.assertIsNone(wrong)
                    print(f"{name}: access after {seconds:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
