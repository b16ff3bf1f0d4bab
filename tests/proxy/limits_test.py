#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much a user may: requests per minute with their exact arithmetic, tokens, budgets, requests at once, and quotas; in Redis
and, when Redis is killed, frozen, full or full of wrong types, in process. The numbers are those of the acceptance cases."""

import concurrent.futures
import hashlib
import signal
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from stack import CHAT, TOKEN, StackCase, answer  # noqa: E402
from zion import profile  # noqa: E402

HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


def in_one_minute(seconds=20):
    """Waits, if need be, until so much of the minute is left: a test's requests must not be counted in two."""
    left = 60 - time.time() % 60
    if left < seconds:
        threading.Event().wait(left + 0.05)
    return int(time.time() // 60)


class Requests(StackCase):
    def window_key(self, user="ext_1", back=0):
        return f"sentinel:ratelimit:ai:{user}:{int(time.time() // 60) - back}"

    def test_case_9_the_first_call(self):
        proxy = self.proxy(self.redis())
        minute = in_one_minute()
        got = self.ask(proxy)
        self.assertEqual([got.headers[name] for name in HEADERS], ["100", "99", str(60 * (minute + 1))])

    def case_10(self, proxy):
        in_one_minute()
        with proxy.client() as client:
            for number in range(1, 101):
                got = client.ask(body=CHAT, key=TOKEN)
                self.assertEqual((got.status, got.headers["x-ratelimit-remaining"]), (200, str(100 - number)))
            got = client.ask(body=CHAT, key=TOKEN)
        self.assertEqual((got.status, got.headers["x-ratelimit-remaining"]), (429, "0"))
        error = got.json()["error"]
        self.assertEqual((error["code"], error["message"]), ("RATE_LIMIT_EXCEEDED", "Too many requests. Please slow down."))
        self.assertEqual((error["details"]["limit"], error["details"]["used"], error["details"]["remaining"]), (100, 101, 0))
        self.assertRegex(error["details"]["reset_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:00\+00:00$")
        self.assertGreaterEqual(int(got.headers["retry-after"]), 1)
        for name in HEADERS:
            self.assertIn(name, got.headers)

    def test_case_10_the_hundred_and_first_call(self):
        with self.subTest("Redis"):
            self.case_10(self.proxy(self.redis()))
        with self.subTest("in process"):
            self.case_10(self.proxy())

    def test_case_11_preset_keys(self):
        redis = self.redis()
        proxy = self.proxy(redis)
        self.ask(proxy)  # so that the token is known, and a row costs no more than its own request
        # (previous, current after this request): the rows of the table whose verdict no second of the minute changes, and the
        # others computed for the second in which the answer says it was made.
        for previous, current in ((80, 21), (100, 1), (100, 99), (100, 100), (50, 75), (50, 76), (1, 1), (5, 1), (0, 100), (0, 101)):
            minute = in_one_minute(5)
            redis.ask("SET", self.window_key(back=1), previous)
            redis.ask("SET", self.window_key(), current - 1)
            before = int(time.time())
            got = self.ask(proxy)
            after = int(time.time())
            totals = [current + int(previous * (1.0 - (now - 60 * minute) / 60.0)) for now in range(before, after + 1)]
            seen = (got.status, int(got.headers["x-ratelimit-remaining"]))
            expected = [(200 if total <= 100 else 429, max(0, 100 - total)) for total in totals]
            self.assertIn(seen, expected, (previous, current))

    def test_case_12_users_have_budgets_of_their_own(self):
        proxy = self.proxy(self.redis(), SENTINEL_RATE_LIMIT=3)
        in_one_minute()
        for number in range(11):
            self.zion.users[f"token-{number}"] = profile(externalId=f"ext-{number}")
        for number in range(11):
            got = [self.ask(proxy, token=f"token-{number}").status for _ in range(4)]
            self.assertEqual(got, [200, 200, 200, 429])

    def test_case_13_the_keys_end_and_each_hit_puts_it_off(self):
        redis = self.redis()
        proxy = self.proxy(redis)
        in_one_minute()
        self.ask(proxy)
        key = self.window_key()
        self.assertTrue(1 <= redis.ask("TTL", key) <= 120)
        redis.ask("EXPIRE", key, 10)
        self.ask(proxy)
        self.assertTrue(110 <= redis.ask("TTL", key) <= 120)

    def test_case_14_everything_shares_one_budget(self):
        proxy = self.proxy(self.redis())
        in_one_minute()
        remaining = [self.ask(proxy, body={**CHAT, "model": model}).headers["x-ratelimit-remaining"] for model in ("gpt-4", "gpt-4o")]
        remaining.append(self.ask(proxy, method="GET", path="/v1/chat/completions").headers.get("x-ratelimit-remaining"))
        remaining.append(self.ask(proxy).headers["x-ratelimit-remaining"])
        self.assertEqual(remaining[:2] + remaining[3:], ["99", "98", "96"])

    def test_redis_killed_counts_on_in_process(self):
        redis = self.redis()
        proxy = self.proxy(redis, SENTINEL_RATE_LIMIT=5)
        in_one_minute()
        got = [self.ask(proxy).status for _ in range(3)]
        redis.kill()
        got += [self.ask(proxy).status for _ in range(3)]
        self.assertEqual(got, [200] * 5 + [429])
        redis.start()
        self.all_connected(proxy)
        self.ask(proxy)
        self.assertIsNotNone(redis.ask("GET", self.window_key()))

    def test_redis_frozen_costs_nothing_after_the_first_requests(self):
        redis = self.redis()
        proxy = self.proxy(redis, SENTINEL_WORKERS=1, SENTINEL_RATE_LIMIT=1000)
        with proxy.client() as client:
            self.assertEqual(client.ask(body=CHAT, key=TOKEN).status, 200)
            redis.freeze()
            for _ in range(5):
                self.assertEqual(client.ask(body=CHAT, key=TOKEN).status, 200)
            timeouts = proxy.metrics()["sentinel_redis_timeouts"]
            for _ in range(50):
                self.assertEqual(client.ask(body=CHAT, key=TOKEN).status, 200)
            # Nobody has waited for a deadline.
            self.assertEqual(proxy.metrics()["sentinel_redis_timeouts"], timeouts)
            redis.thaw()
            self.all_connected(proxy, workers=1)

    def test_redis_full_and_wrong_types_are_counted_in_process(self):
        for name, spoil in (("full", lambda redis: redis.fill()),
                            ("wrong type", lambda redis: redis.ask("RPUSH", self.window_key(), "x")),
                            ("no number", lambda redis: redis.ask("SET", self.window_key(), "x"))):
            with self.subTest(name):
                redis = self.redis()
                proxy = self.proxy(redis, SENTINEL_RATE_LIMIT=3)
                in_one_minute()
                spoil(redis)
                self.assertEqual([self.ask(proxy).status for _ in range(4)], [200, 200, 200, 429])

    def test_a_wrong_type_in_the_window_before_counts_as_nothing(self):
        redis = self.redis()
        proxy = self.proxy(redis)
        in_one_minute()
        redis.ask("RPUSH", self.window_key(back=1), "x")
        self.assertEqual(self.ask(proxy).headers["x-ratelimit-remaining"], "99")
        self.assertEqual(redis.ask("GET", self.window_key()), "1")

    def test_case_43_health_tells_of_redis_and_being_ready_does_not_need_it(self):
        redis = self.redis()
        proxy = self.proxy(redis)
        whole = lambda: self.ask(proxy, method="GET", path="/health")  # noqa: E731
        got = whole()
        self.assertEqual((got.status, got.json()["status"], got.json()["checks"]["redis"]["status"]), (200, "healthy", "healthy"))
        for name, spoil, mend, said in (("killed", redis.kill, redis.start, ("not connected", "no answer")),
                                        ("frozen", redis.freeze, redis.thaw, ("no answer", "not connected"))):
            with self.subTest(name):
                spoil()
                proxy.until(lambda: whole().status == 503, "it is told")
                got = whole().json()
                self.assertEqual((got["status"], got["checks"]["redis"]["status"]), ("unhealthy", "unhealthy"))
                self.assertIn(got["checks"]["redis"]["error"], said)
                for path in ("/health/ready", "/health/live"):
                    self.assertEqual(self.ask(proxy, method="GET", path=path).status, 200)
                self.assertEqual(self.ask(proxy).status, 200)
                mend()
                self.all_connected(proxy)
                proxy.until(lambda: whole().status == 200, "it is well again")

    def test_being_ready_needs_redis_when_told_so(self):
        redis = self.redis()
        proxy = self.proxy(redis, SENTINEL_READY_NEEDS_REDIS="true")
        ready = lambda: self.ask(proxy, method="GET", path="/health/ready")  # noqa: E731
        for spoil, mend in ((redis.kill, redis.start), (redis.freeze, redis.thaw)):
            self.assertEqual((ready().status, ready().body), (200, b'{"status":"healthy"}'))
            spoil()
            proxy.until(lambda: ready().status == 503, "not ready without it")
            self.assertEqual(ready().body, b'{"status":"unhealthy"}')
            self.assertEqual(self.ask(proxy, method="GET", path="/health/live").status, 200)
            self.assertEqual(self.ask(proxy).status, 200)
            mend()
            self.all_connected(proxy)
            proxy.until(lambda: ready().status == 200, "ready again")

    def test_a_reload_changes_the_limit_and_keeps_the_count(self):
        directory = tempfile.TemporaryDirectory(prefix="sentinel-limits-")
        self.addCleanup(directory.cleanup)
        config = Path(directory.name) / "config.yaml"
        for name, redis in (("Redis", self.redis()), ("in process", None)):
            with self.subTest(name):
                config.write_text("SENTINEL_RATE_LIMIT: 5\n")
                proxy = self.proxy(redis, config=config)
                in_one_minute()
                self.assertEqual([self.ask(proxy).status for _ in range(6)], [200] * 5 + [429])
                config.write_text("SENTINEL_RATE_LIMIT: 8\n")
                proxy.process.send_signal(signal.SIGHUP)
                proxy.event("reloaded")
                # Each worker takes it over by itself. What was refused has been counted too.
                got = [self.ask(proxy) for _ in range(3)]
                self.assertEqual([answer.status for answer in got], [200, 200, 429])
                self.assertEqual([(answer.headers["x-ratelimit-limit"], answer.headers["x-ratelimit-remaining"]) for answer in got],
                                 [("8", "1"), ("8", "0"), ("8", "0")])

    def test_a_password_and_a_database_are_used(self):
        redis = self.redis("--requirepass", "p@ss")
        proxy = self.proxy(REDIS_URL=f"redis://:p%40ss@127.0.0.1:{redis.port}/2")
        self.all_connected(proxy)
        self.assertEqual(self.ask(proxy).status, 200)
        self.assertNotIn("p@ss", "".join(proxy.lines))


class Tokens(StackCase):
    """Each user's tokens: reserved before the call, set right after it."""

    def kinds(self):
        yield "in process", None
        yield "Redis", self.redis()

    def test_tokens_per_minute(self):
        for name, redis in self.kinds():
            with self.subTest(name):
                proxy = self.proxy(redis, SENTINEL_TOKENS_PER_MINUTE=100)
                in_one_minute()
                body = {**CHAT, "max_tokens": 80}  # reserves 80 and a little, uses 40
                self.assertEqual(self.ask(proxy, body=body).status, 200)
                # 40 are used: another 80 don't fit, 50 do.
                got = self.ask(proxy, body=body)
                error = got.json()["error"]
                self.assertEqual((got.status, error["code"], error["details"]["limit"]), (429, "RATE_LIMIT_EXCEEDED", 100))
                self.assertEqual(error["details"]["used"], 40)
                self.assertGreaterEqual(int(got.headers["retry-after"]), 1)
                self.assertEqual(self.ask(proxy, body={**CHAT, "max_tokens": 45}).status, 200)

    def test_five_at_once_cannot_pass_what_one_after_the_other_would_not(self):
        for name, redis in self.kinds():
            with self.subTest(name):
                more = threading.Event()

                def script(exchange, more=more):
                    self.assertTrue(more.wait(20))
                    exchange.send_json(answer())

                self.upstream.script = script
                proxy = self.proxy(redis, SENTINEL_TOKENS_PER_MINUTE=100)
                in_one_minute()
                with concurrent.futures.ThreadPoolExecutor(5) as pool:
                    waiting = [pool.submit(self.ask, proxy, body={**CHAT, "max_tokens": 60}) for _ in range(5)]
                    done, _ = concurrent.futures.wait(waiting, timeout=20, return_when=concurrent.futures.FIRST_COMPLETED)
                    proxy.until(lambda waiting=waiting: sum(each.done() for each in waiting) == 4, "four are refused")
                    more.set()
                    self.assertEqual(sorted(each.result().status for each in waiting), [200, 429, 429, 429, 429])

    def test_a_budget_for_the_day(self):
        for name, redis in self.kinds():
            with self.subTest(name):
                proxy = self.proxy(redis, SENTINEL_TOKEN_BUDGET=100, SENTINEL_TOKEN_BUDGET_PERIOD="day")
                body = {**CHAT, "max_tokens": 50}
                self.assertEqual([self.ask(proxy, body=body).status for _ in range(2)], [200, 200])
                got = self.ask(proxy, body=body)
                error = got.json()["error"]
                self.assertEqual((got.status, error["code"], error["details"]["used"]), (429, "QUOTA_EXCEEDED", 80))

    def test_what_failed_upstream_is_given_back(self):
        for name, redis in self.kinds():
            with self.subTest(name):
                proxy = self.proxy(redis, SENTINEL_TOKEN_BUDGET=100, SENTINEL_PASSTHROUGH_ERRORS="false")
                self.upstream.script = lambda exchange: exchange.send_json({"error": {}}, status=500)
                body = {**CHAT, "max_tokens": 80}
                self.assertEqual([self.ask(proxy, body=body).status for _ in range(3)], [502, 502, 502])
                self.upstream.script = lambda exchange: exchange.send_json(answer())
                self.assertEqual(self.ask(proxy, body=body).status, 200)

    def test_requests_at_once(self):
        for name, redis in self.kinds():
            with self.subTest(name):
                more = threading.Event()

                def script(exchange, more=more):
                    self.assertTrue(more.wait(20))
                    exchange.send_json(answer())

                self.upstream.script = script
                proxy = self.proxy(redis, SENTINEL_MAX_CONCURRENT=2)
                seen = len(self.upstream.exchanges)
                with proxy.client() as one, proxy.client() as two:
                    for client in (one, two):
                        client.request(body=CHAT, key=TOKEN)
                    self.upstream.wait_for(seen + 2)
                    got = self.ask(proxy)
                    self.assertEqual((got.status, got.json()["error"]["message"]), (429, "Too many requests at once."))
                    more.set()
                    self.assertEqual([one.answer().status, two.answer().status], [200, 200])
                self.assertEqual(self.ask(proxy).status, 200)

    def test_redis_in_trouble_counts_tokens_in_process(self):
        for name, spoil in (("killed", lambda redis: redis.kill()), ("frozen", lambda redis: redis.freeze()),
                            ("full", lambda redis: redis.fill()),
                            ("wrong type", lambda redis: redis.ask("RPUSH", f"sentinel:ratelimit:tokens:ext_1:{int(time.time() // 60)}", 1))):
            with self.subTest(name):
                redis = self.redis()
                proxy = self.proxy(redis, SENTINEL_TOKENS_PER_MINUTE=100)
                in_one_minute()
                spoil(redis)
                body = {**CHAT, "max_tokens": 80}
                self.assertEqual([self.ask(proxy, body=body).status for _ in range(2)], [200, 429])
                redis.thaw()


class WrongTypes(StackCase):
    """Every key that a request may touch holds what nobody put there: nobody notices, and limits hold in process."""

    def test_requests_at_once_budget_profile_and_quota(self):
        redis = self.redis()
        proxy = self.proxy(redis, SENTINEL_MAX_CONCURRENT=1, SENTINEL_TOKEN_BUDGET=200, SENTINEL_TOKEN_BUDGET_PERIOD="day", SENTINEL_QUOTA="true")
        self.zion.limits["ext_1"] = Quota.limit(0, 10_000)
        profile_key = "sentinel:profile:" + hashlib.sha256(TOKEN.encode()).hexdigest()
        keys = ["sentinel:concurrent:ext_1", "sentinel:limits:ext_1", profile_key, f"sentinel:budget:ext_1:{time.strftime('%Y-%m-%d', time.gmtime())}"]
        for key in keys:
            redis.ask("RPUSH", key, "x")
        more = threading.Event()
        self.addCleanup(more.set)

        def script(exchange):
            self.assertTrue(more.wait(20))
            exchange.send_json(answer())

        self.upstream.script = script
        body = {**CHAT, "max_tokens": 90}
        with proxy.client() as client:
            client.request(body=body, key=TOKEN)
            self.upstream.wait_for(1)
            self.assertEqual(self.ask(proxy, body=body).json()["error"]["message"], "Too many requests at once.")
            more.set()
            self.assertEqual(client.answer().status, 200)
        got = [self.ask(proxy, body=body) for _ in range(4)]  # 40 of 200 are used by each
        self.assertEqual([one.status for one in got], [200, 200, 429, 429])
        self.assertEqual({one.json()["error"]["code"] for one in got[2:]}, {"QUOTA_EXCEEDED"})
        redis.freeze()
        self.assertEqual(self.ask(proxy, body=body).status, 429)


class Quota(StackCase):
    @staticmethod
    def limit(used, limit=100):
        numbers = {"limit": limit, "used": used, "remaining": limit - used}
        return [{"name": "ai_usage", "displayName": "AI", "aiInputTokens": numbers, "aiOutputTokens": {**numbers, "used": 0},
                 "aiRequests": {"limit": 1000, "used": 0, "remaining": 1000}, "resetPeriod": "MONTHLY"}]

    def test_an_exhausted_quota_is_refused_before_the_call(self):
        redis = self.redis()
        proxy = self.proxy(redis, SENTINEL_QUOTA="true")
        self.zion.limits["ext_1"] = self.limit(100)
        got = self.ask(proxy)
        self.assertEqual((got.status, got.json()["error"]["code"]), (429, "QUOTA_EXCEEDED"))
        self.assertEqual(got.json()["error"]["details"], {"limit": 100, "used": 100})
        self.assertEqual(self.upstream.exchanges, [])
        self.assertTrue(1 <= redis.ask("TTL", "sentinel:limits:ext_1") <= 300)

    def test_use_counts_on_between_two_looks(self):
        proxy = self.proxy(SENTINEL_QUOTA="true")
        self.zion.limits["ext_1"] = self.limit(75)
        self.assertEqual([self.ask(proxy).status for _ in range(3)], [200, 200, 429])  # 15 tokens in each
        self.assertEqual(self.zion.limits_calls, 1)

    def test_zion_away_stops_nobody(self):
        proxy = self.proxy(SENTINEL_QUOTA="true")
        self.zion.limits_status = 500
        self.assertEqual([self.ask(proxy).status for _ in range(3)], [200, 200, 200])

    def test_without_the_setting_nobody_asks(self):
        self.zion.limits["ext_1"] = self.limit(100)
        self.assertEqual(self.ask(self.proxy()).status, 200)
        self.assertEqual(self.zion.limits_calls, 0)


if __name__ == "__main__":
    unittest.main()
