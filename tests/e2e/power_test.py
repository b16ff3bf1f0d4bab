#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A power cut right after any system call of a transaction, before what follows is synced: the host that boots from the disk as
it was at that instant is exactly in the old state or exactly in the new one. With one sync taken out it is not, and the same
judgement says so."""

import concurrent.futures
import os
import random
import signal
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from hosts import Host  # noqa: E402
from hosts.lifetime import guard  # noqa: E402
from interrupt import Change, Gate, Run, Tracer, finish, process_field, settled  # noqa: E402
from sentinel import CAMPAIGN, bootstrapped, wait_until  # noqa: E402

SEED = 20261121
# How many cuts after calls of each name. A signal that a call was met with stops the process when the call has returned.
CUTS = ({"write": 7, "rename": 6, "fdatasync": 5, "fsync": 5, "symlink": 1, "fchmod": 2, "clone": 3} if CAMPAIGN else
        {"write": 1, "rename": 2, "fdatasync": 1, "symlink": 1, "clone": 1})
FIRST_LINK = "symlink:signal=STOP:when=1"  # files are changed by then, and the journal says so


class Power(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        guard()  # here, since threads make the hosts
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.change = Change()
        cls.addClassCleanup(cls.change.close)
        origin = cls.enterClassContext(bootstrapped())
        cls.change.prepare(origin)
        cls.base = origin.as_base()

    def host(self, **more):
        return Host(on=self.base, login="deploy", **more)

    def whole_run(self):
        """A run that nothing happens to; leaves what the new state looks like."""
        with self.host() as host:
            self.change.remember_old(host)
            gate = Gate(host)
            process = self.change.at(host, "new").start("apply", "--yes", "--json")
            pid, transaction = gate.waiting_transaction()
            with Tracer(pid) as tracer:
                gate.open(transaction)
                finish(process)
                calls = tracer.calls()
            self.assertEqual(process.returncode, 0)
            self.assertEqual(self.change.judge(host, transaction), "new")
        return Run(calls)

    def cut(self, *injections):
        """Runs one transaction and copies the disk whenever an injection stops it: [(the call, copy)], and its id."""
        copies = []
        with self.host(disk="image") as host:
            gate = Gate(host)
            process = self.change.at(host, "new").start("apply", "--yes", "--json")
            pid, transaction = gate.waiting_transaction()
            with Tracer(pid, *injections) as tracer:
                gate.open(transaction)
                while self.stopped(pid, tracer, len(copies) + 1):
                    path = self.folder / f"{host.name}-{len(copies)}.img"
                    host.snapshot_disk(path)
                    copies.append((tracer.calls()[-1], path))
                    os.kill(pid, signal.SIGCONT)
            finish(process)
        return copies, transaction

    @staticmethod
    def stopped(pid, tracer, times):
        """Waits: True when the process was stopped that many times, False when it ended."""
        def is_there():
            return tracer.text().count("--- stopped by SIGSTOP ---") >= times
        wait_until(lambda: is_there() or process_field(pid, "Pid") is None, 180, "a stop or the end")
        return is_there()

    def judge(self, call, path, transaction):
        """Boots a host from the copy that was made after that call; its verdict."""
        verdict = self.verdict(path, transaction)
        print(f"cut after {call}: {verdict}", file=sys.stderr)
        return verdict

    def verdict(self, path, transaction):
        change = Change()
        change.old_look, change.old_steps, change.generation = self.change.old_look, self.change.old_steps, self.change.generation
        change.new_look = self.change.new_look
        try:
            with self.host(from_disk=path) as host:
                wait_until(lambda: settled(host), 120, "recovery is over")
                return change.judge(host, transaction)
        except AssertionError as damage:
            return f"damaged: {damage}"
        finally:
            change.close()
            path.unlink()

    def test_every_cut_leaves_the_old_state_or_the_new_one(self):
        whole = self.whole_run()
        seeded = random.Random(SEED)
        injections = []
        for name, count in CUTS.items():
            numbers = whole.numbers(name)
            stride = max(1, len(numbers) // count)
            # The last file that is renamed into place names the new generation: there is always a cut after the decision.
            first = len(numbers) - 1 - (count - 1) * stride if name == "rename" else seeded.randrange(min(stride, len(numbers)))
            injections.append(f"{name}:signal=STOP:when={numbers[first]}+{stride}")
        copies, transaction = self.cut(*injections)
        self.assertGreaterEqual(len(copies), sum(CUTS.values()) * 5 // 6)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            verdicts = list(pool.map(lambda copy: self.judge(*copy, transaction), copies))
        for (call, _), verdict in zip(copies, verdicts):
            with self.subTest(call):
                self.assertIn(verdict, ("old", "new"))
        self.assertEqual(set(verdicts), {"old", "new"})
        print(f"power: {len(copies)} cuts, seed {SEED}: {verdicts.count('old')} old, {verdicts.count('new')} new", file=sys.stderr)

    def test_without_one_sync_the_damage_is_seen(self):
        if not hasattr(self.change, "new_look"):
            self.whole_run()
        # append_file() syncs what the journal holds; here the kernel is never asked to, and the agent doesn't know.
        copies, transaction = self.cut("fdatasync:retval=0", FIRST_LINK)
        self.assertEqual(len(copies), 1)
        self.assertRegex(self.judge(*copies[0], transaction), "^damaged: not the plan of the old state")


if __name__ == "__main__":
    unittest.main()
