#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests whose end two readers could see in two places. Each row says whether the proxy takes it; what it refuses, it answers
once and closes, and whatever follows on the connection is nobody's request. Behind nginx and Caddy, whatever these make of a row,
no row may bring a second request to the upstream."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from front import FrontCase  # noqa: E402
from proxy import KEY, Proxy  # noqa: E402
from upstream import Upstream  # noqa: E402

BODY = b'{"model":"m","messages":[]}'
SIZE = b"%d" % len(BODY)
HEX = b"%x" % len(BODY)
LINE = b"POST /v1/chat/completions HTTP/1.1\r\n"
COMMON = b"Host: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer " + KEY.encode() + b"\r\n"
HIDDEN = b"GET /v1/models/hidden HTTP/1.1\r\n" + COMMON + b"\r\n"
ANSWER = {"id": "x", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}


def counted(fields, body=BODY):
    """A request with these fields (with their line ends) and this body."""
    return LINE + COMMON + fields + b"\r\n" + body


def chunked(body):
    return counted(b"Transfer-Encoding: chunked\r\n", body)


LENGTH = b"Content-Length: " + SIZE + b"\r\n"
ENCODED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = HEX + b"\r\n" + BODY + b"\r\n0\r\n\r\n"

TAKEN = {
    "a length": counted(LENGTH),
    "chunks": counted(ENCODED, CHUNKS),
    "the coding in capitals": counted(b"Transfer-Encoding: CHUNKED\r\n", CHUNKS),
    "a tab before the value": counted(b"Transfer-Encoding:\tchunked\r\n", CHUNKS),
    "blanks behind the value": counted(b"Content-Length: " + SIZE + b" \t\r\n"),
    "an extension": chunked(HEX + b";a=b\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a size in capitals": chunked(HEX.upper() + b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a size with zeros": chunked(b"000" + HEX + b"\r\n" + BODY + b"\r\n000\r\n\r\n"),
    "a trailer": chunked(HEX + b"\r\n" + BODY + b"\r\n0\r\nX-Sum: 1\r\n\r\n"),
    "many chunks": chunked(b"".join(b"1\r\n" + bytes([byte]) + b"\r\n" for byte in BODY) + b"0\r\n\r\n"),
}

REFUSED = {
    "an empty line before": b"\r\n" + counted(LENGTH),
    "length and coding": counted(LENGTH + ENCODED, CHUNKS),
    "coding and length": counted(ENCODED + LENGTH, CHUNKS),
    "coding and a length of zero": counted(b"Content-Length: 0\r\n" + ENCODED, CHUNKS),
    "two equal lengths": counted(LENGTH + LENGTH),
    "two lengths": counted(LENGTH + b"Content-Length: 0\r\n"),
    "two equal lengths in one field": counted(b"Content-Length: " + SIZE + b", " + SIZE + b"\r\n"),
    "two lengths in one field": counted(b"Content-Length: " + SIZE + b", 0\r\n"),
    "a length with a plus": counted(b"Content-Length: +" + SIZE + b"\r\n"),
    "a length below zero": counted(b"Content-Length: -" + SIZE + b"\r\n"),
    "a length in hex": counted(b"Content-Length: 0x1b\r\n"),
    "a length with a blank": counted(b"Content-Length: 2 7\r\n"),
    "a length with an underscore": counted(b"Content-Length: 2_7\r\n"),
    "a fraction of a length": counted(b"Content-Length: 27.0\r\n"),
    "an empty length": counted(b"Content-Length:\r\n"),
    "a length past 64 bits": counted(b"Content-Length: 18446744073709551643\r\n"),
    "chunked twice": counted(b"Transfer-Encoding: chunked, chunked\r\n", CHUNKS),
    "two codings": counted(ENCODED + ENCODED, CHUNKS),
    "two codings, one unknown": counted(ENCODED + b"Transfer-Encoding: cow\r\n", CHUNKS),
    "identity": counted(b"Transfer-Encoding: identity\r\n"),
    "gzip and chunked": counted(b"Transfer-Encoding: gzip, chunked\r\n", CHUNKS),
    "chunked and identity": counted(b"Transfer-Encoding: chunked, identity\r\n", CHUNKS),
    "nearly chunked": counted(b"Transfer-Encoding: xchunked\r\n", CHUNKS),
    "chunked with a parameter": counted(b"Transfer-Encoding: chunked;q=1\r\n", CHUNKS),
    "chunked in quotes": counted(b"Transfer-Encoding: \"chunked\"\r\n", CHUNKS),
    "a vertical tab before chunked": counted(b"Transfer-Encoding: \x0bchunked\r\n", CHUNKS),
    "an empty coding": counted(b"Transfer-Encoding:\r\n"),
    "a coding in HTTP/1.0": counted(ENCODED, CHUNKS).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
    "a blank before the colon": counted(b"Content-Length : " + SIZE + b"\r\n"),
    "a tab before the colon": counted(b"Transfer-Encoding\t: chunked\r\n", CHUNKS),
    "a folded line": counted(LENGTH + b"X-A: b\r\n c\r\n"),
    "a coding folded": counted(b"Transfer-Encoding:\r\n chunked\r\n", CHUNKS),
    "a first line that is folded": LINE + b" Content-Length: 0\r\n" + COMMON + LENGTH + b"\r\n" + BODY,
    "NUL in a value": counted(LENGTH + b"X-A: b\x00c\r\n"),
    "NUL in a name": counted(LENGTH + b"X\x00A: b\r\n"),
    "CR in a value": counted(LENGTH + b"X-A: b\rTransfer-Encoding: chunked\r\n"),
    "LF ends a field": counted(b"X-A: b\n" + LENGTH),
    "LF ends the head": LINE + COMMON + LENGTH[:-2] + b"\n\n" + BODY,
    "no name": counted(LENGTH + b": b\r\n"),
    "no colon": counted(LENGTH + b"X-A\r\n"),
    "a name that is none": counted(LENGTH + b"X(A): b\r\n"),
    "a name with a letter past ASCII": counted(LENGTH + b"Content-L\xc3\xa9ngth: 0\r\n"),
    "no host": LINE + COMMON.replace(b"Host: localhost\r\n", b"") + LENGTH + b"\r\n" + BODY,
    "two hosts": counted(b"Host: other\r\n" + LENGTH),
    "two blanks in the first line": counted(LENGTH).replace(b"POST /", b"POST  /", 1),
    "a tab in the first line": counted(LENGTH).replace(b"POST /", b"POST\t/", 1),
    "another protocol": counted(LENGTH).replace(b"HTTP/1.1", b"HTTP/2.0", 1),
    "a protocol in small letters": counted(LENGTH).replace(b"HTTP/1.1", b"http/1.1", 1),
    "no protocol": counted(LENGTH).replace(b" HTTP/1.1", b"", 1),
    "LF behind a size": chunked(HEX + b"\n" + BODY + b"\r\n0\r\n\r\n"),
    "LF behind a chunk": chunked(HEX + b"\r\n" + BODY + b"\n0\r\n\r\n"),
    "LF behind the last size": chunked(HEX + b"\r\n" + BODY + b"\r\n0\n\r\n"),
    "LF at the end": chunked(HEX + b"\r\n" + BODY + b"\r\n0\r\n\n"),
    "CR alone behind a size": chunked(HEX + b"\r" + BODY + b"\r\n0\r\n\r\n"),
    "a size with a plus": chunked(b"+" + HEX + b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a size below zero": chunked(b"-" + HEX + b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a size with 0x": chunked(b"0x" + HEX + b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a size with an underscore": chunked(b"1_b\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a blank before a size": chunked(b" " + HEX + b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a blank behind a size": chunked(HEX + b" \r\n" + BODY + b"\r\n0\r\n\r\n"),
    "no size": chunked(b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "no size but an extension": chunked(b";a=b\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a size past 64 bits": chunked(b"1000000000000001b\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk longer than its size": chunked(b"1\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk shorter than its size": chunked(b"1c\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "NUL in an extension": chunked(HEX + b";a=\x00\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "LF in an extension": chunked(HEX + b";a=\nb\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a folded trailer": chunked(HEX + b"\r\n" + BODY + b"\r\n0\r\n X-A: b\r\n\r\n"),
    "LF in a trailer": chunked(HEX + b"\r\n" + BODY + b"\r\n0\r\nX-A: b\n\r\n"),
}

# Bodies with a request in them, behind what one reader takes for their end.
HIDING = {
    "length and coding": b"Content-Length: %d\r\n" % len(b"0\r\n\r\n" + HIDDEN) + ENCODED,
    "coding and a short length": ENCODED + b"Content-Length: 5\r\n",
    "nearly chunked": b"Transfer-Encoding: xchunked\r\nContent-Length: %d\r\n" % len(b"0\r\n\r\n" + HIDDEN),
    "a coding behind a vertical tab": b"Transfer-Encoding: \x0bchunked\r\nContent-Length: %d\r\n" % len(b"0\r\n\r\n" + HIDDEN),
    "a coding before a blank": b"Transfer-Encoding : chunked\r\nContent-Length: %d\r\n" % len(b"0\r\n\r\n" + HIDDEN),
    "chunked and another": ENCODED + b"Transfer-Encoding: cow\r\nContent-Length: %d\r\n" % len(b"0\r\n\r\n" + HIDDEN),
}


class Smuggling(FrontCase):
    def setUp(self):
        super().setUp()
        self.upstream = Upstream()
        self.addCleanup(self.upstream.close)
        self.upstream.script = lambda exchange: exchange.send_json(ANSWER)

    def requests(self):
        """Targets that the upstream has seen since the last look."""
        seen = [exchange.target for exchange in self.upstream.exchanges]
        self.upstream.exchanges.clear()
        return seen

    def test_what_is_refused_is_answered_once_and_nothing_behind_it_is_heard(self):
        with Proxy(self.upstream.url, SENTINEL_RATE_LIMIT=100_000) as proxy:
            for name, request in REFUSED.items():
                with self.subTest(name), proxy.client() as client:
                    client.send(request + HIDDEN)
                    answer = client.answer()
                    self.assertIn(answer.status, (400, 501, 505))
                    self.assertEqual(answer.headers["connection"], "close")
                    self.assertTrue(client.at_end())
                    self.assertEqual(self.requests(), [])

    def test_what_is_taken_ends_where_the_next_request_begins(self):
        with Proxy(self.upstream.url, SENTINEL_RATE_LIMIT=100_000) as proxy:
            for name, request in TAKEN.items():
                with self.subTest(name), proxy.client() as client:
                    client.send(request + HIDDEN)
                    self.assertEqual([client.answer().status, client.answer().status], [200, 200])
                    self.assertEqual(self.upstream.exchanges[0].body, BODY)
                    self.assertEqual(self.requests(), ["/v1/chat/completions", "/v1/models/hidden"])

    def answers(self, port, request):
        """How many answers there are until the front closes, or waits for more of what it takes for one request."""
        with self.tls_client(port) as client:
            client.socket.settimeout(0.4)
            client.send(request)
            try:
                while data := client.socket.recv(65536):
                    client.buffer += data
            except OSError:
                pass
            return client.buffer.count(b"HTTP/1.1 ")

    def behind(self, front, refuses=()):
        """`refuses`: rows that the front is stricter about than the proxy."""
        # The front keeps its connections: the end needn't wait for them.
        with Proxy(self.upstream.url, SENTINEL_RATE_LIMIT=100_000, SENTINEL_DRAIN_IDLE_SECONDS=1) as proxy:
            port = front(f"127.0.0.1:{proxy.port}")
            for name, request in TAKEN.items():
                with self.subTest(name), self.tls_client(port) as client:
                    client.send(request)
                    refused = client.answer().status in (400, 501)
                    self.assertEqual((refused, self.requests()), (True, []) if name in refuses else (False, ["/v1/chat/completions"]))
            hiding = {name: counted(fields, b"0\r\n\r\n" + HIDDEN) for name, fields in HIDING.items()}
            for name, request in {**REFUSED, **hiding}.items():
                with self.subTest(name):
                    answers = self.answers(port, request)
                    # Who is led astray takes one request of the front's for two.
                    self.assertLessEqual(len(self.requests()), answers)
            with self.tls_client(port) as client:
                self.assertEqual(client.ask(body=BODY).status, 200)

    def test_behind_nginx(self):
        self.behind(self.nginx, refuses=("a tab before the value", "blanks behind the value"))

    def test_behind_caddy(self):
        self.behind(self.caddy)


if __name__ == "__main__":
    unittest.main()
