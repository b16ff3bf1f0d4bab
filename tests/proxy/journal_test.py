#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The journal of use: kill -9 at any instant under load, its growth, when it is forced to the disk, and Redis in every kind of
trouble while the account service is away. A campaign kills more often."""

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from stack import CHAT, TOKEN, StackCase  # noqa: E402

SEED = int(os.environ.get("SENTINEL_SEED", "20261126"))
KILLS = 100 if os.environ.get("SENTINEL_CAMPAIGN") else 6
FAST = {"SENTINEL_USAGE_CIRCUIT_SECONDS": 0.2, "SENTINEL_USAGE_RETRY_SECONDS": 0.2, "SENTINEL_USAGE_FLUSH_SECONDS": 0.05,
        "SENTINEL_RATE_LIMIT": 10_000_000}
FAILED = "sentinel:usage:failed"


class JournalCase(StackCase):
    def setUp(self):
        super().setUp()
        state = tempfile.TemporaryDirectory(prefix="sentinel-state-")
        self.addCleanup(state.cleanup)
        self.state = Path(state.name)

    def journals(self):
        return sorted((self.state / "usage").glob("*.journal"))

    def billed(self):
        """model -> requests"""
        return {model: total[2] for (_, model), total in self.zion.totals().items()}


class Kill(JournalCase):
    """Every request has a model of its own, so each can be told from the others in what is billed."""

    def use(self, proxy, mark, answered, begun, killed):
        number = 0
        try:
            with proxy.client() as client:
                while not killed.is_set():
                    model = f"{mark}-{number}"
                    number += 1
                    begun.append(model)
                    got = client.ask(body={**CHAT, "model": model}, key=TOKEN)
                    self.assertEqual(got.status, 200)
                    answered.append(model)
        except (OSError, EOFError):
            pass  # it was killed

    def check(self, **stack):
        choice = random.Random(SEED)
        answered, begun = [], []
        for kill in range(KILLS):
            proxy = self.proxy(SENTINEL_STATE_DIRECTORY=self.state, **stack, **FAST)
            killed = threading.Event()
            users = [threading.Thread(target=self.use, args=(proxy, f"m{kill}-{user}", answered, begun, killed)) for user in range(3)]
            self.zion.batch_status = choice.choice((None, None, 503, 429))
            self.zion.die_after_booking = choice.choice((0, 0, 1))
            before = len(answered)
            for user in users:
                user.start()
            proxy.until(lambda before=before: len(answered) > before, "the first answer")
            threading.Event().wait(choice.uniform(0, 0.3))  # the instant
            proxy.kill()
            killed.set()
            for user in users:
                user.join()
        self.zion.batch_status = None
        self.zion.die_after_booking = 0
        proxy = self.proxy(SENTINEL_STATE_DIRECTORY=self.state, **stack, **FAST)
        # The cheap question first: who asks both all the time takes the core that the proxy needs.
        proxy.until(lambda: len(self.zion.booked) >= len(answered) and set(answered) <= set(self.billed()), "all that was answered is billed",
                    seconds=60 + 2 * KILLS)
        proxy.until(lambda: len(self.journals()) == 1, "the dead ones' journals are gone")
        proxy.close()
        self.assertEqual({model: count for model, count in self.billed().items() if count != 1}, {})
        self.assertEqual(set(self.billed()) - set(begun), set())
        self.assertEqual(self.journals(), [])
        print(f"seed {SEED}: {KILLS} kills, {len(answered)} answers, {len(self.billed())} billed, each once")

    def test_kill_9_at_any_instant(self):
        self.check()

    def test_kill_9_at_any_instant_with_redis(self):
        redis = self.redis()
        self.check(redis=redis)
        self.assertEqual(redis.ask("LLEN", FAILED) + redis.ask("LLEN", "sentinel:usage:processing"), 0)


class Growth(JournalCase):
    def test_a_journal_is_written_anew_at_four_mebibytes_and_says_the_same(self):
        self.zion.batch_status = 503
        proxy = self.proxy(SENTINEL_STATE_DIRECTORY=self.state, **FAST)
        model = "m" * 8000  # a record each
        count = 700
        sizes = []
        with proxy.client() as client:
            for _ in range(count):
                self.assertEqual(client.ask(body={**CHAT, "model": model}, key=TOKEN).status, 200)
                sizes.append(self.journals()[0].stat().st_size)
        proxy.until(lambda: self.journals()[0].stat().st_size < 4 << 20, "it is written anew")
        self.assertGreater(count * len(model), 4 << 20)
        self.assertLess(max(sizes), 6 << 20)
        proxy.kill()
        self.zion.batch_status = None
        proxy = self.proxy(SENTINEL_STATE_DIRECTORY=self.state, **FAST)
        proxy.until(lambda: self.billed() == {model: count}, "all is billed")


class Sync(JournalCase):
    def traced(self, proxy, names, work):
        """(thread, call) of what the process asks of the kernel by these names while `work` is done, in their order."""
        trace = self.state / "trace"
        tracer = subprocess.Popen(["strace", "-f", "-y", "-s", "40", "-e", f"trace={names}", "-o", trace, "-p", str(proxy.process.pid)],
                                  stderr=subprocess.PIPE, text=True)
        self.assertIn("attached", tracer.stderr.readline())
        work()
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=20)
        return [line.split(None, 1) for line in trace.read_text().splitlines()]

    def calls(self, sync):
        """What one request's thread asked of the kernel: write of the journal, sync, answer, in their order."""
        proxy = self.proxy(SENTINEL_STATE_DIRECTORY=self.state, SENTINEL_USAGE_FSYNC=sync, SENTINEL_USAGE_FLUSH_SECONDS=3600)
        self.assertEqual(self.ask(proxy).status, 200)
        calls = []
        for thread, call in self.traced(proxy, "write,fdatasync,sendmsg,sendto,writev", lambda: self.assertEqual(self.ask(proxy).status, 200)):
            kind = ("journal" if re.match(r'write\(\d+<[^"]*"[0-9a-f]{16} i ', call) else "sync" if call.startswith("fdatasync(")
                    else "answer" if "HTTP/1.1 200" in call and call.startswith(("send", "write")) else None)
            if kind:
                calls.append((thread, kind))
        # The scripted upstream and account service are other processes: an answer is always one to the client.
        (worker,) = {thread for thread, kind in calls if kind == "journal"}
        return [kind for thread, kind in calls if thread == worker]

    def test_what_replaces_a_journal_is_on_the_disk_before_it_takes_its_place(self):
        self.zion.batch_status = 503
        proxy = self.proxy(SENTINEL_STATE_DIRECTORY=self.state, **FAST)
        size = lambda: self.journals()[0].stat().st_size  # noqa: E731

        def ask_while(condition):
            with proxy.client() as client:
                while condition():
                    self.assertEqual(client.ask(body={**CHAT, "model": "m" * 8000}, key=TOKEN).status, 200)

        ask_while(lambda: size() < 7 << 19)
        full = size()
        calls = [call for _, call in self.traced(proxy, "fdatasync,fsync,rename", lambda: ask_while(lambda: size() >= full))]
        renamed = next(at for at, call in enumerate(calls) if call.startswith("rename("))
        self.assertTrue(any(re.match(r"fdatasync\(\d+<[^>]*\.journal\.new>\) += 0", call) for call in calls[:renamed]), calls)
        self.assertTrue(any(re.match(r"fsync\(\d+<[^>]*/usage>\) += 0", call) for call in calls[renamed:]), calls)

    def test_always_is_on_the_disk_before_the_answer(self):
        self.assertEqual(self.calls("always"), ["journal", "sync", "answer"])

    def test_never_and_soon_do_not_wait_for_the_disk(self):
        for sync in ("never", "soon"):
            self.assertEqual(self.calls(sync), ["journal", "answer"])


