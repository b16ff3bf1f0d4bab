#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kept answers in a real Redis: shared by processes, in either form, ended by Redis itself, and never an error when it is in trouble."""

import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from stack import CHAT, TOKEN, StackCase  # noqa: E402

USAGE = {"prompt_tokens": 15, "completion_tokens": 25, "total_tokens": 40}


class SharedCache(StackCase):
    def setUp(self):
        super().setUp()
        self.upstream.script = self.answer
        self.size = 10

    def answer(self, exchange):
        choice = {"index": 0, "message": {"role": "assistant", "content": "x" * self.size}, "finish_reason": "stop"}
        exchange.send_json({"id": str(len(self.upstream.exchanges)), "object": "chat.completion", "choices": [choice], "usage": USAGE})

    def cached_proxy(self, redis):
        proxy = self.proxy(redis, SENTINEL_RESPONSE_CACHE="user", SENTINEL_WORKERS=1, SENTINEL_REDIS_TIMEOUT_SECONDS=0.3)
        proxy.until(lambda: proxy.metrics()["sentinel_redis_connections"] >= 4, "the connection for answers beside the others")
        return proxy

    def ask(self, proxy, **more):
        with proxy.client() as client:
            return client.ask(body={**CHAT, **more}, key=TOKEN)

    def keys(self, redis):
        return sorted(redis.ask("KEYS", "sentinel:response:*"))

    def until_kept(self, proxy, redis, count):
        proxy.until(lambda: len(self.keys(redis)) >= count, f"{count} answers in Redis")

    def test_what_one_process_was_answered_another_gives(self):
        redis = self.redis()
        first, second = self.cached_proxy(redis), self.cached_proxy(redis)
        made = self.ask(first)
        self.until_kept(first, redis, 1)
        found = self.ask(second)
        self.assertEqual((found.body, found.headers["x-cache"]), (made.body, "hit"))
        stream = self.ask(second, stream=True)
        self.assertEqual((stream.headers["x-cache"], stream.headers["content-type"]), ("hit", "text/event-stream"))
        events = [json.loads(line[6:]) for line in stream.body.decode().split("\n\n") if line.startswith("data: {")]
        self.assertEqual("".join(event["choices"][0]["delta"].get("content", "") for event in events), "x" * 10)
        self.assertEqual(len(self.upstream.exchanges), 1)
        (key,) = self.keys(redis)
        self.assertTrue(key.endswith(":whole"))
        self.assertTrue(0 < redis.ask("PTTL", key) <= 300_000)

    def test_large_answers_travel_and_very_large_ones_stay(self):
        redis = self.redis()
        first, second = self.cached_proxy(redis), self.cached_proxy(redis)
        self.size = 200 << 10
        made = [self.ask(first, seed=seed) for seed in range(3)]
        self.until_kept(first, redis, 3)
        self.assertEqual([self.ask(second, seed=seed).body for seed in range(3)], [answer.body for answer in made])
        self.size = 300 << 10
        self.assertEqual([self.ask(first, seed=9).headers["x-cache"] for _ in range(2)], ["miss", "hit"])
        self.assertEqual(self.ask(second, seed=9).headers["x-cache"], "miss")
        self.assertEqual(len(self.keys(redis)), 3)
        self.assertEqual(first.metrics()["sentinel_redis_timeouts"], 0)

    def test_redis_in_trouble_means_kept_in_process(self):
        def full(redis):
            redis.fill()

        def wrong(redis):
            for key in self.keys(redis):
                redis.ask("SET", key, "not an answer")

        def lists(redis):
            for key in self.keys(redis):
                redis.ask("DEL", key)
                redis.ask("LPUSH", key, "x")

        for trouble in (full, wrong, lists, lambda redis: redis.freeze(), lambda redis: redis.kill()):
            redis = self.redis()
            first, second = self.cached_proxy(redis), self.cached_proxy(redis)
            with self.subTest(trouble):
                self.ask(first)
                self.until_kept(first, redis, 1)
                trouble(redis)
                answers = [self.ask(proxy, seed=seed) for proxy in (second, first) for seed in (1, 1, 2)]
                self.assertEqual([answer.status for answer in answers], [200] * 6)
                self.assertEqual([answer.headers["x-cache"] for answer in answers[1:2] + answers[4:5]], ["hit", "hit"])
                self.assertEqual(self.ask(second).status, 200)


if __name__ == "__main__":
    unittest.main()
