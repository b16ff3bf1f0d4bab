#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The response cache: what is the same question, who may be given the answer, how it is replayed, and what is never kept."""

import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from case import ProxyCase  # noqa: E402
from node_client import node_client  # noqa: E402

CHAT = {"model": "gpt-4", "messages": [{"role": "user", "content": "hi"}], "temperature": 0}
STREAM = {**CHAT, "stream": True}
EVENTS = [b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n', b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":6}}\n\n',
          b"data: [DONE]\n\n"]


USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
CALL = {"name": "weather", "arguments": "{\"city\": \"Paris\"}"}


def told_in_either_form(exchange):
    """The same answer as a model service writes it whole or as a stream."""
    body = exchange.json()
    chat = exchange.target.endswith("/chat/completions")
    base = {"id": "x", "created": 1, "model": body["model"]}
    if chat and body.get("tools"):
        call = {"id": "c1", "type": "function", "function": CALL}
        message = {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call], "annotations": []}
        pieces = [{"role": "assistant", "content": None, "refusal": None, "tool_calls": [{"index": 0, **call, "function": {**CALL, "arguments": ""}}]},
                  *({"tool_calls": [{"index": 0, "function": {"arguments": part}}]} for part in (CALL["arguments"][:4], CALL["arguments"][4:]))]
    else:
        message = {"role": "assistant", "content": "Good day", "refusal": None, "annotations": []}
        pieces = [{"role": "assistant", "content": "", "refusal": None}, {"content": "Good"}, {"content": " day"}]
    if not body.get("stream"):
        said = {"message": message} if chat else {"text": message["content"]}
        choice = {"index": 0, **said, "logprobs": None, "finish_reason": "stop"}
        return exchange.send_json({**base, "object": "chat.completion" if chat else "text_completion", "choices": [choice], "usage": USAGE})
    chunks = []
    for piece, finish in [*((piece, None) for piece in pieces), ({}, "stop")]:
        said = {"delta": piece} if chat else {"text": piece.get("content", "")}
        chunks.append({**base, "choices": [{"index": 0, **said, "logprobs": None, "finish_reason": finish}], "usage": None})
    chunks.append({**base, "choices": [], "usage": USAGE})
    for chunk in chunks:
        chunk["object"] = "chat.completion.chunk" if chat else "text_completion"
    return exchange.stream([f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks] + [EVENTS[2]])


