#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad releases of every kind on real hosts under load: each is taken back by the host, with the reason. Those that show it
before the switch reach no user at all; those that only real traffic shows harm nobody but who met them, for no longer than it
takes to see."""

import json
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from bad_releases import GO, shown_before_the_switch, shown_by_traffic  # noqa: E402
from releases import CADDYFILE, RATE, STREAMS, Load, ReleaseCase, front_host, on  # noqa: E402
from sentinel import Operator, only, wait_until  # noqa: E402

PROBE = {"interval": "1s", "timeout": "1s", "failures": 2}
SEEN_WITHIN = 2 * (1 + 1 + 1)  # seconds: the two probes are asked one after the other; requests are counted each second
GRACE = 30  # one that hangs is told twice to hold, with 5 s of patience; and the machine does other things too


class BadReleases(ReleaseCase):
    def answers_again(self, load):
        """A second's worth of users is served."""
        answered = load.answers
        wait_until(lambda: load.answers >= answered + RATE, 30, "users are answered")

    def expect_taken_back(self, host, name, failed, word):
        self.assertEqual((failed["outcome"], failed["release"]), ("reverted", "first"), failed)
        self.assertIn(word, failed["error"]["message"])
        self.assertNotIn("upstream-secret-1", json.dumps(failed))
        self.assertEqual(self.states(host)[name], "failed")
        states = host.run(["systemctl", "is-active", "sentinel-first.service", f"sentinel-{name}.service"], check=False).stdout.split()
        self.assertEqual(states, ["active", "inactive"])

    @on("bookworm")
    def test_what_shows_before_the_switch_reaches_nobody(self, suite):
        with front_host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            self.first_release()
            self.answers()
            with Load(host.address) as load:
                for name, change, word in shown_before_the_switch(self):
                    with self.subTest(name):
                        settings = {**self.upstream_at(name), **change.get("settings", {})}
                        failed = self.deploy(name, exit=6, **{**change, "settings": settings})
                        self.expect_taken_back(host, name, failed, word)
                        self.assertTrue(failed["log"] or name in ("never-ready", "slow"), failed)
                        self.assertEqual(self.users_met(name), 0, name)
            self.assertEqual(load.failures, [])
            self.assertGreaterEqual(load.streams, STREAMS)
            self.assertEqual(host.run(["systemctl", "is-system-running"], check=False).stdout.strip(), "running")

    @on("trixie")
    def test_what_only_traffic_shows_is_taken_back_at_once(self, suite):
        with front_host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("first")
            for name, change, then, word in shown_by_traffic(self):
                with self.subTest(name):
                    host.run(["rm", "-f", GO])
                    # Those of before the switch are the former release's, which holds; nothing may happen to them.
                    before, begun = Load(host.address), len(self.upstream.exchanges)
                    for _ in range(STREAMS):
                        before.begin(before.ask, True)
                    self.upstream.wait_for(begun + STREAMS)
                    settings = {**self.upstream_at(name), **change.get("settings", {})}
                    # One that is started anew ends its streams first, and is not ready meanwhile: that alone isn't what it is taken back for.
                    self.project(**{**change, "settings": settings}, health={"ready": {"successes": 2, **PROBE, "failures": 10}, "live": {"path": "/health/live", **PROBE},
                                                                             "bake": {"time": "60s", "min_requests": 20}})
                    with Load(host.address) as load:
                        process = self.begin("deploy", "--release", name)
                        wait_until(lambda: self.states(host).get(name) == "serving", 60, "the switch")
                        wait_until(lambda: self.users_met(name) > 0, 20, "users meet it")
                        host.run(then)
                        turned = time.monotonic()
                        wait_until(lambda: self.states(host)[name] == "failed", SEEN_WITHIN + GRACE, "taken back")
                        took = time.monotonic() - turned
                        output, _ = process.communicate(timeout=90)
                        self.expect_taken_back(host, name, only(json.loads(output)), word)
                        self.assertEqual(process.returncode, 6)
                        self.answers_again(load)
                    for thread in before.threads:
                        thread.join()
                    self.assertEqual((before.failures, before.streams), ([], STREAMS))
                    with Load(host.address) as after:
                        self.answers_again(after)
                    self.assertEqual(after.failures, [])
                    print(f"{suite}, {name}: taken back {took:.1f} s after it turned bad, {len(load.failures)} requests failed")

    @on("bullseye")
    def test_a_broken_caddyfile_is_refused_and_nobody_notices(self, suite):
        with front_host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("first")
            broken = CADDYFILE.replace("reverse_proxy", "reverse_poxy")
            stack = operator.own_stack("bare", [{"caddyfile": {"path": "/etc/caddy/Caddyfile", "content": broken}, "id": "site", "notify": ["reload caddy"]}])
            operator.project(self.hosts, stack=stack)
            with Load(host.address) as load:
                refused = self.command("apply", exit=1)
            self.assertIn("reverse_poxy", refused["error"]["message"])
            self.assertEqual(host.read("/etc/caddy/Caddyfile").decode(), CADDYFILE)
            self.assertEqual((load.failures, load.answers > 0), ([], True))

    @on("bookworm")
    def test_a_caddyfile_that_can_not_be_loaded_is_taken_back_by_a_stack_of_ones_own(self, suite):
        """Without the drop-in of the role caddy: Caddy tells systemd that it reloads, and no more."""
        with front_host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("first")
            good = CADDYFILE.replace(" admin off\n", "")
            host.write("/etc/caddy/Caddyfile", good)
            host.run(["systemctl", "restart", "caddy"])

            def apply(sites):
                site = {"path": "/etc/caddy/Caddyfile", "content": good + sites}
                stack = operator.own_stack("bare", [{"caddyfile": site, "id": "site", "notify": ["reload caddy"]}])
                operator.project(self.hosts, stack=stack)
                output, _ = self.begin("apply").communicate(timeout=60)
                return only(json.loads(output))
            self.answers()
            with Load(host.address) as load:
                # Nothing that a validator sees: somebody else listens there.
                began = time.monotonic()
                refused = apply(":22 {\n respond no\n}\n")
                print(f"{suite}: a Caddyfile that can't be loaded: taken back after {time.monotonic() - began:.1f} s")
            self.assertEqual(refused["outcome"], "reverted", refused)
            self.assertIn("reload caddy.service failed with exit-code", refused["error"]["message"])
            self.assertIn("listen tcp :22: bind: address already in use", refused["error"]["message"])
            self.assertEqual(host.read("/etc/caddy/Caddyfile").decode(), good)
            self.assertEqual(host.run(["systemctl", "is-active", "caddy"]).stdout, "active\n")
            self.assertEqual((load.failures, load.answers > 0), ([], True))
            self.assertEqual(apply(":8444 {\n respond yes\n}\n")["outcome"], "changed")


if __name__ == "__main__":
    unittest.main()
