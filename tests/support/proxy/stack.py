# SPDX-License-Identifier: Apache-2.0
"""A test case with everything around the proxy: scripted upstream and account service, and a real Redis when asked for."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from proxy import UPSTREAM_KEY, Proxy  # noqa: E402
from redis_server import RedisServer  # noqa: E402
from upstream import Upstream  # noqa: E402
from zion import API_KEY, Zion, profile  # noqa: E402

TOKEN = "user-token-that-no-log-may-hold"
CHAT = {"model": "gpt-4", "messages": [{"role": "user", "content": "hello"}]}


def answer(prompt=15, completion=25):
    return {"id": "x", "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}],
            "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}}


class StackCase(unittest.TestCase):
    def setUp(self):
        self.upstream = Upstream()
        self.upstream.script = lambda exchange: exchange.send_json(answer())
        self.zion = Zion()
        self.zion.users[TOKEN] = profile()
        self.proxies = []
        self.servers = []

    def tearDown(self):
        for server in self.servers:
            server.thaw()  # nobody's end may wait for a frozen one
        for proxy in self.proxies:
            proxy.close()
            log = "".join(proxy.lines)
            for secret in (TOKEN, UPSTREAM_KEY, API_KEY):
                self.assertNotIn(secret, log)
        for server in self.servers:
            server.close()
        self.zion.close()
        self.upstream.close()
        self.assertEqual(self.upstream.failures + self.zion.failures(), [])

    def redis(self, *arguments):
        self.servers.append(RedisServer(*arguments))
        return self.servers[-1]

    def proxy(self, redis=None, **settings):
        """With the account service and without static keys, unless told otherwise."""
        defaults = {"ZION_API_URL": self.zion.url, "ZION_API_KEY": API_KEY, "SENTINEL_KEYS_FILE": ""}
        if redis is not None:
            defaults["REDIS_URL"] = redis.url
        self.proxies.append(Proxy(self.upstream.url, **{**defaults, **settings}))
        proxy = self.proxies[-1]
        if redis is not None:
            self.all_connected(proxy, int(settings.get("SENTINEL_WORKERS", 2)))
        return proxy

    @staticmethod
    def all_connected(proxy, workers=2):
        """Each worker, the operator's port and the reporter of use have a connection of their own."""
        proxy.until(lambda: proxy.metrics().get("sentinel_redis_connections", 0) >= workers + 2, "connections to Redis")

    def ask(self, proxy, token=TOKEN, body=None, **named):
        with proxy.client() as client:
            return client.ask(body=body or CHAT, key=token, **named)
