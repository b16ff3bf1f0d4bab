#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several upstreams: routing, weights, failover, breakers; and calling them by https with a real chain of trust."""

import contextlib
import json
import signal
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from certificates import Authority  # noqa: E402
from node_client import node_client  # noqa: E402
from proxy import UPSTREAM_KEY, Proxy  # noqa: E402
from upstream import Upstream  # noqa: E402

CHAT = {"model": "gpt-4", "messages": []}
STREAM = {**CHAT, "stream": True}
ANSWER = {"id": "x", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'


def good(exchange):
    exchange.send_json(ANSWER)


def failing(status, *extra):
    return lambda exchange: exchange.send_json({"error": {"message": "no"}}, status=status, extra=extra)


class Case(unittest.TestCase):
    def upstreams(self, *scripts):
        made = []
        for script in scripts:
            made.append(Upstream())
            self.addCleanup(made[-1].close)
            made[-1].script = script
        return made

    def proxy(self, upstreams, models, **settings):
        """The upstreams are called a, b, c …"""
        listed = [{"name": "abc"[i], "url": upstream.url, "key_env": "OPENAI_API_KEY"} for i, upstream in enumerate(upstreams)]
        return Proxy(upstreams[0].url, SENTINEL_UPSTREAMS=json.dumps(listed), SENTINEL_MODELS=json.dumps(models), SENTINEL_RATE_LIMIT=10_000, **settings)

    def statuses(self, proxy, count, body=CHAT):
        with proxy.client() as client:
            return [client.ask(body=body).status for _ in range(count)]

    def ask_until(self, proxy, condition, seconds=20):
        """Good answers, until that holds."""
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end)
            self.assertEqual(self.statuses(proxy, 1), [200])


FIRST_A = {"*": [{"upstream": "a"}, {"upstream": "b", "weight": 0}]}