class Backlog(JournalCase):
    def test_redis_in_trouble_leaves_it_to_the_journal(self):
        for name, spoil in (("frozen", lambda redis: redis.freeze()), ("full", lambda redis: redis.fill()),
                            ("wrong type", lambda redis: redis.ask("SET", FAILED, "x")), ("killed", lambda redis: redis.kill())):
            with self.subTest(name):
                self.zion.booked.clear()
                redis = self.redis()
                proxy = self.proxy(redis, SENTINEL_STATE_DIRECTORY=self.state, **FAST)
                spoil(redis)
                self.zion.batch_status = 503
                calls = len(self.zion.batches)
                for _ in range(3):
                    self.assertEqual(self.ask(proxy).status, 200)
                proxy.until(lambda calls=calls: len(self.zion.batches) > calls, "it was tried")
                self.zion.batch_status = None
                proxy.until(lambda: self.billed() == {"gpt-4": 3}, "it is billed", seconds=20)
                redis.thaw()
                proxy.close()
                self.assertEqual(self.billed(), {"gpt-4": 3})
                self.assertEqual(self.journals(), [])

    def test_a_holder_and_a_list_aside_of_wrong_types_harm_nothing(self):
        for key in ("sentinel:usage:holder", "sentinel:usage:processing", "sentinel:usage:dead"):
            with self.subTest(key):
                self.zion.booked.clear()
                redis = self.redis()
                redis.ask("HSET", key, "a", "b")
                proxy = self.proxy(redis, **FAST)
                for _ in range(2):
                    self.assertEqual(self.ask(proxy).status, 200)
                proxy.until(lambda: self.billed() == {"gpt-4": 2}, "new use is billed")


if __name__ == "__main__":
    unittest.main()
