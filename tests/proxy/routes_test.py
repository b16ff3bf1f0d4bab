#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every route: what goes upstream, what comes back, what is counted; errors in both variants; what browsers and tracers need;
health and debug."""

import gzip
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from case import ProxyCase  # noqa: E402
from proxy import UPSTREAM_KEY  # noqa: E402

CHAT = {"model": "gpt-4", "messages": [{"role": "user", "content": "hi"}]}
ANSWER = {"id": "x", "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}],
          "usage": {"prompt_tokens": 15, "completion_tokens": 25, "total_tokens": 40}}


def exact(body, status=200, content_type="application/json", extra=()):
    """A script that answers these bytes."""
    def script(exchange):
        exchange.head(status, content_type, length=len(body), extra=extra)
        exchange.send(body)
    return script


class Generation(ProxyCase):
    def used(self, proxy, model):
        """What was accounted for the model, from the totals told at the end."""
        proxy.close()
        record = proxy.event("usage", model=model)
        return record["input_tokens"], record["output_tokens"], record["requests"]

    def test_usage_is_exact_and_not_swapped(self):
        proxy = self.proxy()
        with proxy.client() as client:
            for prompt, completion in ((42, 128), (10, 1000), (15, 25)):
                usage = {"prompt_tokens": prompt, "completion_tokens": completion}
                self.upstream.script = lambda exchange: exchange.send_json({**ANSWER, "usage": usage})
                self.assertEqual(client.ask(body=CHAT).status, 200)
        self.assertEqual(self.used(proxy, "gpt-4"), (67, 1153, 3))

    def test_unknown_fields_parts_and_roles_pass_both_ways_untouched(self):
        body = ('{"model":"gpt-4o" , "foo":1,"messages":[{"role":"developer","content":"be brief"},{"role":"user","refusal":null,'
                '"content":[{"type":"text","text":"ż\\u0142"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},'
                '{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}], "n":1e0}').encode()
        answer = b'{ "id":"x","choices":[{"message":{"content":null,"audio":{"id":"a"},"annotations":[]},"logprobs":null}],"service_tier":"default",' \
                 b'"usage":{"prompt_tokens":9,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":4}} }'
        self.upstream.script = exact(answer)
        with self.proxy().client() as client:
            self.assertEqual(client.ask(body=body).body, answer)
        self.assertEqual(self.upstream.exchanges[0].body, body)

    def test_empty_messages_are_forwarded(self):
        self.upstream.script = exact(json.dumps(ANSWER).encode())
        with self.proxy().client() as client:
            self.assertEqual(client.ask(body={"model": "m", "messages": []}).status, 200)

    def test_completions(self):
        answer = b'{"id":"c","choices":[{"text":"hi","index":0}],"usage":{"prompt_tokens":10,"completion_tokens":20}}'
        self.upstream.script = exact(answer)
        proxy = self.proxy()
        with proxy.client() as client:
            for prompt in ("hi", ["a", "b"], [1, 2, 3]):
                self.assertEqual(client.ask(path="/v1/completions", body={"model": "c-1", "prompt": prompt}).body, answer)
            self.assertEqual(client.ask(path="/v1/completions", body={"model": "c-1"}).status, 400)
        self.assertEqual(self.upstream.exchanges[0].target, "/v1/completions")
        self.assertEqual(self.used(proxy, "c-1"), (30, 60, 3))

    def test_responses_take_text_and_items(self):
        answer = b'{"id":"resp_1","object":"response","output":[],"usage":{"input_tokens":15,"output_tokens":25,"total_tokens":40}}'
        self.upstream.script = exact(answer)
        proxy = self.proxy()
        with proxy.client() as client:
            for body in ({"input": "text"}, {"input": [{"role": "user", "content": "hi"}]}, {}):
                self.assertEqual(client.ask(path="/v1/responses", body={"model": "r-1", **body}).body, answer)
        self.assertEqual(self.used(proxy, "r-1"), (45, 75, 3))

    def test_embeddings_of_all_forms_count_only_the_prompt(self):
        answer = b'{"object":"list","data":[{"embedding":[0.1],"index":0}],"model":"e-1","usage":{"prompt_tokens":8,"total_tokens":8}}'
        self.upstream.script = exact(answer)
        proxy = self.proxy()
        with proxy.client() as client:
            for given in ("text", ["a", "b"], [1, 2], [[1], [2]]):
                answered = client.ask(path="/v1/embeddings", body={"model": "e-1", "input": given, "encoding_format": "float", "stream": True})
                self.assertEqual((answered.status, answered.body), (200, answer))
        self.assertEqual(self.used(proxy, "e-1"), (32, 0, 4))

    def test_without_usage_an_estimate_is_accounted(self):
        self.upstream.script = exact(b'{"id":"x","choices":[{"message":{"content":"' + b"word " * 40 + b'"}}]}')
        proxy = self.proxy()
        with proxy.client() as client:
            client.ask(body={"model": "gpt-4", "messages": [{"role": "user", "content": "word " * 80}]})
        self.assertTrue(proxy.event("request", model="gpt-4")["estimated"])
        given, made, requests = self.used(proxy, "gpt-4")
        self.assertEqual(requests, 1)
        self.assertTrue(80 <= given <= 130, given)
        self.assertTrue(40 <= made <= 60, made)

    def test_answers_that_are_none_are_errors_and_cost_nothing(self):
        proxy = self.proxy()
        for body, status, code, begins in ((b"hello", 502, "UPSTREAM_ERROR", "Failed to parse response"), (b"[]", 502, "UPSTREAM_ERROR", "Failed"),
                                           (b'{"id":"x"}', 500, "INTERNAL_ERROR", "Internal server error")):
            self.upstream.script = exact(body)
            with self.subTest(body), proxy.client() as client:
                answer = client.ask(body=CHAT)
                self.assertEqual((answer.status, answer.json()["error"]["code"]), (status, code))
                self.assertTrue(answer.json()["error"]["message"].startswith(begins))
        proxy.close()
        self.assertFalse(any('"event":"usage"' in line for line in proxy.lines))

    def test_an_upstreams_refusal_in_both_variants(self):
        told = b'{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}'
        leak = b'{"error":{"message":"Incorrect API key provided: ' + UPSTREAM_KEY.encode() + b'"}}'
        for status, body, expected, shown in ((400, told, 400, True), (422, told, 422, True), (400, leak, 400, False), (429, told, 429, False),
                                              (401, leak, 502, False), (403, told, 502, False), (302, told, 502, False), (500, told, 500, False),
                                              (503, told, 503, False)):
            self.upstream.script = exact(body, status, extra=["Retry-After: 3"])
            for setting, wanted, verbatim in (("true", expected, shown), ("false", 502, False)):
                with self.subTest(status=status, setting=setting), self.proxy(SENTINEL_PASSTHROUGH_ERRORS=setting).client() as client:
                    answer = client.ask(body=CHAT)
                    self.assertEqual(answer.status, wanted)
                    self.assertNotIn(UPSTREAM_KEY.encode(), answer.body)
                    self.assertEqual(answer.headers["retry-after"], "3")
                    if verbatim:
                        self.assertEqual(answer.body, told)
                    else:
                        self.assertEqual(answer.json()["error"]["code"], "UPSTREAM_ERROR")
                        self.assertTrue(answer.json()["error"]["message"].startswith(f"OpenAI error {status}"))
                proxy = self.proxies.pop()
                proxy.close()
                self.assertFalse(any('"event":"usage"' in line for line in proxy.lines))

    def test_a_body_over_the_limit_is_refused(self):
        proxy = self.proxy(SENTINEL_MAX_BODY_BYTES=2048)
        with proxy.client() as client:
            answer = client.ask(body={**CHAT, "x": "y" * 3000})
            self.assertEqual((answer.status, answer.json()["error"]["code"]), (413, "PAYLOAD_TOO_LARGE"))
            self.assertTrue(client.at_end())
        with proxy.client() as client:
            client.request(body=b"")  # no JSON
            self.assertEqual(client.answer().status, 400)
            body = json.dumps({**CHAT, "x": "y" * 3000}).encode()
            head = "POST /v1/chat/completions HTTP/1.1\r\nHost: p\r\nAuthorization: Bearer user-key-1\r\nTransfer-Encoding: chunked\r\n\r\n"
            client.send(head.encode() + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
            self.assertEqual(client.answer().status, 413)
        self.assertEqual(self.upstream.exchanges, [])


class Encoding(ProxyCase):
    def test_metered_answers_are_asked_for_plain_and_others_as_the_client_wants(self):
        packed = gzip.compress(b"{}")

        def script(exchange):
            asked = exchange.header("accept-encoding")
            if asked == "identity":
                return exchange.send_json(ANSWER)
            exchange.head(length=len(packed), extra=("Content-Encoding: gzip", "Vary: Accept-Encoding"))
            return exchange.send(packed)

        self.upstream.script = script
        wants = ["Accept-Encoding: gzip, br"]
        with self.proxy().client() as client:
            self.assertEqual(client.ask(body=CHAT, headers=wants).json(), ANSWER)
            passed = client.ask(path="/v1/moderations", body={"input": "x"}, headers=wants)
            self.assertEqual((passed.body, passed.headers["content-encoding"], passed.headers["vary"]), (packed, "gzip", "Accept-Encoding"))
            self.assertEqual(client.ask(path="/v1/moderations", body={"input": "x"}).json(), ANSWER)
        self.assertEqual([exchange.header("accept-encoding") for exchange in self.upstream.exchanges], ["identity", "gzip, br", "identity"])

    def test_an_upstream_that_encodes_unasked_is_an_error_never_rubbish(self):
        for status, told in ((200, 502), (400, 400)):
            self.upstream.script = exact(gzip.compress(b'{"error":{"message":"x"}}'), status, extra=("Content-Encoding: gzip",))
            for body in (CHAT, {**CHAT, "stream": True}):
                with self.subTest(status=status, body=body), self.proxy().client() as client:
                    answer = client.ask(body=body)
                    self.assertEqual((answer.status, answer.json()["error"]["code"]), (told, "UPSTREAM_ERROR"))
                    self.assertNotIn("content-encoding", answer.headers)


class Models(ProxyCase):
    def test_the_upstreams_list_passes_and_costs_nothing(self):
        answer = b'{"object":"list","data":[{"id":"m","object":"model"}], "more":1}'
        self.upstream.script = exact(answer)
        proxy = self.proxy()
        with proxy.client() as client:
            got = client.ask("GET", "/v1/models?limit=2")
            self.assertEqual((got.status, got.body, got.headers["x-ratelimit-remaining"]), (200, answer, "99"))
            self.assertEqual(client.ask("GET", "/v1/models/ft%3Agpt-4").body, answer)
        self.assertEqual([exchange.target for exchange in self.upstream.exchanges], ["/v1/models?limit=2", "/v1/models/ft%3Agpt-4"])
        self.assertEqual(self.upstream.exchanges[0].body, b"")
        proxy.close()
        self.assertFalse(any('"event":"usage"' in line for line in proxy.lines))

    def test_without_an_upstream_the_fixed_list_answers(self):
        proxy = self.proxy()
        self.upstream.script = exact(b'{"error":{"message":"bad key"}}', 401)

        def ask():
            with proxy.client() as client:
                listed = client.ask("GET", "/v1/models").json()
                self.assertEqual(listed["object"], "list")
                self.assertEqual(len(listed["data"]), 8)
                self.assertIn({"id": "gpt-4", "object": "model", "created": 1687882411, "owned_by": "openai"}, listed["data"])
                self.assertEqual(client.ask("GET", "/v1/models/gpt-4o").json()["id"], "gpt-4o")
                missing = client.ask("GET", "/v1/models/nope")
                self.assertEqual((missing.status, missing.json()["error"]), (404, {"code": "NOT_FOUND", "message": "Model 'nope' not found"}))

        ask()
        self.upstream.close()
        ask()


class Passthrough(ProxyCase):
    def test_query_type_and_body_go_up_and_status_fields_and_body_come_back(self):
        body = b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n\x00\xff\r\n--x--\r\n"
        answer = bytes(range(256)) * 4
        self.upstream.script = exact(answer, 201, "audio/mpeg", ["X-RateLimit-Limit-Requests: 9", "Connection: keep-alive, X-Hop", "X-Hop: 1",
                                                                  "Keep-Alive: timeout=5", "OpenAI-Organization: owner", "Set-Cookie: a=b"])
        proxy = self.proxy()
        with proxy.client() as client:
            got = client.ask("POST", "/v1/audio/speech?a=%20b&c", body=body, headers=["Content-Type: multipart/form-data; boundary=x", "Cookie: c=1",
                                                                                    "OpenAI-Beta: x"])
            self.assertEqual((got.status, got.body, got.headers["content-type"]), (201, answer, "audio/mpeg"))
            self.assertEqual((got.headers["x-ratelimit-limit-requests"], got.headers["x-ratelimit-limit"]), ("9", "100"))
            for name in ("x-hop", "keep-alive", "openai-organization", "set-cookie"):
                self.assertNotIn(name, got.headers)
            self.assertEqual(client.ask("DELETE", "/v1/responses/resp_1").status, 201)
            client.request("HEAD", "/v1/responses/resp_1")
            status, headers = client.read_head()
            self.assertEqual((status, headers["content-length"]), (201, str(len(answer))))
        seen = self.upstream.exchanges[0]
        self.assertEqual((seen.target, seen.body, seen.header("content-type")), ("/v1/audio/speech?a=%20b&c", body, "multipart/form-data; boundary=x"))
        self.assertEqual((seen.header("cookie"), seen.header("openai-beta"), seen.header("authorization")), (None, None, f"Bearer {UPSTREAM_KEY}"))
        self.assertEqual([exchange.method for exchange in self.upstream.exchanges], ["POST", "DELETE", "HEAD"])

    def test_an_upstreams_404_passes_and_counts_as_a_request(self):
        told = b'{"error":{"message":"No such response","type":"invalid_request_error"}}'
        self.upstream.script = exact(told, 404)
        proxy = self.proxy()
        with proxy.client() as client:
            got = client.ask("GET", "/v1/responses/nope")
            self.assertEqual((got.status, got.body), (404, told))
        proxy.close()
        record = proxy.event("usage")
        self.assertEqual((record["model"], record["input_tokens"], record["output_tokens"], record["requests"]), ("", 0, 0, 1))

    def test_bodies_in_chunks_pass_and_broken_ones_break(self):
        self.upstream.script = lambda exchange: exchange.stream([b"one", b"two"])
        proxy = self.proxy()
        with proxy.client() as client:
            self.assertEqual(client.ask("GET", "/v1/responses/r").body, b"onetwo")

            def script(exchange):
                exchange.head(length=10)
                exchange.send(b"part")
                exchange.keep = False

            self.upstream.script = script
            client.request("GET", "/v1/responses/r")
            client.read_head()
            with self.assertRaises((EOFError, ConnectionResetError)):
                client.read_exactly(10)

    def test_only_what_is_listed_passes(self):
        self.upstream.script = exact(b"{}")
        with self.proxy().client() as client:
            for method, path, status in (("GET", "/v1/files", 404), ("POST", "/v1/fine_tuning/jobs", 404), ("DELETE", "/v1/models/ft", 404),
                                         ("GET", "/v1/audio/../files", 400), ("GET", "/v1/audio/%2e%2e/files", 400), ("GET", "/v1/audio/%2Ffiles", 400),
                                         ("GET", "/v1/audio//files", 400), ("TRACE", "/v1/audio/speech", 405), ("OPTIONS", "/v1/audio/speech", 405)):
                with self.subTest(path=path, method=method):
                    self.assertEqual(client.ask(method, path).status, status)
        self.assertEqual(self.upstream.exchanges, [])
        with self.proxy(SENTINEL_PASSTHROUGH="/v1/*").client() as client:
            self.assertEqual(client.ask("GET", "/v1/files?limit=1").status, 200)
            self.assertEqual(client.ask("GET", "/v1/chat/completions").status, 405)


class Edges(ProxyCase):
    def test_unknown_paths_and_methods(self):
        with self.proxy().client() as client:
            answer = client.ask("GET", "/nope", key=None)
            self.assertEqual((answer.status, answer.json()["error"]),
                             (404, {"message": "Endpoint GET /nope not found. API endpoints are under /v1/ and /native/",
                                    "type": "not_found_error", "code": "endpoint_not_found"}))
            self.assertEqual(client.ask("GET", "/v1/chat/completions", key=None).status, 401)
            for path in ("chat/completions", "completions", "responses", "embeddings"):
                answer = client.ask("GET", f"/v1/{path}")
                self.assertEqual((answer.status, answer.body, answer.headers["allow"]), (405, b"", "POST"))
            answer = client.ask("POST", "/v1/models")
            self.assertEqual((answer.status, answer.headers["allow"]), (405, "GET"))
            self.assertEqual(client.ask("GET", "/v1/debug/cache", key=None).status, 401)

    def test_browsers_may_call_and_read_the_limits(self):
        self.upstream.script = exact(json.dumps(ANSWER).encode())
        proxy = self.proxy()
        with proxy.client() as client:
            asked = ["Origin: https://app.example", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization, content-type"]
            answer = client.ask("OPTIONS", "/v1/chat/completions", key=None, headers=asked)
            self.assertEqual((answer.status, answer.body), (204, b""))
            self.assertEqual(answer.headers["access-control-allow-origin"], "*")
            self.assertEqual(answer.headers["access-control-allow-headers"], "authorization, content-type")
            self.assertIn("POST", answer.headers["access-control-allow-methods"])
            for key, status in (("user-key-1", 200), ("nobody", 401)):
                answer = client.ask(body=CHAT, key=key, headers=["Origin: https://app.example"])
                self.assertEqual((answer.status, answer.headers["access-control-allow-origin"]), (status, "*"))
                self.assertIn("X-RateLimit-Remaining", answer.headers["access-control-expose-headers"])
                self.assertNotIn("access-control-allow-credentials", answer.headers)
            self.assertNotIn("access-control-allow-origin", client.ask(body=CHAT).headers)
        with self.proxy(SENTINEL_CORS="false").client() as client:
            self.assertNotIn("access-control-allow-origin", client.ask(body=CHAT, headers=["Origin: https://app.example"]).headers)

    def test_request_ids_and_traces_go_on(self):
        self.upstream.script = exact(json.dumps(ANSWER).encode())
        proxy = self.proxy()
        trace = "0af7651916cd43dd8448eb211c80319c"
        with proxy.client() as client:
            client.ask(body=CHAT, headers=["X-Request-Id: id-1", f"Traceparent: 00-{trace}-b7ad6b7169203331-01", "Tracestate: a=1"])
            client.ask(body=CHAT, headers=["X-Request-Id: bad id", "Traceparent: 00-0-0-0", "Tracestate: a=1"])
        first, second = self.upstream.exchanges
        version, trace_id, span, flags = first.header("traceparent").split("-")
        self.assertEqual((version, trace_id, flags, first.header("tracestate")), ("00", trace, "01", "a=1"))
        self.assertNotEqual(span, "b7ad6b7169203331")
        self.assertEqual(first.header("x-request-id"), "id-1")
        self.assertEqual(proxy.event("request", request_id="id-1")["trace_id"], trace)
        self.assertNotIn(" ", second.header("x-request-id"))
        version, trace_id, span, flags = second.header("traceparent").split("-")
        self.assertEqual((version, len(trace_id), len(span), flags, second.header("tracestate")), ("00", 32, 16, "00", None))

    def test_refusals_and_failures_are_counted(self):
        proxy = self.proxy(SENTINEL_RATE_LIMIT=1)
        self.upstream.script = exact(b"{}", 500)
        with proxy.client() as client:
            client.ask(body=CHAT, key=None)
            for _ in range(4):
                client.ask(body=CHAT)
            proxy.event("request", status=429)
            self.assertEqual(client.ask("GET", "/health/live", key=None).status, 200)
        metrics = proxy.metrics()
        self.assertEqual(metrics['sentinel_responses_total{endpoint="chat",code="401"}'], 1)
        self.assertEqual(metrics['sentinel_refusals_total{endpoint="chat",reason="UNAUTHORIZED"}'], 1)
        self.assertGreaterEqual(metrics['sentinel_refusals_total{endpoint="chat",reason="RATE_LIMIT_EXCEEDED"}'], 1)
        self.assertGreaterEqual(metrics['sentinel_responses_total{endpoint="chat",code="500"}'], 1)
        self.assertGreaterEqual(metrics['sentinel_requests_total{status="error",model="other"}'], 1)
        self.assertGreaterEqual(metrics['sentinel_upstream_errors_total{upstream="openai",reason="500"}'], 1)

    def test_connections_are_counted_while_they_last(self):
        proxy = self.proxy()
        before = proxy.metrics()["sentinel_active_connections"]  # the scrape's own
        with proxy.client() as one, proxy.client() as two:
            for client in (one, two):
                self.assertEqual(client.ask("GET", "/health/live", key=None).status, 200)
            self.assertEqual(proxy.metrics()["sentinel_active_connections"], before + 2)
        proxy.until(lambda: proxy.metrics()["sentinel_active_connections"] == before, "both have ended")

    def test_models_that_clients_invent_are_no_labels(self):
        self.upstream.script = exact(b"{}", 404)
        proxy = self.proxy()
        with proxy.client() as client:
            for number in range(20):
                client.ask(body={**CHAT, "model": f"invented-{number}"})
        self.assertFalse(any("invented" in series for series in proxy.metrics()))


class Operators(ProxyCase):
    def ask(self, proxy, path, own=True):
        client = proxy.operator() if own else proxy.client()
        with client:
            return client.ask("GET", path, key=None)

    def test_health(self):
        proxy = self.proxy()
        for own in (True, False):
            whole = self.ask(proxy, "/health", own).json()
            self.assertEqual(sorted(whole), ["checks", "stats", "status", "timestamp", "uptime_seconds", "version"])
            self.assertEqual(whole["status"], "healthy")
            for path in ("/health/ready", "/health/live"):
                answer = self.ask(proxy, path, own)
                self.assertEqual((answer.status, answer.body), (200, b'{"status":"healthy"}'))

    def test_debug_is_gated_and_on_the_operators_port(self):
        answer = self.ask(self.proxy(), "/debug/cache")
        self.assertEqual((answer.status, answer.json()["error"]),
                         (404, {"message": "Debug endpoints are disabled. Set SENTINEL_DEBUG=true to enable.", "type": "not_found_error",
                                "code": "debug_disabled"}))
        proxy = self.proxy(SENTINEL_DEBUG="true")
        self.assertEqual(sorted(self.ask(proxy, "/debug/cache").json()), ["jwt_cache", "limits_cache", "profile_cache", "redis_available"])
        self.assertEqual(self.ask(proxy, "/debug/auth/user%40example.com").json(),
                         {"external_id": "user@example.com", "cached_limits": None, "cache_ttl_remaining_seconds": -2})
        config = self.ask(proxy, "/debug/config")
        self.assertEqual((config.json()["openai_api_url"], config.json()["debug_enabled"]), (self.upstream.url, True))
        self.assertNotIn(UPSTREAM_KEY.encode(), config.body)
        for path in ("/debug/cache", "/metrics"):
            self.assertEqual(self.ask(proxy, path, own=False).status, 404)
            self.assertEqual(self.ask(self.proxy(SENTINEL_DEBUG="1", SENTINEL_OPERATOR_ON_API="true"), path, own=False).status, 200)


if __name__ == "__main__":
    unittest.main()
