#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Streams: what each endpoint's streams count, every line ending, broken and endless events, comments in every silence and only
between events, upstreams that break, stall and flood, clients that leave or read slowly."""

import contextlib
import json
import select
import socket
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from case import PROMPT, ProxyCase  # noqa: E402

CHAT = {"model": "gpt-4", "messages": [{"role": "user", "content": PROMPT}], "stream": True}
ASKED = {**CHAT, "stream_options": {"include_usage": True}}
DONE = b"data: [DONE]\n\n"
COMMENT = b": keep-alive\n\n"


def delta(text):
    return b'data: {"choices":[{"index":0,"delta":{"content":' + json.dumps(text).encode() + b"}}]}\n\n"


def usage(prompt, completion):
    return b'data: {"choices":[],"usage":{"prompt_tokens":%d,"completion_tokens":%d}}\n\n' % (prompt, completion)


END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'


def events_of(client):
    got = b""
    while chunk := client.read_chunk():
        got += chunk
    return got


class Counting(ProxyCase):
    def stream(self, path, body, pieces):
        """What the client got, and the access log's record of it."""
        self.upstream.script = lambda exchange: exchange.stream(pieces)
        proxy = self.proxy()
        with proxy.client() as client:
            answer = client.ask(path=path, body=body)
            self.assertEqual(answer.status, 200)
        return answer.body, proxy.event("request", model=body["model"]), proxy

    def test_responses_end_with_their_usage(self):
        pieces = [b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Hello "}\n\n',
                  b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"world"}\n\n',
                  b'event: response.completed\ndata: {"type":"response.completed","response":{"id":"r","usage":{"input_tokens":15,"output_tokens":25,'
                  b'"total_tokens":40}}}\n\n']
        body, record, _ = self.stream("/v1/responses", {"model": "r-1", "input": "hi", "stream": True}, pieces)
        self.assertEqual(body, b"".join(pieces))
        self.assertEqual((record["input_tokens"], record["output_tokens"], record["estimated"]), (15, 25, False))
        self.assertNotIn("stream_options", self.upstream.exchanges[0].json())

    def test_other_shapes_of_responses_are_understood(self):
        pieces = [b'data: {"delta":{"text":"Hello"}}\n\n', b'data: {"usage":{"input_tokens":50,"output_tokens":75,"total_tokens":125}}\n\n']
        body, record, _ = self.stream("/v1/responses", {"model": "r-1", "input": [], "stream": True}, pieces)
        self.assertEqual(body, b"".join(pieces))
        self.assertEqual((record["input_tokens"], record["output_tokens"]), (50, 75))

    def test_completions_are_asked_for_usage_too(self):
        pieces = [b'data: {"choices":[{"text":"a","index":0}]}\n\n', usage(10, 20), DONE]
        body, record, _ = self.stream("/v1/completions", {"model": "c-1", "prompt": "p", "stream": True}, pieces)
        self.assertEqual(body, pieces[0] + DONE)
        self.assertEqual((record["input_tokens"], record["output_tokens"]), (10, 20))

    def test_a_stream_without_usage_is_estimated(self):
        pieces = [*(delta("word ") for _ in range(40)), DONE]
        _, record, proxy = self.stream("/v1/chat/completions", CHAT, pieces)
        self.assertTrue(record["estimated"])
        self.assertTrue(40 <= record["output_tokens"] <= 60, record)
        self.assertEqual(proxy.metrics()['sentinel_token_estimation_fallback_total{model="gpt-4"}'], 1)

    def test_zeros_are_no_usage(self):
        _, record, _ = self.stream("/v1/chat/completions", CHAT, [delta("four"), usage(0, 0), DONE])
        self.assertTrue(record["estimated"])
        self.assertGreater(record["input_tokens"], 0)

    def test_broken_events_are_counted_and_passed(self):
        broken = b'data: {"choices":[{"delta":{"content":"' + "żółw ".encode() * 200 + b"\xff\n\n"
        pieces = [delta("a"), broken, delta("b"), usage(5, 2), DONE]
        body, record, proxy = self.stream("/v1/chat/completions", CHAT, pieces)
        self.assertEqual(body, b"".join(pieces).replace(usage(5, 2), b""))
        self.assertEqual((record["input_tokens"], record["output_tokens"]), (5, 2))
        self.assertEqual(proxy.metrics()['sentinel_sse_parse_errors_total{endpoint="chat",model="gpt-4"}'], 1)

    def test_every_line_ending_and_no_blank_behind_the_colon(self):
        whole = (b'data:{"choices":[{"delta":{"content":"a"}}]}\r\n\r\ndata:{"choices":[{"delta":{"content":"b\xff"}}]}\r\r'
                 b'data:{"choices":[],\r\ndata:"usage":{"prompt_tokens":7,"completion_tokens":3}}\r\n\r\n: x\n\ndata: [DONE]\r\n\r\n')
        added = whole[whole.index(b'data:{"choices":[],'):whole.index(b": x")]
        for size in (1, 2, 7, 1000):
            with self.subTest(size=size):
                body, record, _ = self.stream("/v1/chat/completions", CHAT, [whole[i:i + size] for i in range(0, len(whole), size)])
                self.assertEqual(body, whole.replace(added, b""))
                self.assertEqual((record["input_tokens"], record["output_tokens"]), (7, 3))
        body, _, _ = self.stream("/v1/chat/completions", ASKED, [whole])
        self.assertEqual(body, whole)

    def test_an_event_without_end_is_passed_but_not_kept(self):
        filler = b"x" * 65536
        pieces = [b"data: ", *[filler] * 40, b"\n\n", usage(1, 1), DONE]
        for body in (CHAT, ASKED):
            with self.subTest(asked=body is ASKED):
                got, record, _ = self.stream("/v1/chat/completions", body, pieces)
                self.assertEqual(got, b"".join(pieces))
                self.assertTrue(record["estimated"])

    def test_a_last_event_may_lack_its_blank_line(self):
        pieces = [delta("a"), END, usage(3, 4).rstrip(b"\n")]
        body, record, _ = self.stream("/v1/chat/completions", CHAT, pieces)
        self.assertEqual(body, delta("a") + END)
        self.assertEqual((record["input_tokens"], record["output_tokens"]), (3, 4))


