#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The scripted upstream itself: what tests of the proxy conclude from it holds only if it does what its script says."""

import socket
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from upstream import Upstream  # noqa: E402

REQUEST = b"POST /v1/x?y=1 HTTP/1.1\r\nHost: u\r\nX-Two:  words \r\nContent-Length: 3\r\n\r\nabc"


class ScriptedUpstream(unittest.TestCase):
    def setUp(self):
        self.upstream = Upstream()
        self.socket = socket.create_connection(("127.0.0.1", self.upstream.port), timeout=10)

    def tearDown(self):
        self.socket.close()
        self.upstream.close()

    def read(self, mark):
        data = b""
        while mark not in data:
            more = self.socket.recv(65536)
            if not more:
                break
            data += more
        return data

    def test_a_request_is_seen_as_it_arrived_and_the_connection_is_kept(self):
        self.upstream.script = lambda exchange: exchange.send_json({"n": len(self.upstream.exchanges)}, extra=["X-A: b"])
        for number in (1, 2):
            self.socket.sendall(REQUEST)
            answer = self.read(b"}")
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 "))
            self.assertIn(b"\r\nX-A: b\r\n", answer)
            self.assertTrue(answer.endswith(b'\r\n\r\n{"n": %d}' % number))
        seen = self.upstream.exchanges[1]
        self.assertEqual((seen.method, seen.target, seen.body), ("POST", "/v1/x?y=1", b"abc"))
        self.assertEqual((seen.header("x-two"), seen.header("absent")), ("words", None))
        self.assertEqual(self.upstream.connections, 1)

    def test_a_stream_is_one_chunk_per_piece(self):
        self.upstream.script = lambda exchange: exchange.stream([b"a", b"0123456789abcdef"])
        self.socket.sendall(REQUEST)
        self.assertTrue(self.read(b"0\r\n\r\n").endswith(b"\r\n\r\n1\r\na\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"))

    def test_a_script_may_break_off(self):
        def script(exchange):
            exchange.head(length=100)
            exchange.send(b"part")
            exchange.keep = False

        self.upstream.script = script
        self.socket.sendall(REQUEST)
        self.assertTrue(self.read(b"never").endswith(b"\r\n\r\npart"))
        self.assertEqual(self.socket.recv(1), b"")

    def test_it_notices_whether_the_other_side_left(self):
        seen = []

        def script(exchange):
            seen.append(exchange.closed(0.05))
            first.set()
            seen.append(exchange.closed(10))
            done.set()

        first, done = threading.Event(), threading.Event()
        self.upstream.script = script
        self.socket.sendall(REQUEST)
        self.assertTrue(first.wait(10))
        self.socket.close()
        self.assertTrue(done.wait(10))
        self.assertEqual(seen, [False, True])

    def test_a_script_that_fails_is_remembered(self):
        def script(exchange):
            raise ValueError("wrong")

        self.upstream.script = script
        self.socket.sendall(REQUEST)
        self.assertEqual(self.read(b"never"), b"")
        self.assertEqual([str(failure) for failure in self.upstream.failures], ["wrong"])

    def test_waiting_for_requests_that_never_come_fails(self):
        with self.assertRaises(AssertionError):
            self.upstream.wait_for(1, seconds=0.05)

    def test_closing_ends_connections_and_refuses_new_ones(self):
        self.socket.sendall(REQUEST)
        self.read(b"}")
        self.upstream.close()
        self.assertEqual(self.socket.recv(1), b"")
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", self.upstream.port), timeout=2)


if __name__ == "__main__":
    unittest.main()