class Routing(Case):
    def test_the_next_one_answers_when_the_first_cannot(self):
        for name, script in (("500", failing(500)), ("429", failing(429)), ("our key", failing(401)),
                             ("no HTTP", lambda exchange: exchange.send(b"nonsense\r\n\r\n")),
                             ("closed", lambda exchange: setattr(exchange, "keep", False))):
            with self.subTest(name):
                a, b = self.upstreams(script, good)
                with self.proxy([a, b], FIRST_A) as proxy:
                    self.assertEqual(self.statuses(proxy, 2), [200, 200])
                    self.assertEqual((len(a.exchanges), len(b.exchanges)), (2, 2))
                    self.assertEqual(b.exchanges[0].header("authorization"), f"Bearer {UPSTREAM_KEY}")
        a, b = self.upstreams(good, good)
        with self.proxy([a, b], FIRST_A) as proxy:
            a.close()
            self.assertEqual(self.statuses(proxy, 2), [200, 200])

    def test_a_request_that_is_wrong_is_wrong_everywhere(self):
        a, b = self.upstreams(failing(400), good)
        with self.proxy([a, b], FIRST_A, SENTINEL_BREAKER_FAILURES=2) as proxy:
            self.assertNotIn(200, self.statuses(proxy, 6))
            self.assertEqual((len(a.exchanges), len(b.exchanges)), (6, 0))

    def test_after_the_first_byte_nobody_else_is_asked(self):
        def broken(exchange):
            exchange.head(content_type="text/event-stream", chunked=True)
            exchange.chunk(EVENT)
            exchange.keep = False

        a, b = self.upstreams(broken, good)
        with self.proxy([a, b], FIRST_A) as proxy, proxy.client() as client:
            answer = client.ask(body=STREAM)
            self.assertTrue(answer.body.startswith(EVENT))
            self.assertIn(b"connection_closed", answer.body)
            self.assertEqual(b.exchanges, [])

    def test_models_have_other_names_upstream_and_only_those_listed_are_offered(self):
        a, b = self.upstreams(good, good)
        models = {"fast": [{"upstream": "b", "model": "small-1"}], "gpt-4": [{"upstream": "a"}]}
        with self.proxy([a, b], models) as proxy, proxy.client() as client:
            self.assertEqual(client.ask(body=b'{"messages":[], "model" : "fast", "x":1}').status, 200)
            self.assertEqual(b.exchanges[0].body, b'{"messages":[], "model" : "small-1", "x":1}')
            self.assertEqual(client.ask(body=CHAT).status, 200)
            self.assertEqual(a.exchanges[0].json()["model"], "gpt-4")
            refused = client.ask(body={**CHAT, "model": "nope"})
            self.assertEqual((refused.status, refused.json()["error"]["code"]), (404, "NOT_FOUND"))

    def test_the_list_of_models_is_what_is_offered_by_its_public_names(self):
        (a,) = self.upstreams(good)
        models = {"fast": [{"upstream": "a", "model": "small-1"}], "gpt-4": [{"upstream": "a"}], "org/it's \"new\"": [{"upstream": "a"}]}
        with self.proxy([a], models) as proxy:
            reports = node_client(f"http://127.0.0.1:{proxy.port}/v1", ["models", "model"])
            self.assertEqual(reports, {"models": {"names": sorted(models)}, "model": {"id": "gpt-4"}})
            with proxy.client() as client:
                self.assertEqual(client.ask("GET", "/v1/models/org%2Fit's%20%22new%22").json()["id"], "org/it's \"new\"")
                for hidden in ("small-1", "gpt-4o", "fas"):
                    self.assertEqual(client.ask("GET", f"/v1/models/{hidden}").status, 404)
        self.assertEqual(a.exchanges, [])

    def test_weights_share_out_the_first_attempts(self):
        a, b = self.upstreams(good, good)
        with self.proxy([a, b], {"*": [{"upstream": "a", "weight": 3}, {"upstream": "b", "weight": 1}]}) as proxy:
            self.statuses(proxy, 200)
            self.assertEqual(len(a.exchanges) + len(b.exchanges), 200)
            # 150 expected with a deviation of 6.1: 7 deviations are one run in 10^12.
            self.assertTrue(107 < len(a.exchanges) < 193, len(a.exchanges))

    def test_a_breaker_opens_after_failures_and_closes_after_a_good_trial(self):
        a, b = self.upstreams(failing(500), good)
        with self.proxy([a, b], FIRST_A, SENTINEL_BREAKER_FAILURES=3, SENTINEL_BREAKER_SECONDS=0.5, SENTINEL_WORKERS=1) as proxy:
            begun = time.monotonic()
            self.assertEqual(self.statuses(proxy, 3), [200] * 3)
            self.assertEqual(len(a.exchanges), 3)
            self.ask_until(proxy, lambda: len(a.exchanges) == 5)
            # Each trial that failed has opened it anew: two trials lie two of the breaker's times behind the beginning.
            self.assertGreaterEqual(time.monotonic() - begun, 1)
            self.assertGreater(len(b.exchanges), 5)
            a.script = good
            self.ask_until(proxy, lambda: len(a.exchanges) == 6)
            before = len(b.exchanges)
            self.assertEqual(self.statuses(proxy, 4), [200] * 4)
            self.assertEqual((len(a.exchanges), len(b.exchanges)), (10, before))

    def test_the_state_of_each_breaker_is_told_also_after_a_reload(self):
        tries = threading.Event()

        def trial(exchange):
            self.assertTrue(tries.wait(10))
            exchange.send_json(ANSWER)

        def states():
            return {name: proxy.metrics().get(f'sentinel_upstream_circuit_state{{upstream="{name}"}}') for name in "abc"}

        a, b = self.upstreams(failing(500), good)
        with self.proxy([a, b], FIRST_A, SENTINEL_BREAKER_FAILURES=3, SENTINEL_BREAKER_SECONDS=0.2) as proxy:
            self.assertEqual(self.statuses(proxy, 2), [200, 200])
            self.assertEqual(states(), {"a": 0, "b": 0, "c": None})
            self.assertEqual(self.statuses(proxy, 1), [200])
            self.assertEqual(states(), {"a": 2, "b": 0, "c": None})
            a.script = trial
            asking = threading.Thread(target=self.ask_until, args=(proxy, lambda: len(a.exchanges) == 4))
            asking.start()
            a.wait_for(4)
            self.assertEqual(states(), {"a": 1, "b": 0, "c": None})
            tries.set()
            asking.join()
            self.assertEqual(states(), {"a": 0, "b": 0, "c": None})
            a.script = failing(500)
            self.assertEqual(self.statuses(proxy, 3), [200] * 3)
            self.assertEqual(states()["a"], 2)
            seen = len(proxy.lines)
            proxy.process.send_signal(signal.SIGHUP)
            proxy.event("reloaded", after=seen)
            self.assertEqual(states(), {"a": 0, "b": 0, "c": None})

    def test_retry_after_is_kept_to(self):
        a, b = self.upstreams(failing(429, "Retry-After: 1"), good)
        with self.proxy([a, b], FIRST_A) as proxy:
            begun = time.monotonic()
            self.assertEqual(self.statuses(proxy, 1), [200])
            self.assertEqual(len(a.exchanges), 1)
            a.script = good
            self.ask_until(proxy, lambda: len(a.exchanges) == 2)
            self.assertGreaterEqual(time.monotonic() - begun, 1)
            self.assertGreater(len(b.exchanges), 1)

    def test_when_everybody_rests_the_client_hears_how_long(self):
        (a,) = self.upstreams(failing(429, "Retry-After: 30"))
        with self.proxy([a], {}) as proxy, proxy.client() as client:
            first = client.ask(body=CHAT)
            self.assertEqual((first.status, first.headers["retry-after"]), (429, "30"))
            second = client.ask(body=CHAT)
            self.assertEqual((second.status, second.json()["error"]["code"]), (503, "SERVICE_UNAVAILABLE"))
            self.assertTrue(28 <= int(second.headers["retry-after"]) <= 30)
            self.assertEqual(len(a.exchanges), 1)

    def test_an_upstream_that_hangs_is_given_up_for_the_next(self):
        release = threading.Event()
        a, b = self.upstreams(lambda exchange: release.wait(10), good)
        with self.proxy([a, b], FIRST_A, SENTINEL_UPSTREAM_IDLE_SECONDS=0.3) as proxy:
            self.assertEqual(self.statuses(proxy, 1), [200])
        release.set()

    def test_idle_connections_are_closed_in_time(self):
        (a,) = self.upstreams(good)
        with self.proxy([a], {}, SENTINEL_POOL_IDLE_SECONDS=0.3) as proxy:
            self.assertEqual(self.statuses(proxy, 3), [200] * 3)
            self.assertEqual(a.connections, 1)
            proxy.until(lambda: not a.sockets, "the kept connection is closed")