class Silence(ProxyCase):
    def test_comments_come_between_events_in_time_and_never_within_one(self):
        go = [threading.Event() for _ in range(3)]
        half = delta("cut in the middle")

        def script(exchange):
            exchange.head(content_type="text/event-stream", chunked=True)
            exchange.chunk(delta("a"))
            self.assertTrue(go[0].wait(10))
            exchange.chunk(half[:20])
            self.assertTrue(go[1].wait(10))
            exchange.chunk(half[20:])
            self.assertTrue(go[2].wait(10))
            exchange.chunk(DONE)
            exchange.chunk(b"")

        self.upstream.script = script
        for asked in (True, False):
            for event in go:
                event.clear()
            proxy = self.proxy(SENTINEL_KEEP_ALIVE_SECONDS=0.3)
            with self.subTest(asked=asked), proxy.client() as client:
                client.request(body=ASKED if asked else CHAT)
                client.read_head()
                self.assertEqual(client.read_chunk(), delta("a"))
                begun = time.monotonic()
                self.assertEqual(client.read_chunk(), COMMENT)
                self.assertGreaterEqual(time.monotonic() - begun, 0.28)
                self.assertEqual(client.read_chunk(), COMMENT)
                go[0].set()
                if asked:
                    self.assertEqual(client.read_chunk(), half[:20])
                    client.socket.settimeout(1)
                    with self.assertRaises(TimeoutError):
                        client.read_chunk()
                    client.socket.settimeout(15)
                else:
                    self.assertEqual(client.read_chunk(), COMMENT)  # the half event is held back
                go[1].set()
                events = b""
                while half[20:] not in events:
                    events += client.read_chunk()
                self.assertEqual(events.replace(COMMENT, b""), half[20:] if asked else half)
                self.assertEqual(client.read_chunk(), COMMENT)
                go[2].set()
                self.assertEqual(events_of(client).replace(COMMENT, b""), DONE)
            self.assertGreaterEqual(proxy.metrics()["sentinel_keep_alive_comments_total"], 3)

    def test_whole_answers_get_no_comments(self):
        more = threading.Event()

        def script(exchange):
            self.assertTrue(more.wait(20))
            exchange.send_json({"id": "x", "choices": []})

        self.upstream.script = script
        proxy = self.proxy(SENTINEL_KEEP_ALIVE_SECONDS=0.1)
        with proxy.client() as whole, proxy.client() as streamed:
            whole.request(body={**CHAT, "stream": False})
            self.upstream.wait_for(1)
            streamed.request(body=CHAT)
            streamed.read_head()
            for _ in range(3):  # who asked later has had that many
                self.assertEqual(streamed.read_chunk(), COMMENT)
            more.set()
            answer = whole.answer()
            self.assertEqual((answer.status, answer.json()["id"]), (200, "x"))

    def test_an_upstream_that_falls_silent_is_an_error_event(self):
        release = threading.Event()

        def script(exchange):
            exchange.head(content_type="text/event-stream", chunked=True)
            exchange.chunk(delta("a"))
            exchange.closed(10)
            release.set()
            exchange.keep = False

        self.upstream.script = script
        proxy = self.proxy(SENTINEL_KEEP_ALIVE_SECONDS=0.2, SENTINEL_UPSTREAM_IDLE_SECONDS=0.7)
        with proxy.client() as client:
            answer = client.ask(body=CHAT)
            self.assertTrue(answer.body.startswith(delta("a") + COMMENT))
            self.assertIn(b'"code":"upstream_timeout"', answer.body)
            self.assertNotIn(b"[DONE]", answer.body)
        self.assertTrue(release.wait(10))
        self.assertTrue(proxy.event("request", error="upstream_timeout")["estimated"])

    def test_a_stream_that_only_passes_is_kept_alive_between_its_events(self):
        event = b"event: transcript.text.delta\ndata: x\n\n"
        told = threading.Event()

        def script(exchange):
            exchange.head(content_type="text/event-stream", chunked=True)
            exchange.chunk(event)
            told.wait(10)
            exchange.chunk(event[:20])
            exchange.chunk(event[20:])
            exchange.chunk(b"")

        self.upstream.script = script
        with self.proxy(SENTINEL_KEEP_ALIVE_SECONDS=0.2).client() as client:
            client.request(path="/v1/audio/transcriptions", body={"model": "x", "stream": True})
            client.read_head()
            self.assertEqual(client.read_chunk(), event)
            self.assertEqual(client.read_chunk(), COMMENT)
            told.set()
            self.assertEqual(events_of(client).replace(COMMENT, b""), event)

    def test_other_answers_that_only_pass_get_no_comments(self):
        body = b"data: x\n\n"
        for content_type, length, extra in (("text/plain", None, ()), ("text/event-stream", len(body) * 2, ()),
                                            ("text/event-stream", None, ("Content-Encoding: gzip",))):
            silence = threading.Event()

            def script(exchange, content_type=content_type, length=length, extra=extra, silence=silence):
                if exchange.target.endswith("/chat/completions"):
                    exchange.closed(10)
                    exchange.keep = False
                    return
                exchange.head(content_type=content_type, chunked=length is None, length=length, extra=extra)
                send = exchange.send if length else exchange.chunk
                send(body)
                self.assertTrue(silence.wait(10))
                send(body)
                if not length:
                    send(b"")

            self.upstream.script = script
            proxy = self.proxy(SENTINEL_KEEP_ALIVE_SECONDS=0.1)
            with self.subTest(content_type), proxy.client() as client, proxy.client() as later:
                client.request(path="/v1/audio/speech", body={"input": "x"})
                self.assertEqual(client.read_head()[0], 200)
                later.request(body=CHAT)
                later.read_head()
                for _ in range(3):  # who asked later has had that many
                    self.assertEqual(later.read_chunk(), COMMENT)
                silence.set()
                got = client.read_exactly(length) if length else events_of(client)
                self.assertEqual(got, body * 2)

    def test_events_that_keep_coming_know_no_total_time(self):
        def script(exchange):
            exchange.head(content_type="text/event-stream", chunked=True)
            for _ in range(15):
                exchange.chunk(delta("a"))
                time.sleep(0.1)  # what this is about: more than the idle time in all, each far less
            exchange.chunk(DONE)
            exchange.chunk(b"")

        self.upstream.script = script
        with self.proxy(SENTINEL_UPSTREAM_IDLE_SECONDS=1).client() as client:
            self.assertEqual(client.ask(body=CHAT).body, delta("a") * 15 + DONE)


