#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests under way are leases in Redis: one that outlives the renewal is renewed, one that ends gives its place back, and one of
a process that was killed ends by itself. Its own program, since a renewal takes a minute."""

import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from stack import CHAT, TOKEN, StackCase, answer  # noqa: E402

KEY = "sentinel:concurrent:ext_1"
LEASE = 180_000  # ms


class Leases(StackCase):
    def test_a_long_request_keeps_its_place_and_a_killed_one_only_for_its_time(self):
        more = threading.Event()
        self.addCleanup(more.set)

        def script(exchange):
            self.assertTrue(more.wait(150))
            try:
                exchange.send_json(answer())
            except OSError:
                pass  # the killed one's

        self.upstream.script = script
        redis = self.redis()
        proxy = self.proxy(redis, SENTINEL_MAX_CONCURRENT=2)
        killed = self.proxy(redis, SENTINEL_MAX_CONCURRENT=2)
        with proxy.client() as client, killed.client() as lost:
            client.socket.settimeout(150)
            client.request(body=CHAT, key=TOKEN)
            self.upstream.wait_for(1)
            (lease,) = redis.ask("ZRANGE", KEY, 0, -1)
            begun = int(redis.ask("ZSCORE", KEY, lease))
            lost.request(body=CHAT, key=TOKEN)
            self.upstream.wait_for(2)
            (dead,) = set(redis.ask("ZRANGE", KEY, 0, -1)) - {lease}
            died = int(redis.ask("ZSCORE", KEY, dead))
            killed.kill()
            proxy.until(lambda: int(redis.ask("ZSCORE", KEY, lease)) > begun, "the lease is renewed", seconds=90)
            self.assertLessEqual(abs(int(redis.ask("ZSCORE", KEY, lease)) - LEASE - time.time() * 1000), 5000)
            self.assertGreater(redis.ask("PTTL", KEY), LEASE - 5000)
            self.assertEqual(int(redis.ask("ZSCORE", KEY, dead)), died)
            self.assertEqual(self.ask(proxy).status, 429)  # both places are taken
            # As when its time is over: the place is free again.
            redis.ask("ZADD", KEY, int(time.time() * 1000) - 1, dead)
            more.set()
            self.assertEqual(self.ask(proxy).status, 200)
            self.assertEqual(client.answer().status, 200)
        proxy.until(lambda: redis.ask("ZCARD", KEY) == 0, "all places are given back")


if __name__ == "__main__":
    unittest.main()
