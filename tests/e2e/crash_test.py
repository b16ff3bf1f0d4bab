#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL for the transaction's process right before any of its system calls: what recovery leaves is exactly the old state or
exactly the new one, and history and exit code say which."""

import concurrent.futures
import random
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from hosts import Host  # noqa: E402
from hosts.lifetime import guard  # noqa: E402
from interrupt import Change, Gate, Run, Tracer, finish, process_field, recoveries, settled  # noqa: E402
from sentinel import CAMPAIGN, bootstrapped, wait_until  # noqa: E402

POINTS = 40 if CAMPAIGN else 6
SEED = 20261121


class Killer:
    """One host after the other, for as many kills as each of them survives in the old state."""

    def __init__(self, base, new_look=None):
        self.base = base
        self.change = Change()
        self.host = None
        if new_look:
            self.change.new_look = new_look

    def close(self):
        self.change.close()
        self.discard()

    def discard(self):
        if self.host:
            self.host.destroy()
        self.host = None

    def fresh(self):
        self.host = Host(on=self.base).start()
        self.gate = Gate(self.host)
        self.change.remember_old(self.host)

    def run(self, *injections):
        """One transaction with these injections: calls it made, whether it was killed, seconds to recover, verdict."""
        if not self.host:
            self.fresh()
        recovered_before = recoveries(self.host)
        process = self.change.at(self.host, "new").start("apply", "--yes", "--json")
        try:
            pid, transaction = self.gate.waiting_transaction()
            with Tracer(pid, *injections) as tracer:
                self.gate.open(transaction)
                wait_until(lambda: process_field(pid, "Pid") is None, 180, "the transaction's process ends")
                ended = time.monotonic()
                calls = tracer.calls()
                killed = "+++ killed by SIGKILL" in tracer.text()
            wait_until(lambda: recoveries(self.host) >= recovered_before + killed and settled(self.host), 120, "recovery is over")
            recovered = time.monotonic() - ended
            out, errors = finish(process)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        verdict = self.change.judge(self.host, transaction)
        if (process.returncode == 0) != (verdict == "new"):
            raise AssertionError(f"the {verdict} state, and exit {process.returncode}:\n{out}\n{errors}")
        if verdict == "new":
            self.discard()
        return calls, killed, recovered, verdict

    def kill_at(self, point):
        name, n = point
        try:
            _, killed, recovered, verdict = self.run(f"{name}:signal=KILL:when={n}")
        except Exception as damage:  # to be told with its point, when all points were tried
            self.discard()
            killed, recovered, verdict = None, 0, f"{type(damage).__name__}: {damage}"
        print(f"killed before {name} {n}: {killed}, {recovered:.1f} s, {verdict}", file=sys.stderr)
        return point, killed, recovered, verdict


class Crash(unittest.TestCase):
    def test_a_killed_transaction_leaves_the_old_state_or_the_new_one(self):
        guard()  # here, since threads make the hosts
        with bootstrapped() as origin:
            change = Change()
            self.addCleanup(change.close)
            change.prepare(origin)
            base = origin.as_base()
            killers = [Killer(base)]
            self.addCleanup(lambda: [killer.close() for killer in killers])
            calls, killed, _, verdict = killers[0].run()
            self.assertEqual((killed, verdict), (False, "new"))
            killers.append(Killer(base, killers[0].change.new_look))
            chosen = Run(calls).sample(POINTS, random.Random(SEED))
            with concurrent.futures.ThreadPoolExecutor(len(killers)) as pool:
                halves = pool.map(lambda i: [killers[i].kill_at(point) for point in chosen[i::2]], range(2))
                results = [result for half in halves for result in half]
            damaged = [(point, found) for point, _, _, found in results if found not in ("old", "new")]
            self.assertEqual(damaged, [])
            # Programs take longer or shorter from run to run, so that a few points may not be reached.
            kills = [(seconds, found) for _, was_killed, seconds, found in results if was_killed]
            self.assertGreaterEqual(len(kills), POINTS * 3 // 4)
            verdicts = [found for _, found in kills]
            print(f"crash: {len(kills)} kills among {len(calls)} calls, seed {SEED}: {verdicts.count('old')} old, "
                  f"{verdicts.count('new')} new, slowest recovery {max(kills)[0]:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