class Breaking(ProxyCase):
    def test_every_kind_of_break_is_an_error_event(self):
        def cut(exchange):
            exchange.head(content_type="text/event-stream", chunked=True)
            exchange.chunk(delta("a"))

        def wrong_framing(exchange):
            exchange.head(content_type="text/event-stream", chunked=True)
            exchange.chunk(delta("a"))
            exchange.send(b"zz\r\n")

        def unframed(exchange):
            exchange.head(content_type="text/event-stream")
            exchange.send(delta("a"))

        def short(exchange):
            exchange.head(content_type="text/event-stream", length=10_000)
            exchange.send(delta("a"))

        for script in (cut, wrong_framing, unframed, short):
            def run(exchange, script=script):
                script(exchange)
                exchange.keep = False

            self.upstream.script = run
            for body in (CHAT, ASKED):
                with self.subTest(script.__name__, asked=body is ASKED), self.proxy().client() as client:
                    answer = client.ask(body=body)
                    self.assertTrue(answer.body.startswith(delta("a")))
                    events = answer.body[len(delta("a")):]
                    self.assertTrue(events.startswith(b'data: {"error":{"message":'))
                    self.assertIn(b'"type":"stream_error","code":"connection_closed"', events)

    def test_a_stream_that_just_ends_is_whole_when_its_choices_have_ended(self):
        two = {**ASKED, "n": 2}
        other = END.replace(b'"index":0', b'"index":1')
        for body, pieces in ((CHAT, [delta("a"), END]), (ASKED, [delta("a"), END, usage(1, 2)]), (two, [delta("a"), END, other])):
            with self.subTest(pieces), self.proxy() as proxy, proxy.client() as client:
                self.upstream.script = lambda exchange, pieces=pieces: exchange.stream(pieces)
                self.assertEqual(client.ask(body=body).body, b"".join(pieces))
                self.assertEqual(proxy.metrics()['sentinel_requests_total{status="streaming",model="gpt-4"}'], 1)

    def test_a_stream_that_ends_in_order_but_too_early_is_no_success(self):
        two = {**ASKED, "n": 2}
        for path, body, pieces in (("chat/completions", CHAT, [delta("a")]), ("chat/completions", ASKED, [delta("a"), usage(1, 2)]), ("chat/completions", CHAT, []),
                                   ("chat/completions", two, [delta("a"), END]), ("responses", {"model": "gpt-4", "input": "x", "stream": True},
                                                                                  [b'data: {"type":"response.output_text.delta","delta":"a"}\n\n'])):
            with self.subTest(path=path, pieces=pieces), self.proxy() as proxy, proxy.client() as client:
                self.upstream.script = lambda exchange, pieces=pieces: exchange.stream(pieces)
                answer = client.ask(path=f"/v1/{path}", body=body)
                got = b"".join(pieces) if body is not CHAT else b"".join(piece for piece in pieces if b"usage" not in piece)
                self.assertEqual(answer.body[:len(got)], got)
                self.assertEqual(json.loads(answer.body[len(got):].removeprefix(b"data: "))["error"]["code"], "stream_truncated")
                self.assertEqual(proxy.metrics()['sentinel_requests_total{status="truncated",model="gpt-4"}'], 1)
                self.assertEqual(proxy.event("request", path=f"/v1/{path}")["error"], "stream_truncated")

    def test_a_drain_whose_time_is_over_tells_its_streams_so_and_counts_them(self):
        half = delta("cut in the middle")[:20]

        def script(exchange):
            if exchange.json().get("stream"):
                exchange.head(content_type="text/event-stream", chunked=True)
                exchange.chunk(half if exchange.json()["model"] == "half" else delta("a"))
            exchange.closed(30)
            exchange.keep = False

        self.upstream.script = script
        proxy = self.proxy(SENTINEL_DRAIN_SECONDS=0.5)
        with contextlib.ExitStack() as stack:
            streaming, passing, amid, waiting, whole = (stack.enter_context(proxy.client()) for _ in range(5))
            for client, path, model, first in ((streaming, "chat/completions", "gpt-4", delta("a")), (passing, "audio/speech", "x", delta("a")),
                                               (amid, "audio/speech", "half", half)):
                client.request(path=f"/v1/{path}", body={**CHAT, "model": model})
                client.read_head()
                self.assertEqual(client.read_chunk(), first)
            whole.request(body={**CHAT, "stream": False})
            waiting.request(path="/v1/moderations", body={"input": "x"})
            self.upstream.wait_for(5)
            proxy.terminate()
            for client, before in ((streaming, b""), (passing, b""), (amid, b"\n\n")):
                events = events_of(client)
                self.assertTrue(events.startswith(before + b'data: {"error":'), events)
                self.assertIn(b'"code":"shutting_down"', events)
            for client in (whole, waiting):
                answer = client.answer()
                self.assertEqual((answer.status, answer.json()["error"]["code"], answer.headers["retry-after"]), (503, "SERVICE_UNAVAILABLE", "1"))
        proxy.close()
        self.assertEqual(proxy.event("usage", model="gpt-4")["requests"], 1)
        proxy.event("request", path="/v1/audio/speech", status=200, error="shutting_down")

    def test_an_unframed_stream_that_says_its_end_is_whole(self):
        def script(exchange):
            exchange.head(content_type="text/event-stream")
            exchange.send(delta("a") + usage(1, 2) + DONE)
            exchange.keep = False

        self.upstream.script = script
        with self.proxy().client() as client:
            self.assertEqual(client.ask(body=CHAT).body, delta("a") + DONE)

    def test_an_answer_that_breaks_off_is_no_success(self):
        def script(exchange):
            exchange.head(length=1000)
            exchange.send(b'{"id":"x","choices":[')
            exchange.keep = False

        self.upstream.script = script
        with self.proxy().client() as client:
            answer = client.ask(body={**CHAT, "stream": False})
            self.assertEqual((answer.status, answer.json()["error"]["message"]), (502, "Upstream service error"))

    def test_a_client_that_leaves_before_the_head_cancels_and_is_accounted(self):
        for stage in ("before the head", "after it", "in a whole answer"):
            gone = threading.Event()

            def script(exchange, stage=stage, gone=gone):
                if stage == "after it":
                    exchange.head(content_type="text/event-stream", chunked=True)
                    exchange.chunk(usage(9, 1))
                elif stage == "in a whole answer":
                    exchange.head(length=1000)
                    exchange.send(b"{")
                if exchange.closed(10):
                    gone.set()
                exchange.keep = False

            self.upstream.script = script
            proxy = self.proxy()
            with self.subTest(stage):
                before = len(self.upstream.exchanges)
                with proxy.client() as client:
                    client.request(body={**ASKED, "stream": stage != "in a whole answer"})
                    self.upstream.wait_for(before + 1)
                    if stage == "after it":
                        client.read_head()
                        client.read_chunk()
                self.assertTrue(gone.wait(10))
                record = proxy.event("request", status=499)
                self.assertEqual(record["estimated"], stage != "after it")
                self.assertGreater(record["input_tokens"], 0)
                self.assertEqual(proxy.metrics()['sentinel_client_disconnects_total{endpoint="chat"}'], 1)


