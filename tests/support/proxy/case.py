# SPDX-License-Identifier: Apache-2.0
"""What tests of the proxy share: an upstream, proxies that end in order, and that no secret or prompt is ever logged."""

import unittest

from proxy import KEY, UPSTREAM_KEY, Proxy
from upstream import Upstream

PROMPT = "a prompt that no log may hold"


class ProxyCase(unittest.TestCase):
    def setUp(self):
        self.upstream = Upstream()
        self.proxies = []

    def tearDown(self):
        for proxy in self.proxies:
            proxy.close()
            log = "".join(proxy.lines)
            for secret in (KEY, UPSTREAM_KEY, PROMPT):
                self.assertNotIn(secret, log)
        self.upstream.close()
        self.assertEqual(self.upstream.failures, [])

    def proxy(self, **settings):
        self.proxies.append(Proxy(self.upstream.url, **settings))
        return self.proxies[-1]
