#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A release takes over from the one before it, under live streams and load: nobody is refused, no connection is reset, no
stream is lost. The sample replaces 3 times under 50 streams; a campaign 10 times under 1,000."""

import asyncio
import json
import os
import socket
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from proxy import KEY, Proxy  # noqa: E402

CAMPAIGN = bool(os.environ.get("SENTINEL_CAMPAIGN"))
TIMES, STREAMS, KEPT, FRESH = (10, 1000, 20, 8) if CAMPAIGN else (3, 50, 6, 3)
EVENTS, PACE = 15, 0.2  # of one stream: it lives through a replacement
ANSWER = json.dumps({"id": "x", "choices": [{"index": 0, "message": {"content": "hi"}}],
                     "usage": {"prompt_tokens": 1, "completion_tokens": 1}}).encode()


async def read_head(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    return lines[0], {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in lines[1:] if line}


async def upstream(reader, writer):
    """Answers chat completions; streams take EVENTS * PACE seconds."""
    try:
        while True:
            _, fields = await read_head(reader)
            body = json.loads(await reader.readexactly(int(fields["content-length"])))
            if not body.get("stream"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER) + ANSWER)
                await writer.drain()
                continue
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            for number in range(EVENTS):
                event = b'data: {"choices":[{"index":0,"delta":{"content":"%d "}}]}\n\n' % number
                writer.write(b"%x\r\n" % len(event) + event + b"\r\n")
                await writer.drain()
                await asyncio.sleep(PACE)
            writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def request(stream=False):
    body = json.dumps({"model": "m", "messages": [], "stream": stream}).encode()
    return (f"POST /v1/chat/completions HTTP/1.1\r\nHost: proxy\r\nAuthorization: Bearer {KEY}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


class Load:
    """Clients of one port; what goes wrong for any of them is in `failures`."""

    def __init__(self, port):
        self.port = port
        self.going = True
        self.failures = []
        self.answers = 0
        self.streams = 0
        self.last = 0  # answers that said they were the last of their connection

    async def kept(self):
        """One request after another on a connection, until told that it was the last."""
        while self.going:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                while self.going:
                    writer.write(request())
                    line, fields = await read_head(reader)
                    body = await reader.readexactly(int(fields["content-length"]))
                    if " 200 " not in line or body != ANSWER:
                        self.failures.append(f"kept: {line} {body!r}")
                    self.answers += 1
                    if fields.get("connection") == "close":
                        self.last += 1
                        break
                    await asyncio.sleep(0.01)
            finally:
                writer.close()

    async def fresh(self):
        """A connection for every request."""
        while self.going:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                writer.write(request())
                line, fields = await read_head(reader)
                await reader.readexactly(int(fields["content-length"]))
                if " 200 " not in line:
                    self.failures.append(f"fresh: {line}")
                self.answers += 1
            finally:
                writer.close()
            await asyncio.sleep(0.02)

    async def streamed(self, delay):
        await asyncio.sleep(delay)
        while self.going:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                writer.write(request(stream=True))
                line, _ = await read_head(reader)
                body = await reader.readuntil(b"\r\n0\r\n\r\n")
                whole = all(b'"content":"%d "' % number in body for number in range(EVENTS)) and b"data: [DONE]" in body
                if " 200 " not in line or not whole:
                    self.failures.append(f"stream: {line} {body!r}")
                self.streams += 1
            finally:
                writer.close()

    async def watched(self, task):
        try:
            await task
        except Exception as failure:  # refused, reset, cut: what the test is about
            self.failures.append(repr(failure))


def admin(path, method, target):
    client = Proxy.at(None, path)
    with client:
        return client.ask(method, target, key=None)


class Handover(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="sentinel-handover-")
        self.addCleanup(self.directory.cleanup)
        self.api = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.metrics = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.api.close)
        self.addCleanup(self.metrics.close)
        self.started = 0

    def release(self, url):
        """A started release that doesn't accept yet, and its admin socket."""
        self.started += 1
        socket_path = f"{self.directory.name}/{self.started}.sock"
        proxy = Proxy(url, inherited={"api": self.api, "metrics": self.metrics}, SENTINEL_LISTEN="fd:api", SENTINEL_METRICS_LISTEN="fd:metrics",
                      SENTINEL_ADMIN_SOCKET=socket_path, SENTINEL_ACCEPT_ON_COMMAND="true", SENTINEL_RATE_LIMIT=1_000_000,
                      SENTINEL_DRAIN_SECONDS=30, SENTINEL_DRAIN_IDLE_SECONDS=20)
        proxy.event("listening", purpose="admin")
        return proxy, socket_path

    async def replace(self, load, url, proxy, path):
        """The following release, which serves now, and the old one that ends."""
        ask = asyncio.get_running_loop().run_in_executor
        following, following_path = await ask(None, self.release, url)
        self.assertEqual((await ask(None, admin, following_path, "GET", "/admin/state")).json()["state"], "waiting")
        self.assertEqual((await ask(None, admin, following_path, "GET", "/health/ready")).status, 200)
        self.assertEqual((await ask(None, admin, following_path, "POST", "/admin/accept")).json()["state"], "accepting")
        self.assertEqual((await ask(None, admin, path, "POST", "/admin/drain")).json()["state"], "draining")
        return following, following_path, proxy

    async def take_back(self, load, url, proxy, path):
        """The old one holds while the following one serves, and then serves again; the following one ends."""
        ask = asyncio.get_running_loop().run_in_executor
        following, following_path = await ask(None, self.release, url)
        self.assertEqual((await ask(None, admin, following_path, "POST", "/admin/accept")).json()["state"], "accepting")
        self.assertEqual((await ask(None, admin, path, "POST", "/admin/hold")).json()["state"], "holding")
        await asyncio.sleep(EVENTS * PACE / 2)
        answers = load.answers
        while load.answers < answers + KEPT + FRESH:
            await asyncio.sleep(0.01)
        self.assertEqual((await ask(None, admin, path, "POST", "/admin/accept")).json()["state"], "accepting")
        self.assertEqual((await ask(None, admin, following_path, "POST", "/admin/drain")).json()["state"], "draining")
        return proxy, path, following

    async def under_load(self, step):
        server = await asyncio.start_server(upstream, "127.0.0.1", 0, backlog=4096)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        ask = asyncio.get_running_loop().run_in_executor
        load = Load(self.api.getsockname()[1])
        proxy, path = await ask(None, self.release, url)
        self.assertEqual((await ask(None, admin, path, "POST", "/admin/accept")).status, 200)
        clients = [load.watched(load.kept()) for _ in range(KEPT)] + [load.watched(load.fresh()) for _ in range(FRESH)]
        clients += [load.watched(load.streamed(EVENTS * PACE * i / STREAMS)) for i in range(STREAMS)]
        clients = [asyncio.create_task(client) for client in clients]
        old = []
        for _ in range(TIMES):
            await asyncio.sleep(EVENTS * PACE / 2)
            proxy, path, ended = await step(load, url, proxy, path)
            old.append(ended)
        await asyncio.sleep(EVENTS * PACE)
        load.going = False
        await asyncio.gather(*clients)
        for former in old:
            self.assertEqual(await ask(None, former.process.wait, 40), 0)
            self.assertEqual([line for line in former.lines if "connections_cut" in line], [])
            await ask(None, former.close)
        await ask(None, proxy.close)
        server.close()
        return load

    def test_nobody_notices(self):
        load = asyncio.run(self.under_load(self.replace))
        self.assertEqual(load.failures, [])
        self.assertGreaterEqual(load.streams, STREAMS * TIMES // 3)
        self.assertGreaterEqual(load.last, KEPT * TIMES // 2)
        print(f"{TIMES} hand-overs: {load.answers} answers, {load.streams} streams, {load.last} connections told to end, "
              f"{len(load.failures)} refused, reset or lost")

    def test_nobody_notices_a_release_that_is_taken_back(self):
        load = asyncio.run(self.under_load(self.take_back))
        self.assertEqual(load.failures, [])
        self.assertGreaterEqual(load.streams, STREAMS * TIMES // 3)
        self.assertGreaterEqual(load.last, KEPT * TIMES // 2)

    def test_a_release_that_holds_leaves_new_connections_to_others(self):
        proxy, path = self.release("http://127.0.0.1:9/v1")
        request = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
        with proxy:
            self.assertEqual(admin(path, "POST", "/admin/hold").json()["state"], "waiting")
            admin(path, "POST", "/admin/accept")
            with socket.create_connection(self.api.getsockname(), timeout=10) as kept, socket.create_connection(self.api.getsockname(), timeout=10) as other:
                for client in (kept, other):
                    client.sendall(request)
                    self.assertNotIn(b"Connection: close", client.recv(1000))
                self.assertEqual(admin(path, "POST", "/admin/hold").json()["state"], "holding")
                self.assertEqual(admin(path, "POST", "/admin/hold").json()["state"], "holding")
                proxy.event("holding")
                kept.sendall(request)
                self.assertIn(b"Connection: close", kept.recv(1000))
                with socket.create_connection(self.api.getsockname(), timeout=10) as queued:
                    queued.sendall(request)
                    queued.settimeout(0.3)
                    with self.assertRaises(TimeoutError):
                        queued.recv(1)
                    self.assertEqual(admin(path, "POST", "/admin/accept").json()["state"], "accepting")
                    queued.settimeout(10)
                    self.assertTrue(queued.recv(1000).startswith(b"HTTP/1.1 200"))
                other.sendall(request)
                self.assertNotIn(b"Connection: close", other.recv(1000))
                admin(path, "POST", "/admin/hold")
                # A connection is left, so that it is still there to be asked.
                self.assertEqual(admin(path, "POST", "/admin/drain").json()["state"], "draining")
                self.assertEqual(admin(path, "POST", "/admin/hold").status, 409)
            self.assertEqual(proxy.process.wait(timeout=15), 0)

    def test_a_release_that_waits_serves_only_its_admin_socket(self):
        proxy, path = self.release("http://127.0.0.1:9/v1")
        with proxy:
            with socket.create_connection(self.api.getsockname(), timeout=5) as client:
                client.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertEqual(admin(path, "GET", "/admin/state").json()["state"], "waiting")
                self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
                client.settimeout(0.3)
                with self.assertRaises(TimeoutError):
                    client.recv(1)
                admin(path, "POST", "/admin/accept")
                client.settimeout(10)
                self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 200"))  # it waited in the socket's queue
            self.assertEqual(admin(path, "GET", "/admin/accept").status, 405)
            self.assertEqual(admin(path, "GET", "/metrics").status, 200)
            proxy.terminate()
            self.assertEqual(proxy.process.wait(timeout=15), 0)
        self.assertFalse(os.path.exists(path))

    def test_the_admin_routes_are_nowhere_else(self):
        proxy, path = self.release("http://127.0.0.1:9/v1")
        with proxy:
            admin(path, "POST", "/admin/accept")
            for port in (self.api.getsockname()[1], self.metrics.getsockname()[1]):
                with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                    client.sendall(b"POST /admin/drain HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                    self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 404"))
            with socket.create_connection(self.api.getsockname(), timeout=5) as idle:
                idle.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertIn(b"200 OK", idle.recv(1000))
                self.assertEqual(admin(path, "POST", "/admin/drain").json()["state"], "draining")
                self.assertEqual(admin(path, "GET", "/admin/state").json()["connections"], 1)
                self.assertEqual(admin(path, "POST", "/admin/accept").status, 409)
                begun = time.monotonic()
            self.assertEqual(proxy.process.wait(timeout=15), 0)
            self.assertLess(time.monotonic() - begun, 10)


if __name__ == "__main__":
    unittest.main()
