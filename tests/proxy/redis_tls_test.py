#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real redis-server that speaks only TLS, reached by its name: who is trusted, who isn't, and that a wrong one stops nobody."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from certificates import Authority  # noqa: E402
from ports import free_port  # noqa: E402
from stack import StackCase  # noqa: E402


class RedisByTls(StackCase):
    def setUp(self):
        super().setUp()
        self.directory = tempfile.TemporaryDirectory(prefix="sentinel-redis-tls-")
        self.addCleanup(self.directory.cleanup)
        self.authority = Authority(self.directory.name)

    def secure_redis(self, subjects=("DNS:localhost",), **leaf):
        """The server and its port for TLS; the plain one is the test's own way in."""
        certificate, key = self.authority.leaf("redis", subjects, **leaf)
        port = free_port()
        server = self.redis("--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-ca-cert-file",
                            str(self.authority.file), "--tls-auth-clients", "no", "--requirepass", "pw")
        return server, port

    def redis_counts(self, server, port, name, ca_file):
        proxy = self.proxy(None, REDIS_URL=f"rediss://:pw@{name}:{port}", SENTINEL_REDIS_CA_FILE=ca_file, SENTINEL_REDIS_TIMEOUT_SECONDS=2)
        self.all_connected(proxy)
        for left in (99, 98):
            self.assertEqual(self.ask(proxy).headers["x-ratelimit-remaining"], str(left))
        return proxy

    def test_by_name_and_by_address(self):
        server, port = self.secure_redis(("DNS:localhost", "IP:127.0.0.1"))
        self.redis_counts(server, port, "localhost", self.authority.file)
        other = self.proxy(None, REDIS_URL=f"rediss://:pw@127.0.0.1:{port}", SENTINEL_CA_FILE=self.authority.file, SENTINEL_REDIS_TIMEOUT_SECONDS=2)
        self.all_connected(other)
        self.assertEqual(self.ask(other).headers["x-ratelimit-remaining"], "97")

    def test_who_is_not_whom_it_should_be_is_not_asked(self):
        stranger = Authority(self.directory.name, "stranger")
        for what, subjects, ca_file, days in (("unknown issuer", ("DNS:localhost",), stranger.file, 2), ("other name", ("DNS:elsewhere",), self.authority.file, 2),
                                              ("expired", ("DNS:localhost",), self.authority.file, -1)):
            with self.subTest(what):
                server, port = self.secure_redis(subjects, days=days)
                proxy = self.proxy(None, REDIS_URL=f"rediss://:pw@localhost:{port}", SENTINEL_REDIS_CA_FILE=ca_file)
                reason = proxy.event("redis_lost")["reason"]
                self.assertTrue(reason.startswith("TLS: "), reason)
                answer = self.ask(proxy)
                self.assertEqual((answer.status, answer.headers["x-ratelimit-remaining"]), (200, "99"))
                self.assertEqual(proxy.metrics()["sentinel_redis_connections"], 0)

    def test_plain_and_secure_ends_that_meet_stop_nobody(self):
        server, port = self.secure_redis()
        for url in (f"redis://:pw@localhost:{port}", f"rediss://:pw@localhost:{server.port}"):
            with self.subTest(url):
                proxy = self.proxy(None, REDIS_URL=url, SENTINEL_REDIS_CA_FILE=self.authority.file)
                self.assertEqual(self.ask(proxy).status, 200)

    def test_a_name_that_is_nowhere_stops_nobody(self):
        proxy = self.proxy(None, REDIS_URL="redis://nowhere.invalid")
        self.assertEqual(self.ask(proxy).status, 200)


if __name__ == "__main__":
    unittest.main()
