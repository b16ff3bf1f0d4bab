#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.yaml against the program: each route it states, both ways, and real answers of every status by their schemas."""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import jsonschema
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from case import ProxyCase  # noqa: E402
from proxy import KEY, PROXY, ROOT  # noqa: E402

CHAT = {"model": "gpt-4", "messages": []}
ANSWER = {"id": "x", "choices": [], "data": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
METHODS = ("get", "put", "post", "delete", "patch")


def references(node):
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


class OpenApi(ProxyCase):
    @classmethod
    def setUpClass(cls):
        cls.document = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())

    def find(self, reference):
        node = self.document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part.replace("~1", "/")]
        return node

    def operation(self, method, path):
        """The one whose path fits best: an exact one before one with parameters."""
        for pattern in sorted(self.document["paths"], key=lambda one: one.count("{")):
            if re.fullmatch(re.sub(r"\{\w+\}", ".+", pattern), path):
                return self.document["paths"][pattern][method.lower()]
        raise AssertionError(f"{method} {path} is not in the document")

    def check(self, client, status, method, path, body=b"", key=KEY, upstreams=False):
        """`upstreams`: the body may be an upstream's own."""
        client.request(method, path, body=body, key=key)
        return self.check_answer(client, status, method, path, upstreams)

    def check_answer(self, client, status, method, path, upstreams=False):
        answer = client.answer()
        self.assertEqual(answer.status, status, answer.body)
        responses = self.operation(method, path)["responses"]
        self.assertIn(str(status), responses, f"{method} {path}")
        content = self.find(responses[str(status)]["$ref"])["content"]
        kind = answer.headers["content-type"].split(";")[0]
        self.assertIn(kind, content)
        if kind == "application/json":
            schema = content[kind]["schema"]
            if "anyOf" in schema and not upstreams:
                schema = schema["anyOf"][0]
            schema = {**schema, "components": self.document["components"]}
            jsonschema.Draft202012Validator(schema).validate(answer.json())
        return answer

    def test_the_document_is_well_formed(self):
        self.assertEqual(self.document["openapi"], "3.1.0")
        used = set(references(self.document))
        for reference in used:
            self.find(reference)
        for name, schema in self.document["components"]["schemas"].items():
            jsonschema.Draft202012Validator.check_schema(schema)
            self.assertTrue(f"#/components/schemas/{name}" in used or name == "StreamError", f"{name} is used nowhere")
        operations = [one["operationId"] for path in self.document["paths"].values() for one in path.values()]
        self.assertEqual(len(operations), len(set(operations)))

    def test_the_program_states_the_same_routes(self):
        documented = set()
        for path, operations in self.document["paths"].items():
            for method, operation in operations.items():
                open_to_all = operation.get("security") == []
                route = re.sub(r"\{\w+\}", "*", path)
                documented.add((method.upper(), route, "open" if open_to_all else "users", *operation["x-served"]))
        stated = set()
        for line in subprocess.run([PROXY, "--routes"], check=True, capture_output=True, text=True).stdout.splitlines():
            method, *rest = line.split(" ")
            stated |= {(one.upper(), *rest) for one in (METHODS if method == "*" else [method])}
        self.assertEqual(documented, stated)

    def test_answers_are_as_written(self):
        self.upstream.script = lambda exchange: exchange.send_json(ANSWER)
        with self.proxy(SENTINEL_MODELS="[gpt-4, m]", SENTINEL_MAX_BODY_BYTES=2000) as proxy, proxy.client() as client:
            for path in ("/health", "/health/ready", "/health/live"):
                self.check(client, 200, "GET", path, key=None)
            for path, body in (("chat/completions", CHAT), ("completions", {"model": "m", "prompt": "x"}), ("responses", {"model": "m"}),
                               ("embeddings", {"model": "m", "input": "x"})):
                path = f"/v1/{path}"
                self.check(client, 200, "POST", path, body)
                self.check(client, 400, "POST", path, b"{")
                self.check(client, 401, "POST", path, body, key=None)
                self.check(client, 401, "POST", path, body, key="nobody")
                self.check(client, 404, "POST", path, {**body, "model": "nope"})
            self.check(client, 200, "GET", "/v1/models")
            self.check(client, 200, "GET", "/v1/models/gpt-4")
            self.check(client, 404, "GET", "/v1/models/nope")
            self.check(client, 404, "PUT", "/v1/files/x", b"x")
            with proxy.client() as other:
                self.check(other, 413, "POST", "/v1/embeddings", b"x" * 3000)
            with proxy.operator() as operator:
                self.check(operator, 200, "GET", "/metrics", key=None)
                for path in ("/debug/cache", "/debug/auth/x", "/debug/config"):
                    self.check(operator, 404, "GET", path, key=None)

    def test_refusals_are_as_written(self):
        with self.proxy(SENTINEL_RATE_LIMIT=8) as proxy, proxy.client() as client:
            for status, extra in ((500, ()), (429, ("Retry-After: 0",)), (404, ()), (503, ())):
                self.upstream.script = lambda exchange, status=status, extra=extra: exchange.send_json({"error": {"message": "no"}}, status, extra)
                self.check(client, status, "POST", "/v1/chat/completions", CHAT, upstreams=True)
            self.upstream.script = lambda exchange: exchange.send_json({"no": "choices"})
            self.check(client, 500, "POST", "/v1/chat/completions", CHAT)
            self.upstream.script = lambda exchange: exchange.send_json([])
            self.check(client, 502, "POST", "/v1/chat/completions", CHAT)
            self.check(client, 502, "POST", "/v1/embeddings", {"model": "m", "input": "x"})
            self.check(client, 200, "GET", "/v1/models")
            for method, path in (("POST", "/v1/chat/completions"), ("GET", "/v1/models"), ("GET", "/v1/models/x"), ("DELETE", "/v1/files/x")):
                limited = self.check(client, 429, method, path, CHAT if method == "POST" else b"")
                self.assertIn("retry-after", limited.headers)

    def test_a_body_that_does_not_come_is_as_written(self):
        with self.proxy(SENTINEL_BODY_IDLE_SECONDS=0.1) as proxy:
            for method, path in (("POST", "chat/completions"), ("POST", "completions"), ("POST", "responses"), ("POST", "embeddings"),
                                 *((method, "audio/speech") for method in ("GET", "POST", "PUT", "PATCH", "DELETE"))):
                with self.subTest(method=method, path=path), proxy.client() as client:
                    client.send(f"{method} /v1/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 9\r\n\r\n{{".encode())
                    self.check_answer(client, 408, method, f"/v1/{path}")

    def test_nobody_who_can_answer_is_as_written(self):
        self.upstream.script = lambda exchange: exchange.send_json({"error": {"message": "no"}}, 429, ("Retry-After: 30",))
        asked = [("POST", f"/v1/{path}", {"model": "m", "messages": [], "prompt": "x", "input": "x"})
                 for path in ("chat/completions", "completions", "responses", "embeddings")]
        asked += [(method, "/v1/audio/speech", b"") for method in METHODS]
        with self.proxy() as proxy, proxy.client() as client:
            self.check(client, 429, "POST", "/v1/chat/completions", CHAT)
            for method, path, body in asked:
                with self.subTest(method=method, path=path):
                    resting = self.check(client, 503, method.upper(), path, body)
                    self.assertTrue(20 < int(resting.headers["retry-after"]) <= 30, resting.headers)
            self.check(client, 400, "GET", "/v1/audio/%2e%2e/files")
            self.check(client, 200, "GET", "/v1/models")  # known without asking
        self.assertEqual(len(self.upstream.exchanges), 1)

    def test_an_upstream_that_is_away_is_as_written(self):
        self.upstream.close()
        with self.proxy(SENTINEL_BREAKER_FAILURES=1000) as proxy, proxy.client() as client:
            for method, path, body in (("POST", "/v1/chat/completions", CHAT), ("POST", "/v1/audio/speech", b"x"), ("GET", "/v1/models/x", b"")):
                with self.subTest(path):
                    self.check(client, 404 if "models" in path else 502, method, path, body)

    def test_nobody_who_knows_the_user_is_as_written(self):
        unsigned = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJzdWIiOiJ1In0.AAAA"
        for status, settings in ((502, {"ZION_API_URL": "http://127.0.0.1:1", "ZION_API_KEY": "k"}),
                                 (503, {"SENTINEL_JWKS": "http://127.0.0.1:1/", "SENTINEL_JWT_ISSUER": "i", "SENTINEL_JWT_AUDIENCE": "a"})):
            with self.proxy(**settings) as proxy, proxy.client() as client:
                for method, path in (("POST", "/v1/chat/completions"), ("POST", "/v1/embeddings"), ("GET", "/v1/models"), ("GET", "/v1/models/x"),
                                     ("PUT", "/v1/files/x")):
                    with self.subTest(status=status, path=path):
                        self.check(client, status, method, path, key=unsigned)

    def test_what_operators_are_told_is_as_written(self):
        away = {"REDIS_URL": "redis://127.0.0.1:1", "SENTINEL_READY_NEEDS_REDIS": "true"}
        with self.proxy(SENTINEL_DEBUG="true", **away) as proxy, proxy.operator() as operator:
            for path in ("/debug/cache", "/debug/auth/x", "/debug/config"):
                self.check(operator, 200, "GET", path, key=None)
            for path in ("/health", "/health/ready"):
                self.check(operator, 503, "GET", path, key=None)
            self.check(operator, 200, "GET", "/health/live", key=None)

    def test_the_hand_overs_commands_are_as_written(self):
        with tempfile.TemporaryDirectory(prefix="sentinel-openapi-") as directory:
            path = f"{directory}/admin.sock"
            with self.proxy(SENTINEL_ADMIN_SOCKET=path) as proxy, proxy.at(path) as admin, proxy.client() as kept:
                self.check(kept, 200, "GET", "/health/live", key=None)  # who is left keeps the process alive
                for method, command, state in (("GET", "state", "accepting"), ("POST", "hold", "holding"), ("POST", "accept", "accepting"),
                                               ("POST", "drain", "draining")):
                    self.assertEqual(self.check(admin, 200, method, f"/admin/{command}", key=None).json()["state"], state)
                for command in ("hold", "accept"):
                    self.assertEqual(self.check(admin, 409, "POST", f"/admin/{command}", key=None).json()["state"], "draining")
                self.check(admin, 200, "POST", "/admin/drain", key=None)


if __name__ == "__main__":
    unittest.main()