class ResponseCache(ProxyCase):
    def setUp(self):
        super().setUp()
        self.upstream.script = self.answer

    def answer(self, exchange):
        """A different answer each time."""
        if exchange.json().get("stream"):
            exchange.stream(EVENTS)
        else:
            exchange.send_json({"id": str(len(self.upstream.exchanges)), "choices": [], "data": [], "usage": {"prompt_tokens": 5, "completion_tokens": 6}})

    def asked(self):
        return len(self.upstream.exchanges)

    def test_nothing_is_kept_unless_the_operator_says_so(self):
        with self.proxy().client() as client:
            first, second = client.ask(body=CHAT), client.ask(body=CHAT)
        self.assertNotEqual(first.body, second.body)
        self.assertNotIn("x-cache", first.headers)

    def test_the_same_question_is_answered_again_without_the_upstream(self):
        proxy = self.proxy(SENTINEL_RESPONSE_CACHE="user")
        with proxy.client() as client:
            first = client.ask(body=CHAT)
            again = client.ask(body={"temperature": 0, "user": "someone", **CHAT})
            self.assertEqual((first.headers["x-cache"], again.headers["x-cache"]), ("miss", "hit"))
            self.assertEqual(again.body, first.body)
            self.assertIn("x-ratelimit-remaining", again.headers)
        self.assertEqual(self.asked(), 1)
        metrics = proxy.metrics()
        self.assertEqual(metrics['sentinel_cache_operations_total{operation="get",result="hit"}'], 1)
        self.assertEqual(metrics["sentinel_response_cache_entries"], 1)
        proxy.close()
        record = proxy.event("usage", model="gpt-4")
        self.assertEqual((record["input_tokens"], record["output_tokens"], record["requests"]), (5, 6, 2))

    def test_every_field_that_shapes_the_answer_counts(self):
        differing = [{}, {"temperature": 0.0}, {"temperature": 1}, {"max_tokens": 1}, {"seed": 1}, {"tool_choice": "none"}, {"n": 2}, {"stop": "x"},
                     {"response_format": {"type": "json_object"}}, {"unknown": 1}, {"model": "gpt-4o"}, {"messages": []}]
        with self.proxy(SENTINEL_RESPONSE_CACHE="shared").client() as client:
            bodies = [client.ask(body={**CHAT, **change}).body for change in differing]
            without = dict(CHAT)
            del without["temperature"]
            bodies.append(client.ask(body=without).body)
        self.assertEqual(len(set(bodies)), len(differing) + 1)

    def test_users_share_only_when_told_to(self):
        for scope, asked in (("user", 2), ("shared", 1)):
            before = self.asked()
            with self.subTest(scope), self.proxy(SENTINEL_RESPONSE_CACHE=scope).client() as client:
                for key in ("user-key-1", "user-key-2", "user-key-1"):
                    client.ask(body=CHAT, key=key)
                self.assertEqual(self.asked() - before, asked)

    def test_streams_are_replayed_as_streams_with_and_without_usage(self):
        with self.proxy(SENTINEL_RESPONSE_CACHE="user").client() as client:
            for body, events in ((STREAM, EVENTS[0] + EVENTS[2]), ({**STREAM, "stream_options": {"include_usage": True}}, b"".join(EVENTS))):
                for _ in range(2):
                    answer = client.ask(body=body)
                    self.assertEqual((answer.body, answer.headers["content-type"]), (events, "text/event-stream"))
                self.assertEqual((self.asked(), answer.headers["x-cache"]), (1, "hit"))

    def test_the_official_client_gets_a_kept_answer_in_either_form(self):
        """One call of the upstream answers whoever asks, whatever form it was made in."""
        text = {"chat": {"text": "Good day", "total": 7}, "stream": {"text": "Good day"}, "stream_with_usage": {"total": 7}}
        tools = {"tools": {"call": CALL}, "tools_streamed": {"call": CALL}}
        completion = {"completion": {"text": "Good day", "finish": "stop", "total": 7}, "completion_streamed": {"text": "Good day", "finish": "stop"}}
        for expected in (text, tools, completion):
            for order in (list(expected), list(reversed(expected))):
                with self.subTest(order), self.proxy(SENTINEL_RESPONSE_CACHE="user", SENTINEL_WORKERS=2) as proxy:
                    self.upstream.script = told_in_either_form
                    before = self.asked()
                    reports = node_client(f"http://127.0.0.1:{proxy.port}/v1", order)
                    reports.get("stream", {}).pop("chunks", None)
                    self.assertEqual(reports, expected)
                    self.assertEqual(self.asked() - before, 1)

    def test_what_can_only_be_told_in_its_own_form_is_kept_by_form(self):
        def with_logprobs(exchange):
            choice = {"index": 0, "logprobs": {"content": []}, "finish_reason": "stop"}
            if exchange.json().get("stream"):
                chunk = {"object": "chat.completion.chunk", "choices": [{**choice, "delta": {"content": "a"}}]}
                exchange.stream([f"data: {json.dumps(chunk)}\n\n".encode(), EVENTS[1], EVENTS[2]])
            else:
                exchange.send_json({"object": "chat.completion", "choices": [{**choice, "message": {"content": "a"}}], "usage": USAGE})

        self.upstream.script = with_logprobs
        with self.proxy(SENTINEL_RESPONSE_CACHE="user").client() as client:
            states = [client.ask(body=body).headers["x-cache"] for body in (CHAT, STREAM, CHAT, STREAM)]
        self.assertEqual(states, ["miss", "miss", "hit", "hit"])

    def test_what_failed_or_broke_off_is_not_kept(self):
        def failing(exchange):
            exchange.send_json({"error": {"message": "no"}}, status=500)

        def broken(exchange):
            exchange.head(content_type="text/event-stream", chunked=True)
            exchange.chunk(EVENTS[0])
            exchange.keep = False

        def endless(exchange):
            exchange.stream(EVENTS[:2])

        def error(exchange):
            exchange.stream([b'data: {"error":{"message":"no"}}\n\n', EVENTS[2]])

        proxy = self.proxy(SENTINEL_RESPONSE_CACHE="user")
        for script in (failing, broken, endless, error):
            with self.subTest(script.__name__), proxy.client() as client:
                self.upstream.script = script
                client.ask(body=STREAM)
                self.assertEqual(client.ask(body=STREAM).headers.get("x-cache"), "miss")
        self.assertEqual(proxy.metrics()["sentinel_response_cache_entries"], 0)

    def test_clients_may_ask_past_it_and_state_is_never_kept(self):
        with self.proxy(SENTINEL_RESPONSE_CACHE="shared").client() as client:
            for headers in (["Cache-Control: no-cache"], ["Cache-Control: max-age=0, no-store"]):
                self.assertNotEqual(client.ask(body=CHAT, headers=headers).body, client.ask(body=CHAT, headers=headers).body)
            bodies = {client.ask(path="/v1/responses", body={"model": "r", "input": "x"}).body for _ in range(2)}
            self.assertEqual(len(bodies), 2)
            vectors = {client.ask(path="/v1/embeddings", body={"model": "e", "input": "x"}).body for _ in range(2)}
            self.assertEqual(len(vectors), 1)

    def test_responses_that_the_upstream_does_not_keep_are_kept_here(self):
        asked = {"model": "r", "input": "x", "store": False}
        told = {"id": "r", "object": "response", "usage": {"input_tokens": 5, "output_tokens": 6}}
        events = [b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"a"}\n\n',
                  f'event: response.completed\ndata: {json.dumps({"type": "response.completed", "response": told})}\n\n'.encode()]
        self.upstream.script = lambda exchange: exchange.stream(events) if exchange.json().get("stream") else exchange.send_json(told)
        with self.proxy(SENTINEL_RESPONSE_CACHE="user").client() as client:
            for body, expected in ((asked, json.dumps(told).encode()), ({**asked, "stream": True}, b"".join(events))):
                answers = [client.ask(path="/v1/responses", body=body) for _ in range(2)]
                self.assertEqual([(one.body, one.headers["x-cache"]) for one in answers], [(expected, "miss"), (expected, "hit")])
            self.assertEqual(self.asked(), 2)
            for more in ({"previous_response_id": "r"}, {"tools": [{"type": "web_search"}]}, {"store": True}):
                answers = [client.ask(path="/v1/responses", body={**asked, **more}) for _ in range(2)]
                self.assertEqual([one.headers.get("x-cache") for one in answers], [None, None])
        self.assertEqual(self.asked(), 8)

    def test_answers_grow_old(self):
        proxy = self.proxy(SENTINEL_RESPONSE_CACHE="user", CACHE_TTL_SECONDS=1, SENTINEL_RATE_LIMIT=100_000)
        with proxy.client() as client:
            first = client.ask(body=CHAT).body
            proxy.until(lambda: client.ask(body=CHAT).body != first, "the answer is made anew")

    def test_memory_is_bounded(self):
        proxy = self.proxy(SENTINEL_RESPONSE_CACHE="user", SENTINEL_RESPONSE_CACHE_BYTES=64 << 10, SENTINEL_RATE_LIMIT=1000)
        with proxy.client() as client:
            for number in range(200):
                client.ask(body={**CHAT, "seed": number})
        self.assertLessEqual(proxy.metrics()["sentinel_response_cache_bytes"], 64 << 10)


if __name__ == "__main__":
    unittest.main()