class Uploading(ProxyCase):
    """To an upstream that takes a connection and reads nothing of it."""

    def setUp(self):
        super().setUp()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        self.listener.settimeout(10)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"

    def stuck(self, client):
        """The upstream's end of a request whose body doesn't go through."""
        client.request(body={**CHAT, "messages": [{"role": "user", "content": "x" * (20 << 20)}]})
        connection, _ = self.listener.accept()
        self.addCleanup(connection.close)
        return connection

    def test_a_client_that_leaves_ends_it(self):
        proxy = self.proxy(OPENAI_API_URL=self.url)
        with proxy.client() as client:
            connection = self.stuck(client)
        proxy.event("request", status=499)
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(1 << 20):  # to its end, since nobody sends the rest
                pass

    def test_a_drain_whose_time_is_over_ends_it(self):
        proxy = self.proxy(OPENAI_API_URL=self.url, SENTINEL_DRAIN_SECONDS=0.5, SENTINEL_KEEP_ALIVE_SECONDS=60)
        with proxy.client() as client:
            self.stuck(client)
            proxy.terminate()
            self.assertEqual(client.answer().status, 503)


class Flooding(ProxyCase):
    def test_a_slow_reader_stops_the_upstream_and_memory_stays(self):
        event = delta("x" * 1000)
        count = 60_000  # 60 MB
        sent = [0]
        full = threading.Event()

        def script(exchange):
            exchange.head(content_type="text/event-stream", chunked=True)
            for _ in range(count):
                if not select.select([], [exchange.connection], [], 0.5)[1]:
                    full.set()
                exchange.chunk(event)
                sent[0] += 1
            exchange.chunk(DONE)
            exchange.chunk(b"")

        self.upstream.script = script
        proxy = self.proxy()
        before = proxy.memory()
        with proxy.client() as client:
            client.request(body=CHAT)
            client.read_head()
            self.assertTrue(full.wait(30))  # the upstream can't write: the kernel's buffers on both sides are full
            self.assertLess(sent[0], count)
            self.assertLess(proxy.memory() - before, 8 << 20)
            total = 0
            while chunk := client.read_chunk():
                total += len(chunk)
            self.assertEqual(total, count * len(event) + len(DONE))
        self.assertEqual(proxy.event("request", status=200)["bytes_out"] > total, True)


if __name__ == "__main__":
    unittest.main()
