#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real program under everything at once, to be run on a build with a sanitizer as well: two workers, streams, whole answers
and kept ones, clients that leave, Redis that goes and comes, use that is reported, reloads, hold and accept, and a drain under
load. What a sanitizer finds stands in the program's output and in its exit code. A campaign does it longer."""

import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from stack import TOKEN, StackCase, answer  # noqa: E402

SEED = int(os.environ.get("SENTINEL_SEED", "20261126"))
ROUNDS, CLIENTS = (40, 12) if os.environ.get("SENTINEL_CAMPAIGN") else (4, 6)
EVENTS = [f'data: {{"choices":[{{"index":0,"delta":{{"content":"word{i} "}}}}]}}\n\n'.encode() for i in range(8)]
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}\n\n'
DONE = b"data: [DONE]\n\n"


def script(exchange):
    if exchange.json().get("stream"):
        exchange.stream([*EVENTS, USAGE, DONE])
    else:
        exchange.send_json(answer())


class Load(StackCase):
    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory(prefix="sentinel-load-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.upstream.script = script
        self.failures = []
        self.going = True
        self.answers = 0

    def start(self, redis):
        self.config = self.directory / "config.yaml"
        self.config.write_text("SENTINEL_MODELS: ['*']\n")
        return self.proxy(redis, SENTINEL_RATE_LIMIT=10_000_000, SENTINEL_TOKENS_PER_MINUTE=1_000_000_000, SENTINEL_MAX_CONCURRENT=1000,
                          SENTINEL_QUOTA="true", SENTINEL_RESPONSE_CACHE="user", JWT_CACHE_TTL_SECONDS=1, CACHE_TTL_SECONDS=1,
                          SENTINEL_STATE_DIRECTORY=self.directory / "state", SENTINEL_USAGE_FLUSH_SECONDS=0.05,
                          SENTINEL_USAGE_RETRY_SECONDS=0.2, SENTINEL_USAGE_CIRCUIT_SECONDS=0.2,
                          SENTINEL_ADMIN_SOCKET=self.directory / "admin.sock", SENTINEL_REDIS_TIMEOUT_SECONDS=0.2)

    def use(self, proxy, number):
        """One client: whole answers, kept ones, streams, and streams it doesn't wait for the end of."""
        choice = random.Random(f"{SEED} {number}")
        while self.going:
            try:
                self.one_connection(proxy, choice)
            except OSError as failure:
                if self.going:
                    self.failures.append(repr(failure))
            except EOFError as failure:
                if self.going:
                    self.failures.append(repr(failure))

    def one_connection(self, proxy, choice):
        with proxy.client() as client:
            for _ in range(choice.randrange(1, 20)):
                kind = choice.choice(("whole", "kept", "stream", "leave"))
                text = "same" if kind == "kept" else str(choice.random())
                body = {"model": f"model-{choice.randrange(5)}", "messages": [{"role": "user", "content": text}], "temperature": 0}
                client.request(body={**body, "stream": kind in ("stream", "leave")}, key=TOKEN)
                if kind == "leave":
                    client.read_head()
                    return
                got = client.answer()
                if got.status != 200 or (kind == "stream" and got.body != b"".join(EVENTS) + DONE):
                    self.failures.append(f"{kind}: {got.status} {got.body[:300]}")
                self.answers += 1
                if got.headers.get("connection") == "close":
                    return

    def round(self, proxy, redis, number):
        """Something of each kind happens to the process meanwhile."""
        self.config.write_text(f"SENTINEL_MODELS: ['*']\nSENTINEL_RATE_LIMIT: {1_000_000 + number}\n")
        seen = len(proxy.lines)
        proxy.process.send_signal(signal.SIGHUP)
        proxy.event("reloaded", after=seen, seconds=30)
        proxy.metrics()
        self.zion.batch_status = 503
        redis.kill()
        self.some_answers(proxy, 50)
        redis.start()
        self.zion.batch_status = None
        self.all_connected(proxy)
        with proxy.at(self.directory / "admin.sock") as admin:
            admin.ask("POST", "/admin/hold", key=None)
            self.assertEqual(admin.ask("POST", "/admin/accept", key=None).status, 200)
        self.some_answers(proxy, 50)

    def some_answers(self, proxy, count):
        wanted = self.answers + count
        proxy.until(lambda: self.answers >= wanted or self.failures, "answers", seconds=60)

    def test_everything_at_once(self):
        redis = self.redis()
        proxy = self.start(redis)
        clients = [threading.Thread(target=self.use, args=(proxy, number)) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            for number in range(ROUNDS):
                self.round(proxy, redis, number)
        finally:
            # The end comes under load: what is refused from then on is no failure.
            self.going = False
            proxy.terminate()
            for client in clients:
                client.join()
        proxy.close()
        self.assertEqual(self.failures, [])
        reports = [line for line in proxy.lines if not line.startswith("{")]
        self.assertEqual(reports, [])
        for line in proxy.lines:
            json.loads(line)
        print(f"seed {SEED}: {self.answers} answers in {ROUNDS} rounds")


if __name__ == "__main__":
    unittest.main()
