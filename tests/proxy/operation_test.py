#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Listeners, service manager, reload, health question, slow clients."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from proxy import KEY, PROXY, UPSTREAM_KEY, Proxy  # noqa: E402
from upstream import Upstream  # noqa: E402

CHAT = {"model": "gpt-4", "messages": []}
ANSWER = {"id": "x", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}


class Operation(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="sentinel-operation-")
        self.addCleanup(self.directory.cleanup)
        self.path = Path(self.directory.name)
        self.upstream = Upstream()
        self.addCleanup(self.upstream.close)
        self.upstream.script = lambda exchange: exchange.send_json(ANSWER)

    def test_a_unix_socket_has_the_access_asked_for_and_goes_with_the_process(self):
        api, metrics = self.path / "api.sock", self.path / "metrics.sock"
        stale = socket.socket(socket.AF_UNIX)
        stale.bind(str(api))
        stale.close()
        settings = {"SENTINEL_LISTEN": f"unix:{api}, 127.0.0.1:0", "SENTINEL_METRICS_LISTEN": f"unix:{metrics}",
                    "SENTINEL_SOCKET_MODE": "0640", "SENTINEL_SOCKET_OWNER": str(os.getuid()), "SENTINEL_SOCKET_GROUP": str(os.getgid())}
        with Proxy(self.upstream.url, **settings) as proxy:
            self.assertEqual(api.stat().st_mode & 0o7777, 0o640)
            with proxy.at(api) as client:
                self.assertEqual(client.ask(body=CHAT).status, 200)
            with proxy.at(metrics) as client:
                self.assertIn(b"sentinel_active_requests", client.ask("GET", "/metrics", key=None).body)
            tcp = next(line for line in proxy.lines if "127.0.0.1:" in line)
            self.assertIn('"purpose":"api"', tcp)
            second = subprocess.run([PROXY], env={**self.environment(), **settings}, capture_output=True, text=True, timeout=10)
            self.assertEqual(second.returncode, 1)
            self.assertIn("Address already in use", second.stderr)
            self.assertTrue(api.exists())
        self.assertFalse(api.exists())

    def environment(self, **settings):
        keys = self.path / "keys"
        keys.write_text("")
        return {"SENTINEL_KEYS_FILE": str(keys), "OPENAI_API_URL": self.upstream.url, "OPENAI_API_KEY": UPSTREAM_KEY,
                "SENTINEL_PORT": "0", "SENTINEL_METRICS_PORT": "0", **settings}

    def test_mistakes_are_named_with_what_was_meant(self):
        config = self.path / "config.yaml"
        config.write_text("SENTINEL_LISTEN: [\"fd:\", unix:relative]\nSENTINEL_SOCKET_MODE: '999'\nSENTINEL_DRAIN_SECOND: 3\n"
                          "SENTINEL_ACCEPT_ON_COMMAND: true\nSENTINEL_MAX_HEAD_BYTES: 10\n"
                          "SENTINEL_UPSTREAMS: [{name: a, url: 'http://h', key_env: NONE, wieght: 1}]\n"
                          "SENTINEL_MODELS: {m: [{upstream: aa}]}\n")
        result = subprocess.run([PROXY, "--config", config, "--check-config"], env=self.environment(), capture_output=True, text=True, timeout=10)
        self.assertEqual(result.returncode, 2)
        for said in ("'fd:' is not an address", "'unix:relative' is not", "SENTINEL_SOCKET_MODE", "did you mean 'SENTINEL_DRAIN_SECONDS'",
                     "needs SENTINEL_ADMIN_SOCKET", "SENTINEL_MAX_HEAD_BYTES must be a whole number from 1024", "NONE holds no key",
                     "there is no 'wieght' here", "there is no upstream 'aa'; did you mean 'a'?"):
            self.assertIn(said, result.stderr)

    def test_the_service_manager_hears_of_ready_reloading_watchdog_and_stopping(self):
        path = self.path / "notify.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(path))
            manager.settimeout(10)
            proxy = Proxy(self.upstream.url, NOTIFY_SOCKET=path, WATCHDOG_USEC=400_000)

            def heard(mark):
                for _ in range(200):
                    message = manager.recv(4096).decode()
                    if mark in message:
                        return message
                raise AssertionError(f"{mark} was not heard")

            with proxy:
                heard("READY=1")
                heard("WATCHDOG=1")
                proxy.process.send_signal(signal.SIGHUP)
                self.assertIn("MONOTONIC_USEC=", heard("RELOADING=1"))
                heard("READY=1")
                proxy.terminate()
                heard("STOPPING=1")
                self.assertEqual(proxy.process.wait(timeout=15), 0)

    def test_a_reload_takes_over_what_is_valid_and_keeps_the_rest(self):
        config = self.path / "config.yaml"
        config.write_text("SENTINEL_MODELS: [gpt-4]\n")
        proxy = Proxy(self.upstream.url, config=config)
        keys = Path(proxy.directory.name) / "keys"

        def reload(text, event, **fields):
            config.write_text(text)
            seen = len(proxy.lines)
            proxy.process.send_signal(signal.SIGHUP)
            proxy.event(event, after=seen, **fields)

        with proxy, proxy.client() as client:
            self.assertEqual(client.ask(body=CHAT).status, 200)
            self.assertEqual(client.ask(body={**CHAT, "model": "other"}).status, 404)
            reload("SENTINEL_MODELS: {other: [{upstream: openai, model: real}]}\nSENTINEL_MAX_CONNECTIONS: 50\n", "reloaded")
            proxy.event("restart_needed", setting="SENTINEL_MAX_CONNECTIONS")
            self.assertEqual(client.ask(body={**CHAT, "model": "other"}).status, 200)
            self.assertEqual(self.upstream.exchanges[-1].json()["model"], "real")
            self.assertEqual(client.ask(body=CHAT).status, 404)
            reload("SENTINEL_MODELS: {other: [{upstream: nobody}]}\n", "reload_failed")
            self.assertEqual(client.ask(body={**CHAT, "model": "other"}).status, 200)
            keys.write_text("broken line here and there\n")
            reload("SENTINEL_MODELS: [gpt-4]\n", "reload_failed")
            self.assertEqual(client.ask(body={**CHAT, "model": "other"}).status, 200)
            keys.write_text("")
            reload("SENTINEL_MODELS: [gpt-4]\n", "reloaded")
            self.assertEqual(client.ask(body=CHAT).status, 401)

    def test_the_health_question_needs_no_shell(self):
        with Proxy(self.upstream.url) as proxy:
            environment = self.environment(SENTINEL_METRICS_PORT=str(proxy.operator_port))
            self.assertEqual(subprocess.run([PROXY, "--health"], env=environment, timeout=10).returncode, 0)
        down = subprocess.run([PROXY, "--health"], env=environment, capture_output=True, text=True, timeout=10)
        self.assertEqual(down.returncode, 1)
        self.assertIn("Connection refused", down.stderr)

    def test_slow_clients_are_cut_and_others_notice_nothing(self):
        settings = {"SENTINEL_HEAD_SECONDS": 1, "SENTINEL_BODY_IDLE_SECONDS": 1, "SENTINEL_BODY_GRACE_SECONDS": 2}
        with Proxy(self.upstream.url, **settings) as proxy, proxy.client() as head, proxy.client() as body, proxy.client() as silent:
            head.send(b"GET /health/live HTTP/1.1\r\nHost: x\r\n")
            body.send(f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 1000\r\n\r\n{{".encode())
            silent.send(b"")
            stop = threading.Event()

            def drip():
                # A byte often enough for any idle timeout: the whole is too slow all the same.
                while not stop.wait(0.3):
                    for client, data in ((head, b"X-A: b\r\n"), (body, b" ")):
                        try:
                            client.send(data)
                        except OSError:
                            pass

            dripping = threading.Thread(target=drip)
            dripping.start()
            try:
                # While they drip: otherwise neither would end before the test's client gives up.
                self.assertTrue(head.at_end())
                self.assertEqual(body.answer().status, 408)
                with proxy.client() as other:
                    self.assertEqual(other.ask(body=CHAT).status, 200)
            finally:
                stop.set()
                dripping.join()

    def test_slowhttptest_does_not_get_in_the_way(self):
        program = shutil.which("slowhttptest")
        self.assertIsNotNone(program, "tools/setup installs it")
        with Proxy(self.upstream.url, SENTINEL_HEAD_SECONDS=1, SENTINEL_BODY_IDLE_SECONDS=1, SENTINEL_BODY_GRACE_SECONDS=1,
                   SENTINEL_WRITE_IDLE_SECONDS=1, SENTINEL_IDLE_SECONDS=2, SENTINEL_RATE_LIMIT=100_000) as proxy:
            # Slow heads, slow bodies, many ranges, slow readers of many answers.
            for attack in (["-H"], ["-B"], ["-R", "-a", "1", "-b", "3000"], ["-X", "-k", "10", "-n", "1", "-w", "10", "-y", "20", "-z", "5"]):
                with self.subTest(attack):
                    command = [program, *attack, "-c", "200", "-r", "200", "-i", "1", "-l", "5", "-p", "2",
                               "-u", f"http://127.0.0.1:{proxy.port}/v1/chat/completions"]
                    slow = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                    answers = 0
                    while slow.poll() is None:
                        begun = time.monotonic()
                        with proxy.client() as client:
                            self.assertEqual(client.ask(body=CHAT, headers=["X-Request-Id: while-slow"]).status, 200)
                        self.assertLess(time.monotonic() - begun, 1)
                        answers += 1
                        time.sleep(0.02)
                    output, _ = slow.communicate()
                    self.assertGreater(answers, 10, output)
                    # Everything was closed before its five seconds were over. What a slow reader hasn't read of short answers lies
                    # in the kernel, and nobody waits for it.
                    if attack[0] != "-X":
                        self.assertIn("No open connections left", output)
            proxy.until(lambda: proxy.metrics()["sentinel_active_connections"] == 1, "only the scrape's own connection is left")

    def test_clients_that_take_their_answers_too_slowly_are_cut_however_steadily_they_read(self):
        event = b"data: " + b"x" * 8000 + b"\n\n"

        def script(exchange):
            exchange.head(content_type="text/event-stream", chunked=True)
            # 400 MB are more than all buffers on the way, which have taken 15; 12 MB take the quicker client two seconds.
            for _ in range(1500 if exchange.json()["model"] == "quick" else 50_000):
                exchange.chunk(event)
            exchange.chunk(b"data: [DONE]\n\n")
            exchange.chunk(b"")

        self.upstream.script = script
        pace = threading.Event()
        with Proxy(self.upstream.url, SENTINEL_WRITE_GRACE_SECONDS=1, SENTINEL_WRITE_BYTES_PER_SECOND=1_000_000) as proxy:
            for size, ends in ((1 << 16, True), (1 << 10, False)):  # about 6 MB and 100 kB a second
                with self.subTest(size=size), proxy.client() as client:
                    client.request(body={**CHAT, "model": "quick" if ends else "slow", "stream": True})
                    got = b""
                    with contextlib.suppress(ConnectionResetError):
                        while not got.endswith(b"\r\n0\r\n\r\n"):
                            piece = client.socket.recv(size)
                            self.assertNotEqual(piece, b"", "it may not look like an end")
                            got = (got + piece)[-100:]
                            pace.wait(0.01)
                    self.assertEqual(got.endswith(b"\r\n0\r\n\r\n"), ends)
            proxy.event("request", status=499, error="client_too_slow")
            self.assertEqual(proxy.metrics()['sentinel_slow_clients_cut_total{endpoint="chat"}'], 1)

    def test_a_stream_that_has_nothing_to_send_waits_for_nobody(self):
        more = threading.Event()

        def script(exchange):
            exchange.head(content_type="text/event-stream", chunked=True)
            exchange.chunk(b"data: {}\n\n")
            self.assertTrue(more.wait(20))
            exchange.chunk(b"data: [DONE]\n\n")
            exchange.chunk(b"")

        self.upstream.script = script
        settings = {"SENTINEL_WRITE_GRACE_SECONDS": 0.1, "SENTINEL_WRITE_IDLE_SECONDS": 0.1, "SENTINEL_WRITE_BYTES_PER_SECOND": 1 << 30}
        with Proxy(self.upstream.url, SENTINEL_KEEP_ALIVE_SECONDS=0.2, **settings) as proxy, proxy.client() as client:
            client.request(body={**CHAT, "stream": True})
            # It reads nothing meanwhile, and needn't: the kernel has taken everything.
            proxy.until(lambda: proxy.metrics().get("sentinel_keep_alive_comments_total", 0) >= 4, "many times as long has passed")
            more.set()
            self.assertTrue(client.answer().body.endswith(b"data: [DONE]\n\n"))

    def test_clients_that_do_not_read_are_cut_and_others_notice_nothing(self):
        left = []

        def script(exchange):
            if not exchange.json().get("stream"):
                exchange.send_json(ANSWER)
                return
            try:
                exchange.stream([b"data: " + b"x" * 8000 + b"\n\n"] * 50_000)  # far more than all buffers on the way
            except OSError:
                left.append(None)
                exchange.keep = False

        self.upstream.script = script
        with Proxy(self.upstream.url, SENTINEL_WRITE_IDLE_SECONDS=1, SENTINEL_RATE_LIMIT=1_000_000_000) as proxy:
            slow = [proxy.client() for _ in range(50)]
            try:
                # Else the kernel takes many megabytes for each before anybody has to wait.
                self.upstream.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
                for client in slow:
                    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                    client.request(body={**CHAT, "stream": True})
                    client.read_head()
                with proxy.client() as other:
                    while len(left) < len(slow):
                        self.assertEqual(other.ask(body=CHAT).status, 200)
                proxy.until(lambda: proxy.metrics()["sentinel_active_requests"] == 1, "only the scrape itself is left")
            finally:
                for client in slow:
                    client.socket.close()


if __name__ == "__main__":
    unittest.main()