class Tls(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="sentinel-tls-")
        self.addCleanup(directory.cleanup)
        self.authority = Authority(directory.name)
        self.path = directory.name

    def upstream(self, name, **named):
        upstream = Upstream(tls=self.authority.leaf(name, **named))
        self.addCleanup(upstream.close)
        return upstream

    def refusal(self, upstream, **settings):
        """(status, what the log says about it)"""
        settings = {"SENTINEL_CA_FILE": self.authority.file, **settings}
        with Proxy(upstream.url, **settings) as proxy, proxy.client() as client:
            return client.ask(body=CHAT).status, proxy.event("tls_failed")["reason"]

    def test_a_chain_that_holds_is_used_with_its_name_and_resumed(self):
        upstream = self.upstream("good")
        resumed, protocols = [], []

        def script(exchange):
            resumed.append(exchange.connection.session_reused)
            protocols.append(exchange.connection.selected_alpn_protocol())
            exchange.send_json(ANSWER)
            exchange.keep = False

        upstream.script = script
        with Proxy(upstream.url, SENTINEL_CA_FILE=self.authority.file, SENTINEL_WORKERS=1) as proxy, proxy.client() as client:
            for _ in range(3):
                self.assertEqual(client.ask(body=CHAT).status, 200)
        self.assertEqual(resumed, [False, True, True])
        self.assertEqual(set(protocols), {"http/1.1"})
        self.assertEqual(set(upstream.names), {"localhost"})

    def test_no_ticket_is_used_twice(self):
        """An observer could link the connections by it (RFC 8446, C.4). A server gives two at first."""
        upstream = self.upstream("good")
        resumed = []

        def script(exchange):
            resumed.append(exchange.connection.session_reused)
            exchange.send_json(ANSWER)
            exchange.keep = False

        upstream.script = script
        at_once = threading.Barrier(3)

        def hello(connection, name, context):
            at_once.wait(10)  # so that no new ticket comes before all have chosen theirs

        with Proxy(upstream.url, SENTINEL_CA_FILE=self.authority.file, SENTINEL_WORKERS=1) as proxy, contextlib.ExitStack() as stack:
            clients = [stack.enter_context(proxy.client()) for _ in range(3)]
            self.assertEqual(clients[0].ask(body=CHAT).status, 200)
            upstream.tls.sni_callback = hello
            for client in clients:
                client.request(body=CHAT)
            self.assertEqual([client.answer().status for client in clients], [200] * 3)
        self.assertEqual((resumed[0], sorted(resumed[1:])), (False, [False, True, True]))

    def test_large_bodies_and_streams_pass_through_tls_unchanged(self):
        upstream = self.upstream("large")
        events = [b'data: {"choices":[{"index":0,"delta":{"content":"' + bytes([97 + i % 26]) * 3000 + b'"}}]}\n\n' for i in range(300)]
        upstream.script = lambda exchange: exchange.stream([*events, b"data: [DONE]\n\n"])
        body = {**STREAM, "messages": [{"role": "user", "content": "x" * 3_000_000}]}
        with Proxy(upstream.url, SENTINEL_CA_FILE=self.authority.file) as proxy, proxy.client() as client:
            for _ in range(2):
                self.assertEqual(client.ask(body=body).body, b"".join(events) + b"data: [DONE]\n\n")
        self.assertEqual(upstream.exchanges[0].json()["messages"], body["messages"])
        self.assertEqual(upstream.connections, 1)

    def test_a_chain_that_does_not_hold_is_refused_and_says_why(self):
        stranger = Authority(self.path, "stranger")
        for name, upstream, trusted, reason in (
                ("expired", self.upstream("expired", days=-1), self.authority, "certificate has expired"),
                ("another's name", self.upstream("other", subjects=("DNS:elsewhere.example",)), self.authority, "hostname mismatch"),
                ("another's authority", self.upstream("good"), stranger, "unable to get local issuer certificate")):
            with self.subTest(name):
                status, said = self.refusal(upstream, SENTINEL_CA_FILE=trusted.file)
                self.assertEqual(status, 502)
                self.assertIn(reason, said)
                self.assertEqual(upstream.exchanges, [])

    def test_a_reload_may_bring_the_first_https_upstream(self):
        """Which is then verified like any other: the system's bundle doesn't know ours."""
        secure = self.upstream("good")
        plain = Upstream()
        self.addCleanup(plain.close)
        plain.script = good
        config = Path(self.path) / "proxy.yaml"
        config.write_text(f"OPENAI_API_URL: {plain.url}\n")
        with Proxy("", config=str(config), SENTINEL_RATE_LIMIT=100_000) as proxy, proxy.client() as client:
            self.assertEqual(client.ask(body=CHAT).status, 200)
            config.write_text(f"OPENAI_API_URL: {secure.url}\n")
            proxy.process.send_signal(signal.SIGHUP)
            proxy.event("reloaded")
            proxy.until(lambda: client.ask(body=CHAT).status == 502, "the worker asks the new upstream")
            self.assertIn("unable to get local issuer certificate", proxy.event("tls_failed")["reason"])

    def test_an_upstream_without_tls_is_no_https_upstream(self):
        plain = Upstream()
        self.addCleanup(plain.close)
        plain.url = plain.url.replace("http://127.0.0.1", "https://localhost")
        self.assertEqual(self.refusal(plain)[0], 502)


if __name__ == "__main__":
    unittest.main()
