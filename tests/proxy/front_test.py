#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The proxy where it really stands: behind Debian's Caddy and nginx with TLS, over TCP and a unix socket, asked by the official
Node client as well as byte by byte; and calling an upstream by https with a real chain of trust."""

import json
import sys
import threading
import unittest
from pathlib import Path

SUPPORT = Path(__file__).resolve().parents[1] / "support" / "proxy"
sys.path.insert(0, str(SUPPORT))
from front import FrontCase  # noqa: E402
from node_client import node_client  # noqa: E402
from proxy import KEY, Proxy  # noqa: E402
from upstream import Upstream  # noqa: E402

WORDS = [f'data: {{"choices":[{{"index":0,"delta":{{"content":"word{i} "}}}}]}}\n\n'.encode() for i in range(5)]
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":50,"completion_tokens":10,"total_tokens":60}}\n\n'
DONE = b"data: [DONE]\n\n"
QUICK = {"SENTINEL_DRAIN_IDLE_SECONDS": 1}  # what stands in front keeps its connections
STREAMS, USERS = 2000, 20
CALL = {"name": "weather", "arguments": "{\"city\":\"Paris\"}"}


class Model:
    """A scripted model service that answers what the client's cases ask."""

    def __init__(self, upstream):
        upstream.script = self
        self.flaky = 0
        self.left = threading.Event()

    def __call__(self, exchange):
        if exchange.method == "GET":
            listed = {"id": "gpt-4", "object": "model", "created": 1, "owned_by": "x"}
            one = exchange.target.rsplit("/", 1)[1] != "models"
            return exchange.send_json(listed if one else {"object": "list", "data": [listed]})
        body = exchange.json()
        if exchange.target.endswith("/embeddings"):
            vectors = [{"object": "embedding", "index": i, "embedding": [i, 0.5]} for i, _ in enumerate(body["input"])]
            return exchange.send_json({"object": "list", "data": vectors, "model": body["model"], "usage": {"prompt_tokens": 2, "total_tokens": 2}})
        if exchange.target.endswith("/responses"):
            content = [{"type": "output_text", "text": "hi", "annotations": []}]
            return exchange.send_json({"id": "r", "object": "response", "status": "completed", "model": body["model"],
                                       "output": [{"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": content}],
                                       "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}})
        if body["model"] == "gpt-flaky":
            self.flaky += 1
            if self.flaky == 1:
                return exchange.send_json({"error": {"message": "no"}}, status=500)
        if body["model"] == "gpt-slow":
            exchange.head(content_type="text/event-stream", chunked=True)
            exchange.chunk(WORDS[0])
            if exchange.closed(15):
                self.left.set()
            exchange.keep = False
            return None
        if body.get("stream"):
            if body.get("tools"):
                calls = [{"index": 0, "id": "c1", "type": "function", "function": {"name": "weather", "arguments": ""}}]
                halves = [CALL["arguments"][:5], CALL["arguments"][5:]]
                deltas = [{"role": "assistant", "tool_calls": calls}]
                deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": half}}]} for half in halves]
                events = [{"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4",
                           "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
                events.append({**events[0], "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
                return exchange.stream([f"data: {json.dumps(event)}\n\n".encode() for event in events] + [USAGE, DONE])
            return exchange.stream([*WORDS, USAGE, DONE])
        message = {"role": "assistant", "content": "hi"}
        if body.get("tools"):
            message = {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": CALL}]}
        return exchange.send_json({"id": "x", "object": "chat.completion", "created": 1, "model": "gpt-4",
                                   "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                                   "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}})


class Front(FrontCase):
    def setUp(self):
        super().setUp()
        self.upstream = Upstream()
        self.addCleanup(self.upstream.close)
        self.model = Model(self.upstream)

    def check_front(self, port, proxy):
        """Streams pass at once and unchanged; a client that leaves is noticed upstream; errors keep their status."""
        more = threading.Event()

        def script(exchange):
            exchange.head(content_type="text/event-stream", chunked=True)
            exchange.chunk(WORDS[0])
            self.assertTrue(more.wait(10))
            for piece in (*WORDS[1:], USAGE, DONE, b""):
                exchange.chunk(piece)

        self.upstream.script = script
        asked = {"model": "gpt-4", "messages": [], "stream": True}
        with self.tls_client(port) as client:
            client.request(body=asked)
            status, headers = client.read_head()
            self.assertEqual((status, headers["content-type"]), (200, "text/event-stream"))
            self.assertEqual(client.read_chunk(), WORDS[0])
            more.set()
            rest = b""
            while chunk := client.read_chunk():
                rest += chunk
            self.assertEqual(rest, b"".join(WORDS[1:]) + DONE)
        self.upstream.script = self.model
        with self.tls_client(port) as client:
            client.request(body={**asked, "model": "gpt-slow"})
            client.read_head()
            client.read_chunk()
        self.assertTrue(self.model.left.wait(15))
        proxy.event("request", status=499)
        with self.tls_client(port) as client:
            self.assertEqual(client.ask(body=asked, key="nobody").status, 401)
            self.assertEqual(client.ask(body={"model": "gpt-4", "messages": []}).status, 200)

    def test_nginx_in_front(self):
        with Proxy(self.upstream.url, **QUICK) as proxy:
            self.check_front(self.nginx(f"127.0.0.1:{proxy.port}"), proxy)

    def test_nginx_over_a_unix_socket(self):
        with Proxy(self.upstream.url, **QUICK, SENTINEL_LISTEN=f"unix:{self.path}/api.sock") as proxy:
            self.check_front(self.nginx(f"unix:{self.path}/api.sock"), proxy)

    def test_caddy_in_front_and_its_socket_is_switched_by_a_link(self):
        link = self.path / "current.sock"
        with Proxy(self.upstream.url, **QUICK, SENTINEL_LISTEN=f"unix:{self.path}/blue.sock") as blue:
            link.symlink_to(self.path / "blue.sock")
            port = self.caddy(f"unix/{link}")
            self.check_front(port, blue)
            with Proxy(self.upstream.url, **QUICK, SENTINEL_LISTEN=f"unix:{self.path}/green.sock") as green:
                following = self.path / "next.sock"
                following.symlink_to(self.path / "green.sock")
                following.rename(link)
                blue.close()
                with self.tls_client(port) as client:
                    # One that Caddy may repeat: it may still hold a connection whose end it hasn't heard of.
                    self.assertEqual(client.ask("GET", "/v1/models", headers=["X-Request-Id: after"]).status, 200)
                green.event("request", request_id="after")

    def test_streams_that_begin_at_once_come_whole_through_caddy(self):
        """Of a hundred Caddy broke one off when it passed the bodies of requests on as they came."""
        whole, asked = [], {"model": "gpt-4", "stream": True, "messages": []}

        def script(exchange):
            exchange.head(content_type="text/event-stream", chunked=True)
            exchange.chunk(WORDS[0])
            exchange.closed(0.01)  # not all at once: then there would be nothing left to break off
            for piece in (*WORDS[1:], DONE, b""):
                exchange.chunk(piece)

        self.upstream.script = script
        with Proxy(self.upstream.url, **QUICK, SENTINEL_RATE_LIMIT=1_000_000, SENTINEL_LISTEN=f"unix:{self.path}/api.sock"):
            port = self.caddy(f"unix/{self.path}/api.sock")

            def ask():
                with self.tls_client(port) as client:
                    whole.extend(client.ask(body=asked).body.endswith(DONE) for _ in range(STREAMS // USERS))

            users = [threading.Thread(target=ask) for _ in range(USERS)]
            for user in users:
                user.start()
            for user in users:
                user.join()
            self.assertEqual((whole.count(True), len(whole)), (STREAMS, STREAMS))

    def test_the_official_client(self):
        words = b"".join(WORDS).decode()
        text = "".join(json.loads(line[6:])["choices"][0]["delta"]["content"] for line in words.split("\n\n") if line)
        expected = {
            "chat": {"text": "hi", "total": 3},
            "stream": {"text": text, "chunks": len(WORDS)},
            "stream_with_usage": {"total": 60},
            "tools": {"call": CALL},
            "tools_streamed": {"call": CALL},
            "retries": {"text": "hi"},
            "embeddings": {"vectors": [[0, 0.5], [1, 0.5]]},
            "models": {"names": ["gpt-4"]},
            "model": {"id": "gpt-4"},
            "responses": {"text": "hi"},
            "abort": {},
        }
        with Proxy(self.upstream.url, **QUICK, SENTINEL_LISTEN=f"unix:{self.path}/api.sock") as proxy:
            port = self.caddy(f"unix/{self.path}/api.sock")
            reports = node_client(f"https://localhost:{port}/v1", [*expected, "wrong_key"], {"NODE_EXTRA_CA_CERTS": str(self.authority.file)})
            refused = reports.pop("wrong_key")
            self.assertEqual(reports, expected)
            self.assertEqual((refused["kind"], refused["status"], refused["code"]), ("AuthenticationError", 401, "INVALID_TOKEN"))
            self.assertTrue(self.model.left.wait(15))
            proxy.event("request", status=499, model="gpt-slow")


if __name__ == "__main__":
    unittest.main()
