# SPDX-License-Identifier: Apache-2.0
"""A compliant host for tests of `check`: bootstrapped, with this build's proxy deployed, and every row that applies as it should be."""

from releases import CHAT, KEYS, PROJECT_SECRETS, SECRETS, ReleaseCase, script
from sentinel import Operator, bootstrapped, only, wait_until
from upstream import Upstream


class CompliantCase(ReleaseCase):
    """Tests that share one such host: cls.host, cls.operator, and cls.before, what check says of it, by control."""

    suite = "bookworm"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        upstream = Upstream(address="0.0.0.0")
        cls.addClassCleanup(upstream.close)
        upstream.script = script
        cls.host = cls.enterClassContext(bootstrapped(cls.suite))
        cls.operator = Operator()
        cls.addClassCleanup(cls.operator.close)
        cls.give_keys(cls.host)
        cls.operator.know(cls.host)
        settings = {"SENTINEL_KEYS_FILE": KEYS, "OPENAI_API_URL": f"http://{cls.host.gateway}:{upstream.port}/v1"}
        cls.operator.project({"web-1": cls.host}, {"monitoring": {"alertmanagers": ["127.0.0.1:9093"]}}, secrets=PROJECT_SECRETS, app={"artifact": str(cls.bundle), "settings": settings},
                             health={"start": "10s", "bake": {"time": "1s"}, "verify": [CHAT]})
        cls.operator.run("apply", "--yes", exit=0, environment=SECRETS)
        only(cls.operator.json("deploy", "--release", "one", "--yes", exit=0, environment=SECRETS))
        wait_until(lambda: all(cls.audit()[row]["status"] == "pass" for row in ("000-21", "002-14")), 90,
                   "Prometheus has scraped its targets and knows whom to tell")

    def setUp(self):
        """What the parent makes for each test is there already."""

    @classmethod
    def audit(cls):
        report = only(cls.operator.json("check", environment=SECRETS))
        assert report["error"] is None, report["error"]
        return {result["control"]: result for result in report["results"]}
