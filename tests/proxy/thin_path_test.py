#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One endpoint from end to end: chat completions, whole and streamed, with authentication, limits, usage, keep-alive comments,
clients that leave, upstreams that break, logs and the orderly end."""

import json
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from case import PROMPT, ProxyCase  # noqa: E402
from proxy import PROXY, UPSTREAM_KEY  # noqa: E402

CHAT = {"model": "gpt-4", "messages": [{"role": "user", "content": PROMPT}]}
STREAM = {**CHAT, "stream": True}
ANSWER = {"id": "x", "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}],
          "usage": {"prompt_tokens": 15, "completion_tokens": 25, "total_tokens": 40}, "unknown": [1, 2]}
WORDS = [f'data: {{"choices":[{{"index":0,"delta":{{"content":"word{i} "}}}}]}}\n\n'.encode() for i in range(5)]
# The same events of an upstream that was asked for the use.
ASKED_WORDS = [word.replace(b"}]}", b'}],"usage":null}') for word in WORDS]
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":50,"completion_tokens":10,"total_tokens":60}}\n\n'
DONE = b"data: [DONE]\n\n"


class ThinPath(ProxyCase):
    def test_a_whole_answer_passes_unchanged_and_is_metered(self):
        self.upstream.script = lambda exchange: exchange.send_json(ANSWER)
        proxy = self.proxy()
        body = b'{"foo": 1,  "model":"gpt-4", "messages":[]}'
        with proxy.client() as client:
            answer = client.ask(body=body, headers=["X-Request-Id: mine-1", "Cookie: c=1", "OpenAI-Organization: o"])
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.body, json.dumps(ANSWER).encode())
            self.assertEqual(answer.headers["x-request-id"], "mine-1")
            self.assertEqual(answer.headers["x-ratelimit-limit"], "100")
            self.assertEqual(answer.headers["x-ratelimit-remaining"], "99")
            self.assertEqual(client.ask(body=body).status, 200)  # and the connection is kept
        seen = self.upstream.exchanges[0]
        self.assertEqual((seen.method, seen.target, seen.body), ("POST", "/v1/chat/completions", body))
        self.assertEqual(seen.header("authorization"), f"Bearer {UPSTREAM_KEY}")
        self.assertEqual(sorted(name for name, _ in seen.headers),
                         ["accept-encoding", "authorization", "content-length", "content-type", "host", "traceparent", "x-request-id"])
        self.assertEqual(self.upstream.connections, 1)
        record = proxy.event("request", request_id="mine-1")
        self.assertEqual((record["status"], record["user"], record["input_tokens"], record["output_tokens"], record["estimated"]),
                         (200, "user-1", 15, 25, False))
        metrics = proxy.metrics()
        self.assertEqual(metrics['sentinel_requests_total{status="success",model="gpt-4"}'], 2)
        self.assertEqual(metrics['sentinel_tokens_processed_total{type="completion",model="gpt-4"}'], 50)

    def test_a_stream_is_byte_identical_and_the_added_event_is_gone(self):
        self.upstream.script = lambda exchange: exchange.stream([*ASKED_WORDS, USAGE, DONE])
        proxy = self.proxy()
        with proxy.client() as client:
            answer = client.ask(body=STREAM)
            self.assertEqual(answer.body, b"".join(WORDS) + DONE)
            self.assertEqual(answer.headers["content-type"], "text/event-stream")
            self.assertEqual(answer.headers["cache-control"], "no-cache")
            self.assertEqual(answer.headers["connection"], "keep-alive")
            self.assertEqual(answer.headers["x-accel-buffering"], "no")
            self.assertEqual(self.upstream.exchanges[0].json()["stream_options"], {"include_usage": True})
            self.assertEqual(client.ask(body={**STREAM, "stream_options": {"include_usage": False}}).body, b"".join(WORDS) + DONE)
            self.assertEqual(self.upstream.exchanges[1].json()["stream_options"], {"include_usage": True})
            asked = client.ask(body={**STREAM, "stream_options": {"include_usage": True}})
            self.assertEqual(asked.body, b"".join(ASKED_WORDS) + USAGE + DONE)
        self.assertEqual(proxy.metrics()['sentinel_tokens_processed_total{type="prompt",model="gpt-4"}'], 150)

    def test_events_cut_anywhere_come_out_whole(self):
        whole = b": a comment\n\n" + b"".join(ASKED_WORDS) + USAGE + "data: {\"choices\":[{\"delta\":{\"content\":\"żółć\"}}]}\r\n\r\n".encode() + DONE
        self.upstream.script = lambda exchange: exchange.stream([whole[i:i + 3] for i in range(0, len(whole), 3)])
        with self.proxy().client() as client:
            self.assertEqual(client.ask(body=STREAM).body, whole.replace(USAGE, b"").replace(b',"usage":null', b""))

    def test_events_are_passed_on_at_once(self):
        more = threading.Event()

        def script(exchange):
            exchange.head(content_type="text/event-stream", chunked=True)
            exchange.chunk(WORDS[0])
            self.assertTrue(more.wait(10))
            exchange.chunk(DONE)
            exchange.chunk(b"")

        self.upstream.script = script
        with self.proxy().client() as client:
            client.request(body=STREAM)
            client.read_head()
            self.assertEqual(client.read_chunk(), WORDS[0])
            more.set()
            self.assertEqual(client.read_chunk(), DONE)
            self.assertEqual(client.read_chunk(), b"")

    def test_refusals_have_their_bodies(self):
        proxy = self.proxy()
        self.upstream.script = lambda exchange: exchange.send_json(ANSWER)
        for name, asked, status, code in (
                ("no key", {"key": None}, 401, "UNAUTHORIZED"),
                ("another scheme", {"key": None, "headers": ["Authorization: bearer x"]}, 401, "INVALID_TOKEN"),
                ("a wrong key", {"key": "nobody"}, 401, "INVALID_TOKEN"),
                ("no JSON", {"body": b"{\"model\":"}, 400, "BAD_REQUEST"),
                ("no model", {"body": {"messages": []}}, 400, "BAD_REQUEST"),
                ("no messages", {"body": {"model": "m"}}, 400, "BAD_REQUEST"),
                ("two models", {"body": b'{"model":"a","messages":[],"mod\\u0065l":"b"}'}, 400, "BAD_REQUEST")):
            with self.subTest(name), proxy.client() as client:
                answer = client.ask(**asked)
                self.assertEqual((answer.status, answer.json()["error"]["code"]), (status, code))
                if status == 400:
                    self.assertTrue(answer.json()["error"]["message"].startswith("Invalid request body"))
                self.assertEqual("x-ratelimit-limit" in answer.headers, status == 400)
        with proxy.client() as client:
            self.assertEqual(client.ask(path="/nope").json()["error"]["code"], "endpoint_not_found")
            answer = client.ask(method="GET")
            self.assertEqual((answer.status, answer.headers["allow"]), (405, "POST"))
        self.assertEqual(self.upstream.exchanges, [])

    def test_the_request_after_the_limit_is_refused(self):
        self.upstream.script = lambda exchange: exchange.send_json(ANSWER)
        with self.proxy(SENTINEL_RATE_LIMIT=3).client() as client:
            # Two windows count together, so a minute that turns meanwhile changes nothing.
            answers = [client.ask(body=CHAT) for _ in range(8)]
            self.assertEqual(answers[0].status, 200)
            self.assertEqual(answers[7].status, 429)
            error = answers[7].json()["error"]
            self.assertEqual((error["code"], error["details"]["limit"], error["details"]["remaining"]), ("RATE_LIMIT_EXCEEDED", 3, 0))
            self.assertGreaterEqual(int(answers[7].headers["retry-after"]), 1)
            self.assertEqual(client.ask(body=CHAT, key="user-key-2").status, 200)

    def test_comments_come_before_the_upstream_answers_and_errors_then_in_the_stream(self):
        failing = threading.Event()

        def script(exchange):
            self.assertTrue(failing.wait(10))
            exchange.send_json({"error": {"message": f"leak {UPSTREAM_KEY}"}}, status=429)

        self.upstream.script = script
        with self.proxy(SENTINEL_KEEP_ALIVE_SECONDS=0.2).client() as client:
            begun = time.monotonic()
            client.request(body=STREAM)
            status, headers = client.read_head()
            self.assertGreaterEqual(time.monotonic() - begun, 0.2)
            self.assertEqual((status, headers["content-type"]), (200, "text/event-stream"))
            self.assertEqual(client.read_chunk(), b": keep-alive\n\n")
            self.assertEqual(client.read_chunk(), b": keep-alive\n\n")
            failing.set()
            events = b""
            while chunk := client.read_chunk():
                events += chunk
            self.assertIn(b'"type":"stream_error"', events)
            self.assertNotIn(UPSTREAM_KEY.encode(), events)

    def test_an_early_error_keeps_its_status(self):
        self.upstream.script = lambda exchange: exchange.send_json({"error": {"message": UPSTREAM_KEY}}, status=429, extra=["Retry-After: 7"])
        for passthrough, status in (("true", 429), ("false", 502)):
            with self.proxy(SENTINEL_PASSTHROUGH_ERRORS=passthrough).client() as client:
                answer = client.ask(body=STREAM)
                self.assertEqual((answer.status, answer.json()["error"]["code"], answer.headers["retry-after"]), (status, "UPSTREAM_ERROR", "7"))
                self.assertTrue(answer.json()["error"]["message"].startswith("OpenAI error 429"))
                self.assertNotIn(UPSTREAM_KEY.encode(), answer.body)

    def test_a_broken_stream_is_an_error_and_never_a_success(self):
        def script(exchange):
            exchange.head(content_type="text/event-stream", chunked=True)
            exchange.chunk(WORDS[0] + WORDS[1][:20])
            exchange.keep = False

        self.upstream.script = script
        proxy = self.proxy()
        with proxy.client() as client:
            answer = client.ask(body=STREAM)
            self.assertTrue(answer.body.startswith(WORDS[0]))
            self.assertIn(b'"code":"connection_closed"', answer.body)
            self.assertNotIn(b"[DONE]", answer.body)
        record = proxy.event("request", error="connection_closed")
        self.assertTrue(record["estimated"])

    def test_a_client_that_leaves_cancels_the_upstream_and_is_accounted(self):
        for streamed in (True, False):
            with self.subTest(streamed=streamed):
                gone = threading.Event()

                def script(exchange):
                    if streamed:
                        exchange.head(content_type="text/event-stream", chunked=True)
                        exchange.chunk(WORDS[0])
                    if exchange.closed(10):
                        gone.set()
                    exchange.keep = False

                self.upstream.script = script
                proxy = self.proxy()
                before = len(self.upstream.exchanges)
                with proxy.client() as client:
                    client.request(body=STREAM if streamed else CHAT)
                    if streamed:
                        client.read_head()
                        self.assertEqual(client.read_chunk(), WORDS[0])
                    else:
                        self.upstream.wait_for(before + 1)
                self.assertTrue(gone.wait(10))
                record = proxy.event("request", status=499)
                self.assertTrue(record["estimated"])
                self.assertGreater(record["input_tokens"], 0)

    def test_an_upstream_that_is_not_there_is_a_502(self):
        proxy = self.proxy()
        self.upstream.close()
        with proxy.client() as client:
            answer = client.ask(body=CHAT)
            self.assertEqual((answer.status, answer.json()["error"]["message"]), (502, "Upstream service error"))

    def test_a_silent_upstream_is_given_up(self):
        release = threading.Event()
        self.upstream.script = lambda exchange: release.wait(10)
        with self.proxy(SENTINEL_UPSTREAM_IDLE_SECONDS=0.3).client() as client:
            self.assertEqual(client.ask(body=CHAT).status, 502)
        release.set()

    def test_a_kept_connection_that_the_upstream_closed_is_replaced(self):
        def script(exchange):
            exchange.send_json(ANSWER)
            exchange.keep = False

        self.upstream.script = script
        with self.proxy().client() as client:
            for _ in range(5):
                self.assertEqual(client.ask(body=CHAT).status, 200)

    def test_smuggled_requests_are_refused_and_the_connection_is_closed(self):
        proxy = self.proxy()
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
        for bad in (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", b"Content-Length: 4\r\nContent-Length: 4\r\n\r\n",
                    b"Transfer-Encoding: chunked, chunked\r\n\r\n", b"Content-Length : 4\r\n\r\n", b"X: a\r\n folded\r\n\r\n",
                    b"Content-Length: +4\r\n\r\n", b"X: a\nY: b\r\n\r\n", b"X: \x00\r\n\r\n"):
            with self.subTest(bad), proxy.client() as client:
                client.send(head + bad)
                self.assertIn(client.answer().status, (400, 501))
                self.assertTrue(client.at_end())
        self.assertEqual(self.upstream.exchanges, [])

    def test_health_and_metrics(self):
        proxy = self.proxy()
        with proxy.client() as client:
            self.assertEqual(client.ask("GET", "/health", key=None).json()["status"], "healthy")
            for path in ("/health/ready", "/health/live"):
                self.assertEqual(client.ask("GET", path, key=None).body, b'{"status":"healthy"}')
            self.assertEqual(client.ask("GET", "/metrics", key=None).status, 404)
        self.assertIn("sentinel_active_requests", proxy.metrics())

    def test_a_drain_ends_streams_in_order_and_accepts_nothing_new(self):
        more = threading.Event()

        def script(exchange):
            exchange.head(content_type="text/event-stream", chunked=True)
            exchange.chunk(WORDS[0])
            self.assertTrue(more.wait(10))
            exchange.chunk(DONE)
            exchange.chunk(b"")

        self.upstream.script = script
        proxy = self.proxy()
        with proxy.client() as client, proxy.client() as idle:
            self.assertEqual(idle.ask("GET", "/health/live", key=None).status, 200)
            client.request(body=STREAM)
            client.read_head()
            self.assertEqual(client.read_chunk(), WORDS[0])
            proxy.terminate()
            proxy.event("draining")
            proxy.refuses()
            # A request that was on its way gets its answer, and hears that it was the last.
            self.assertEqual(idle.ask("GET", "/health/live", key=None).headers["connection"], "close")
            self.assertTrue(idle.at_end())
            more.set()
            self.assertEqual(client.read_chunk(), DONE)
            self.assertEqual(client.read_chunk(), b"")
            self.assertTrue(client.at_end())
        self.assertEqual(proxy.process.wait(timeout=10), 0)
        proxy.event("usage", model="gpt-4")


class CheckConfig(unittest.TestCase):
    def test_mistakes_are_all_named_and_secrets_are_not(self):
        environment = {"SENTINEL_PORT": "http", "OPENAI_API_KEY": "se cret", "OPENAI_API_URL": "ftp://x"}
        result = subprocess.run([PROXY, "--check-config"], env=environment, capture_output=True, text=True, timeout=20)
        self.assertEqual(result.returncode, 2, result.stderr)
        for name in ("SENTINEL_PORT", "OPENAI_API_KEY", "ftp://x", "SENTINEL_KEYS_FILE"):
            self.assertIn(name, result.stderr)
        self.assertNotIn("se cret", result.stderr)


if __name__ == "__main__":
    unittest.main()
