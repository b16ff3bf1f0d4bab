#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What was used is billed once: batches, their failures, what keeps them while the account service is away, crashes and the
orderly end. The numbers are those of the acceptance cases."""

import json
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from stack import CHAT, TOKEN, StackCase, answer  # noqa: E402
from zion import profile  # noqa: E402

FAILED = "sentinel:usage:failed"
FAST = {"SENTINEL_USAGE_CIRCUIT_SECONDS": 1, "SENTINEL_USAGE_RETRY_SECONDS": 1, "SENTINEL_USAGE_FLUSH_SECONDS": 0.1,
        "SENTINEL_RATE_LIMIT": 100000}
ONE = [15, 25, 1]


class Usage(StackCase):
    def setUp(self):
        super().setUp()
        self.state = tempfile.TemporaryDirectory(prefix="sentinel-state-")
        self.addCleanup(self.state.cleanup)

    def booked(self, requests, model="gpt-4", email="test@test.com"):
        return self.zion.totals().get((email, model)) == [number * requests for number in ONE]

    def journals(self):
        return sorted(path.name for path in (Path(self.state.name) / "usage").glob("*.journal"))

    def test_case_15_one_item_within_two_seconds(self):
        proxy = self.proxy()
        begun = time.monotonic()
        self.assertEqual(self.ask(proxy).status, 200)
        proxy.until(lambda: self.booked(1), "the item arrives", seconds=2)
        self.assertLess(time.monotonic() - begun, 2)
        (key, items), = self.zion.batches
        self.assertTrue(key)
        self.assertRegex(items[0].pop("timestamp"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(items, [{"email": "test@test.com", "aiInputTokens": 15, "aiOutputTokens": 25, "aiRequests": 1, "model": "gpt-4"}])
        self.assertEqual(proxy.metrics()["sentinel_usage_success_total"], 1)

    def test_use_is_summed_by_user_and_model(self):
        proxy = self.proxy()
        self.zion.users["second"] = profile(email="second@test.com", externalId="ext_2")
        for token, model, count in ((TOKEN, "gpt-4", 3), (TOKEN, "gpt-4o", 2), ("second", "gpt-4", 1)):
            for _ in range(count):
                self.assertEqual(self.ask(proxy, token=token, body={**CHAT, "model": model}).status, 200)
        proxy.until(lambda: self.booked(3) and self.booked(2, "gpt-4o") and self.booked(1, email="second@test.com"), "all is booked")

    def test_case_46_three_failures_open_the_circuit_and_redis_keeps_it(self):
        redis = self.redis()
        proxy = self.proxy(redis, **{**FAST, "SENTINEL_USAGE_CIRCUIT_SECONDS": 5})
        self.zion.batch_status = 500
        for number in range(1, 4):
            self.assertEqual(self.ask(proxy).status, 200)
            proxy.until(lambda number=number: redis.ask("LLEN", FAILED) >= number and len(self.zion.batches) >= number, "kept")
        proxy.until(lambda: proxy.metrics()["sentinel_usage_circuit_state"] == 2, "the circuit opens")
        calls = len(self.zion.batches)
        self.assertEqual(self.ask(proxy).status, 200)
        proxy.until(lambda: redis.ask("LLEN", FAILED) == 4, "kept while the circuit is open, without a call")
        self.assertEqual(len(self.zion.batches), calls)
        entry = json.loads(redis.ask("LINDEX", FAILED, 0))
        self.assertEqual({name: entry[name] for name in ("email", "input_tokens", "output_tokens", "requests", "model")},
                         {"email": "test@test.com", "input_tokens": 15, "output_tokens": 25, "requests": 1, "model": "gpt-4"})
        self.zion.batch_status = None
        proxy.until(lambda: self.booked(4), "without new use it is tried again, and drained")
        proxy.until(lambda: redis.ask("LLEN", FAILED) == 0 and redis.ask("LLEN", "sentinel:usage:processing") == 0, "nothing stays")
        self.assertEqual(proxy.metrics()["sentinel_usage_circuit_state"], 0)

    def test_case_47_a_refused_row_without_limit_name_is_kept_alone(self):
        redis = self.redis()
        proxy = self.proxy(redis, **{**FAST, "SENTINEL_USAGE_FLUSH_SECONDS": 1, "SENTINEL_USAGE_RETRY_SECONDS": 3600})
        self.zion.refuse = {("test@test.com", "gpt-4o")}
        for model in ("gpt-4", "gpt-4o", "o1"):  # the same user: only order and model tell which row is meant
            self.assertEqual(self.ask(proxy, body={**CHAT, "model": model}).status, 200)
        kept = lambda: [json.loads(row)["model"] for row in redis.ask("LRANGE", FAILED, 0, -1)]  # noqa: E731
        proxy.until(lambda: kept() == ["gpt-4o"] and self.booked(1) and self.booked(1, "o1"), "the refused row alone is kept")
        self.assertNotIn(("test@test.com", "gpt-4o"), self.zion.totals())
        self.assertEqual(self.ask(proxy).status, 200)
        proxy.until(lambda: self.booked(2), "a later flush")
        tried = [item for _, items in self.zion.batches for item in items if item["model"] == "gpt-4o"]
        self.assertEqual(len(tried), 1, "what was kept waits for the next look")

    def test_a_row_that_is_refused_again_and_again_ends_among_the_dead(self):
        redis = self.redis()
        proxy = self.proxy(redis, **FAST)
        self.zion.refuse = {("test@test.com", "gpt-4o")}
        self.assertEqual(self.ask(proxy, body={**CHAT, "model": "gpt-4o"}).status, 200)
        proxy.until(lambda: redis.ask("LLEN", "sentinel:usage:dead") == 1, "dead letter", seconds=20)
        self.assertEqual(redis.ask("LLEN", FAILED), 0)
        self.assertEqual(len(self.zion.batches), 5)
        self.assertEqual(proxy.metrics()["sentinel_usage_dead_total"], 1)
        self.assertEqual(proxy.metrics()["sentinel_usage_circuit_state"], 0)

    def test_entries_of_other_versions_and_rubbish_in_the_list(self):
        redis = self.redis()
        old = {"email": "old@test.com", "input_tokens": 1, "output_tokens": 2, "requests": 3, "model": None, "timestamp": "2026-01-01T00:00:00.000Z"}
        redis.ask("RPUSH", FAILED, json.dumps(old), "not json", json.dumps({**old, "model": "m"}))
        proxy = self.proxy(redis, **FAST)
        proxy.until(lambda: self.zion.totals() == {("old@test.com", None): [1, 2, 3], ("old@test.com", "m"): [1, 2, 3]}, "all are billed")
        proxy.until(lambda: redis.ask("LRANGE", "sentinel:usage:dead", 0, -1) == ["not json"], "what can't be read is put aside")

    def test_what_a_dead_instance_had_taken_comes_back(self):
        redis = self.redis()
        entry = {"email": "a@b.c", "input_tokens": 1, "output_tokens": 0, "requests": 1, "model": "m", "timestamp": "t", "batch": "b-1"}
        redis.ask("RPUSH", "sentinel:usage:processing", json.dumps(entry))
        proxy = self.proxy(redis, **FAST)
        proxy.until(lambda: self.zion.totals() == {("a@b.c", "m"): [1, 0, 1]}, "it is billed")
        self.assertEqual(self.zion.batches[0][0], "b-1")

    def test_a_batch_that_was_kept_twice_is_billed_once(self):
        # Who dies after keeping a batch in Redis and before noting it in the journal leaves it in both; who adopts it may keep it again.
        redis = self.redis()
        rows = [{"email": "a@b.c", "input_tokens": 1, "output_tokens": 0, "requests": 1, "model": model, "timestamp": "t", "batch": "b-1"}
                for model in ("m", "n")]
        redis.ask("RPUSH", FAILED, *[json.dumps({**row, "attempts": attempts}) for attempts in (0, 1) for row in rows])
        proxy = self.proxy(redis, **FAST)
        proxy.until(lambda: redis.ask("LLEN", FAILED) == 0 and redis.ask("LLEN", "sentinel:usage:processing") == 0 and self.zion.booked, "it is billed")
        self.assertEqual(self.zion.totals(), {("a@b.c", "m"): [1, 0, 1], ("a@b.c", "n"): [1, 0, 1]})

    def test_an_answer_that_was_lost_does_not_bill_twice(self):
        for name, settings in (("journal", {"SENTINEL_STATE_DIRECTORY": self.state.name}), ("Redis", {"redis": self.redis()})):
            with self.subTest(name):
                self.zion.booked.clear()
                self.zion.batches.clear()
                self.zion.die_after_booking = 2
                proxy = self.proxy(**settings, **FAST)
                self.assertEqual(self.ask(proxy).status, 200)
                proxy.until(lambda: len(self.zion.batches) >= 3, "it is sent again", seconds=15)
                self.assertEqual(len({key for key, _ in self.zion.batches}), 1)
                self.assertTrue(self.booked(1))
                proxy.close()

    def test_case_48_sigterm_reports_what_is_left(self):
        proxy = self.proxy(SENTINEL_USAGE_FLUSH_SECONDS=3600, SENTINEL_STATE_DIRECTORY=self.state.name)
        for _ in range(3):
            self.assertEqual(self.ask(proxy).status, 200)
        self.assertEqual(self.zion.batches, [])
        proxy.close()
        self.assertTrue(self.booked(3))
        self.assertEqual(self.journals(), [])

    def test_sigterm_while_zion_is_away_keeps_it_for_the_next_process(self):
        for name, settings in (("journal", {"SENTINEL_STATE_DIRECTORY": self.state.name}), ("Redis", {"redis": self.redis()})):
            with self.subTest(name):
                self.zion.booked.clear()
                self.zion.batch_status = 503
                proxy = self.proxy(**settings, **FAST)
                for _ in range(3):
                    self.assertEqual(self.ask(proxy).status, 200)
                proxy.close()
                self.assertEqual(self.zion.booked, [])
                self.zion.batch_status = None
                proxy = self.proxy(**settings, **FAST)
                proxy.until(lambda: self.booked(3), "the next process reports it")
                proxy.close()

    def test_kill_9_loses_nothing_that_was_accepted(self):
        self.zion.batch_status = 503
        proxy = self.proxy(**FAST, SENTINEL_STATE_DIRECTORY=self.state.name)
        for count in range(1, 41):
            self.assertEqual(self.ask(proxy).status, 200)
        proxy.until(lambda: len([line for line in proxy.lines if '"event":"request"' in line]) == 40, "all are accounted")
        proxy.kill()
        self.assertEqual(len(self.journals()), 1)
        with (Path(self.state.name) / "usage" / self.journals()[0]).open("ab") as journal:
            journal.write(b"0123456789abcdef i {\"email\":\"torn")  # as a crash in the middle of a write leaves it
        self.zion.batch_status = None
        proxy = self.proxy(**FAST, SENTINEL_STATE_DIRECTORY=self.state.name)
        proxy.until(lambda: self.booked(40), "everything is billed, once")
        proxy.event("usage_journal_adopted", damaged=1)
        proxy.close()
        self.assertEqual(self.journals(), [])

    def test_two_processes_share_a_directory_and_bill_once(self):
        self.zion.batch_status = 503
        first = self.proxy(**FAST, SENTINEL_STATE_DIRECTORY=self.state.name)
        second = self.proxy(**FAST, SENTINEL_STATE_DIRECTORY=self.state.name)
        for proxy in (first, second):
            for _ in range(5):
                self.assertEqual(self.ask(proxy).status, 200)
        proxy.until(lambda: len([line for line in first.lines if '"event":"request"' in line]) == 5, "all are accounted")
        first.kill()
        self.zion.batch_status = None
        second.until(lambda: self.booked(10), "the living one adopts what the dead one left", seconds=15)
        proxy.until(lambda: len(self.journals()) == 1, "and removes it")

    def test_load_with_trouble_is_billed_exactly(self):
        proxy = self.proxy(**FAST, SENTINEL_STATE_DIRECTORY=self.state.name)
        stop = threading.Event()

        def trouble():
            for status in (500, None, 429, None, 503, None) * 10:
                if stop.is_set():
                    break
                self.zion.batch_status = status
                stop.wait(0.15)
            self.zion.batch_status = None

        troubles = threading.Thread(target=trouble)
        troubles.start()
        with proxy.client() as client:
            for number in range(300):
                got = client.ask(body={**CHAT, "model": f"model-{number % 7}"}, key=TOKEN)
                self.assertEqual(got.status, 200)
        stop.set()
        troubles.join()
        proxy.until(lambda: sum(total[2] for total in self.zion.totals().values()) == 300, "all are billed", seconds=20)
        proxy.close()
        self.assertEqual([sum(total[place] for total in self.zion.totals().values()) for place in range(3)], [4500, 7500, 300])


class TheScriptedZion(StackCase):
    """The fake's own promises."""

    def test_a_key_is_booked_once_and_answered_the_same(self):
        zion = self.zion
        zion.refuse = {("a", "m")}
        items = [{"email": "a", "model": "m", "aiRequests": 1}, {"email": "b", "aiRequests": 2}]
        answers = [self.post(items, "key") for _ in range(2)]
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(answers[0]["data"]["failed"], 1)
        self.assertNotIn("limitName", answers[0]["data"]["results"][0])
        self.assertEqual(zion.totals(), {("b", None): [0, 0, 2]})
        self.post(items, "another key")
        self.assertEqual(zion.totals(), {("b", None): [0, 0, 4]})

    def post(self, items, key):
        import http.client
        connection = http.client.HTTPConnection("127.0.0.1", self.zion.server.port, timeout=10)
        connection.request("POST", "/api/v1/usage/external/batch-increment", json.dumps({"increments": items}),
                           {"x-api-key": "zion-api-key-that-nobody-may-see", "Idempotency-Key": key})
        got = json.loads(connection.getresponse().read())
        connection.close()
        return got


if __name__ == "__main__":
    unittest.main()
