#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What can happen to a host while a release is deployed to it, at the beginning of each phase: a process killed, the plug pulled,
the disk full, the network cut. Afterwards one release is in force, it serves, and nothing keeps the next deploy away: which of the
two, and how sentinelctl ends, is said for each.

The transaction is stopped right after it has journalled a phase, by strace, so that the instant is exact."""

import json
import os
import random
import re
import signal
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from containers import ContainerCase, docker_host  # noqa: E402
from hosts import Host  # noqa: E402
from interrupt import Gate, Tracer, finish, process_field, settled  # noqa: E402
from releases import ReleaseCase  # noqa: E402
from sentinel import CAMPAIGN, Operator, only, wait_until  # noqa: E402

SEED = 20261126
PHASES = ("stage", "candidate", "switch", "promote", "commit")
DEADLINE = 90  # seconds: the gate's, the bake's, and what systemd grants a process to end
KILLS = ("caddy", "new", "old", "sentinelctl", "session", "transaction")
NO_PROCESS_YET = {("new", "stage"), ("new", "candidate")}
KILLED = -signal.SIGKILL
# Nothing that is taken back makes room: what goes is still open here.
FULL_DISK = r"""
while read -r each; do exec {held}<"$each"; done < <(find /etc/systemd/system /opt/sentinel /var/lib/sentinel -type f -o -type d)
dd if=/dev/zero of=/var/fill bs=1M 2>/dev/null
dd if=/dev/zero of=/var/fill2 bs=512 2>/dev/null
systemd-notify --ready
exec sleep infinity
"""


def expected(fault, phase):
    """Which release is in force afterwards, and the exit code of sentinelctl."""
    decided = phase == "commit"
    if fault == "new":
        return ("new", 0) if decided else ("old", 6)
    if fault == "transaction":
        return ("new", 0) if decided else ("old", 1)
    if fault == "disk":
        return ("new", 0) if decided else ("old", 7)
    if fault == "network" and phase in ("stage", "candidate"):
        return ("old", 6)  # what the new one calls is behind that network, so it could not prove itself
    if fault == "power":
        return ("new" if decided else "old", KILLED)
    return ("new", KILLED if fault == "sentinelctl" else 0)


def cases(faults, count):
    """All of them in a campaign, else `count`, seeded."""
    every = [(fault, phase) for fault in faults for phase in PHASES if (fault, phase) not in NO_PROCESS_YET]
    return every if CAMPAIGN else random.Random(SEED).sample(every, count)


class Faults(ReleaseCase):
    def begun(self, host, operator):
        """A host with a release in force, and the number of the sync of each phase's record among a deploy's."""
        self.prepared(host, operator)
        self.put_in_front(host)
        self.deploy("first")
        self.number = 0
        process, pid, gate, transaction = self.next_deploy(host)
        with Tracer(pid) as tracer:
            gate.open(transaction)
            finish(process)
            calls = [call for call in tracer.calls() if call.startswith("fdatasync(")]
        self.assertEqual(self.current(host), self.release())
        # The record of the beginning comes first, and `closed` last.
        records = [number for number, call in enumerate(calls, 1) if re.search(r"/journal/\w+/log>", call)]
        self.assertEqual(len(records), len(PHASES) + 2, calls)
        self.syncs = dict(zip(PHASES, records[1:]))

    def release(self):
        return f"release-{self.number}"

    @staticmethod
    def current(host):
        return host.run(["readlink", "/opt/sentinel/current"]).stdout.strip().removeprefix("releases/")

    def next_deploy(self, host):
        """One that waits at the gate: sentinelctl, the transaction's pid, the gate, the transaction."""
        self.number += 1
        self.project(settings=self.upstream_at(f"of-{self.release()}"), health={"bake": {"time": "2s"}})
        gate = Gate(host)
        process = self.begin("deploy", "--release", self.release())
        return process, *self.waiting(gate)

    @staticmethod
    def waiting(gate):
        pid, transaction = gate.waiting_transaction()
        return pid, gate, transaction

    def strike(self, host, fault, pid, process):
        kill = {"caddy": ["systemctl", "kill", "--signal=KILL", "caddy.service"],
                "dockerd": ["systemctl", "kill", "--kill-who=main", "--signal=KILL", "docker.service"],
                "session": ["sh", "-c", "kill -KILL $(pgrep -f '[s]entinel-agent serve')"],
                "disk": ["systemd-run", "--quiet", "--unit=full-disk", "--property=Type=notify", "--property=NotifyAccess=all", "bash", "-c", FULL_DISK]}
        if fault == "sentinelctl":
            process.kill()
        elif fault in ("new", "old"):
            self.kill(self.release() if fault == "new" else self.old)
        elif fault == "transaction":
            os.kill(pid, signal.SIGKILL)
        elif fault == "power":
            host.power_off()
        elif fault == "network":
            host.cut_network()
        else:
            host.run(kill[fault])

    def mend(self, host, fault, process):
        """What a person does; the rest the host has to do by itself."""
        if fault == "power":
            process.kill()
            host.boot()
        if fault == "caddy":
            host.run(["systemctl", "restart", "caddy"])  # Debian's unit has no Restart=
        if fault == "network":
            wait_until(lambda: settled(host), DEADLINE, "the host goes on alone")
            host.restore_network()

    def happens(self, host, fault, phase):
        """What one fault at the beginning of one phase led to: the report, if sentinelctl lived to write one."""
        self.old = self.current(host)
        process, pid, gate, transaction = self.next_deploy(host)
        begun = time.monotonic()
        with Tracer(pid, f"fdatasync:signal=STOP:when={self.syncs[phase]}") as tracer:
            gate.open(transaction)
            wait_until(lambda: "--- stopped by SIGSTOP ---" in tracer.text() or process_field(pid, "Pid") is None, 120, "the phase")
            self.assertIn("--- stopped by SIGSTOP ---", tracer.text())
            self.strike(host, fault, pid, process)
            if process_field(pid, "Pid") is not None:
                os.kill(pid, signal.SIGCONT)
            self.mend(host, fault, process)
            output, errors = process.communicate(timeout=180)
        if fault == "disk":
            if process.returncode != 0 or not settled(host):
                self.assertIn("by itself", output + errors)
            host.run(["systemctl", "stop", "full-disk"])
            host.run(["rm", "-f", "/var/fill", "/var/fill2"])
        wait_until(lambda: settled(host), DEADLINE, "nothing is left to do")
        current = self.current(host)
        self.assertIn(current, (self.old, self.release()))
        other = self.release() if current == self.old else self.old
        self.assertIn(self.states(host)[current], ("confirmed",))
        wait_until(lambda: self.state(current) == "active", 30, "it runs")
        wait_until(lambda: self.state(other) in ("inactive", "failed"), 60, "the other ends")
        self.answers()
        took = time.monotonic() - begun
        verdict = "new" if current == self.release() else "old"
        print(f"{fault} at {phase}: {verdict}, exit {process.returncode}, all in order after {took:.1f} s", file=sys.stderr)
        self.assertEqual((verdict, process.returncode), expected(fault, phase), output + errors)
        if process.returncode == 6:
            report = only(json.loads(output))
            self.assertIn(f"release {self.release()} ", report["error"]["message"])
            self.assertTrue(report["log"], report)

    def all_of(self, host, faults, count):
        with host, Operator() as operator:
            self.begun(host, operator)
            for fault, phase in cases(faults, count):
                with self.subTest(fault=fault, phase=phase):
                    self.happens(host, fault, phase)
            Gate(host).remove()
            self.assertEqual(self.deploy("after", settings=self.upstream_at("good"))["outcome"], "changed")


class AsServices(Faults):
    put_in_front = staticmethod(ReleaseCase.caddy)

    def kill(self, release):
        self.host.run(["systemctl", "kill", "--signal=KILL", f"sentinel-{release}.service"])

    def state(self, release):
        return self.host.run(["systemctl", "is-active", f"sentinel-{release}"], check=False).stdout.strip()

    def test_any_process_may_be_killed(self):
        self.all_of(Host("bookworm"), KILLS, 3)

    def test_the_plug_the_disk_and_the_network(self):
        self.all_of(Host("bookworm", disk="image"), ("power", "disk", "network"), 3)


class AsContainers(ContainerCase, Faults):
    def put_in_front(self, host):
        """The host has it."""

    def kill(self, release):
        super().kill(f"sentinel-{release}")

    def state(self, release):
        return "active" if f"sentinel-{release}" in self.containers() else "inactive"

    def answers(self):
        wait_until(self.serves, 30, "what the engine starts again serves, too")  # nobody holds the port of one that was killed
        super().answers()

    def test_any_process_and_the_engine_may_be_killed(self):
        self.all_of(docker_host("bookworm"), ("dockerd", "new", "old", "sentinelctl", "transaction"), 3)


if __name__ == "__main__":
    unittest.main()
