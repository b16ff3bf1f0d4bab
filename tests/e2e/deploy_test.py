#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Releases on real hosts, Debian 11, 12 and 13, through Caddy, against a scripted upstream: deployed and replaced under open-loop load and open
streams without a failed request or a cut stream, every other one bad; rolled back by word, also without a network; and brought in
order after the agent was killed in the middle. A campaign replaces more often."""

import json
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from bad_releases import shown_before_the_switch  # noqa: E402
from hosts import SUITES, Host  # noqa: E402
from releases import KEY, RATE, SECRETS, STREAMS, Load, ReleaseCase, front_host, on  # noqa: E402
from sentinel import CAMPAIGN, Operator, only, wait_until  # noqa: E402

DEPLOYS = 50 if CAMPAIGN else 2  # good ones under load, each followed by a bad one


class Deploy(ReleaseCase):
    @on(*SUITES)
    def test_nobody_notices_deploys_good_and_bad(self, suite):
        with front_host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            self.assertEqual(self.deploy("first")["release"], "first")
            self.answers()
            kinds = shown_before_the_switch(self)
            first = SUITES.index(suite) * DEPLOYS  # so that a sample has different ones everywhere
            with Load(host.address) as load:
                for number in range(DEPLOYS):
                    current = f"good-{number}"
                    good = self.deploy(current, settings=self.upstream_at(f"of-{current}"))
                    self.assertEqual((good["outcome"], good["release"]), ("changed", current))
                    name, change, word = kinds[(first + number) % len(kinds)]
                    failed = self.deploy(f"{name}-{number}", exit=6, **{**change, "settings": {**self.upstream_at(name), **change.get("settings", {})}})
                    self.assertEqual((failed["outcome"], failed["release"]), ("reverted", current), failed)
                    self.assertIn(word, failed["error"]["message"])
                    self.assertEqual(self.releases()[0]["state"], "failed")
                    self.assertEqual(self.users_met(name), 0, name)
                back = self.command("rollback")
                self.assertEqual(back["outcome"], "changed")
                self.took_back(host)
            self.assertEqual(load.failures, [], host.journal("caddy"))
            self.assertGreater(load.answers, RATE * DEPLOYS)
            self.assertGreaterEqual(load.streams, STREAMS)
            print(f"{suite}: {DEPLOYS} good and {DEPLOYS} bad releases: {load.answers} answers, {load.streams} streams, {len(load.failures)} failed or cut")

    @on(*SUITES)
    def test_back_by_word_without_a_network_and_forward_again(self, suite):
        with Host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            plan = self.command("deploy", "--release", "one", "--dry-run", exit=3)
            self.assertIn("[secret PROBE_KEY]", json.dumps(plan))
            self.assertNotIn(KEY, json.dumps(plan))
            self.deploy("one")
            # The probe asked with it, so the host had it; and it stands nowhere but where secrets do.
            held = host.run(["grep", "-rl", KEY, "/var/lib/sentinel", "/opt", "/etc", "/run"], check=False).stdout.split()
            self.assertEqual(sorted(held), ["/var/lib/sentinel/releases/sentinel/one/probe-headers.json", "/var/lib/sentinel/secrets/PROBE_KEY"])
            tree = self.releases()[0]["tree_digest"]
            self.deploy("two", settings={"SENTINEL_ATTEMPTS": 3})
            self.assertEqual(self.command("deploy", "--release", "three")["outcome"], "unchanged")
            self.assertEqual(self.command("rollback")["release"], "one")
            self.took_back(host)
            self.assertEqual({one["id"]: one["tree_digest"] for one in self.releases()}["one"], tree)
            self.assertEqual(self.command("rollback")["release"], "two")
            self.took_back(host)
            host.cut_network()
            done = host.run(["sentinel-agent", "rollback"])
            self.assertIn("release one is in force", done.stdout)
            self.took_back(host)
            host.restore_network()
            self.assertEqual([one["id"] for one in self.releases() if one["current"]], ["one"])
            self.assertEqual(host.run(["readlink", "/opt/sentinel/current"]).stdout.strip(), "releases/one")
            # A directory that is not what was recorded is refused before anything is touched.
            host.write("/opt/sentinel/releases/two/config.yaml", "SENTINEL_ATTEMPTS: 1\n")
            refused = self.command("rollback", exit=1)
            self.assertEqual(refused["error"]["code"], "release.altered")
            host.reboot()
            self.assertEqual(host.run(["systemctl", "is-active", "sentinel-one.service"], check=False).stdout.strip(), "active")
            self.assertIn("/sentinel.slice/", host.run(["systemctl", "show", "--property=ControlGroup", "--value", "sentinel-one.service"]).stdout)

    @on("bullseye")
    def test_hooks_are_told_and_only_those_before_can_stop_it(self, suite):
        tell = [["sh", "-c", "echo $SENTINEL_HOOK $SENTINEL_RELEASE $SENTINEL_HOST $SENTINEL_OUTCOME >>hooks"]]
        hooks = {name: tell for name in ("pre_connect", "pre_deploy", "post_deploy", "on_rollback")}
        with Host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            said = operator.directory / "hooks"

            def told():
                text = said.read_text() if said.exists() else ""
                said.unlink(missing_ok=True)
                return text.splitlines()

            self.deploy("1", hooks={**hooks, "post_deploy": [["false"], *tell]})
            self.assertEqual(told(), ["pre_connect 1 web-1", "pre_deploy 1 web-1", "post_deploy 1 web-1 changed"])
            for name, before in (("pre_connect", []), ("pre_deploy", ["pre_connect 2 web-1"])):
                self.project(hooks={**hooks, name: [["false"], *tell]}, settings={"SENTINEL_DEBUG": "true"})
                report = operator.json("deploy", "--release", "2", "--yes", exit=1, environment=SECRETS)
                self.assertEqual((report["error"]["code"], told()), ("hooks.failed", before))
            self.assertEqual(set(self.states(host)), {"1"})
            self.deploy("3", exit=6, hooks=hooks, settings={"SENTINEL_WORKERS": "many"})
            self.assertEqual(told(), ["pre_connect 3 web-1", "pre_deploy 3 web-1", "on_rollback 3 web-1 reverted"])
            self.deploy("4", hooks=hooks, settings={"SENTINEL_DEBUG": "true"})
            told()
            self.command("rollback")
            self.assertEqual(told(), ["pre_connect web-1", "on_rollback 1 web-1 changed"])
            self.project(hooks={**hooks, "pre_connect": [["false"]]})
            self.assertEqual(self.operator.json("rollback", "--yes", exit=1)["error"]["code"], "hooks.failed")

    @on("bookworm")
    def test_a_deploy_brings_its_watch_and_a_rollback_the_one_before(self, suite):
        def watched(**more):
            # Impatient: the service manager starts what hangs anew after 30 s, and the watch is to be first.
            return {"ready": {"successes": 2, "timeout": "1s"}, "live": {"path": "/health/live", "failures": 2, "timeout": "1s"},
                    "watch": {"rollback": "10m", **more}}

        def settings():
            return json.loads(host.read("/etc/sentinel/watch.json"))

        def current():
            return host.run(["readlink", "/opt/sentinel/current"]).stdout.strip()

        def journal():
            return host.journal("sentinel-watch")

        with Host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("1", health={"start_period": "1s", **watched(port=9470)})
            self.assertEqual((settings()["port"], settings()["rollback_window_ms"], settings()["start_period_ms"]), (9470, 600_000, 1000))
            self.assertEqual([each["name"] for each in settings()["probes"]], ["ready", "live"])
            wait_until(lambda: "ready is healthy" in journal() and "live is healthy" in journal(), 30, "it watches")
            self.assertEqual(host.run(["systemctl", "is-enabled", "sentinel-watch"]).stdout.strip(), "enabled")
            # While a transaction is at work, the watch leaves the judgement to it.
            self.project(settings={"SENTINEL_DEBUG": "true"}, health={"bake": {"time": "20s"}, **watched()})
            process = self.begin("deploy", "--release", "2")
            wait_until(lambda: self.states(host).get("2") == "serving", 30, "the switch")
            host.run(["systemctl", "kill", "--signal=STOP", "sentinel-2.service"])
            wait_until(lambda: "a transaction is at work" in journal(), 60, "it waits")
            output, _ = process.communicate(timeout=90)
            self.assertEqual(only(json.loads(output))["outcome"], "reverted")
            self.assertEqual((current(), settings()["port"]), ("releases/1", 9470))
            # What comes is watched as it says, and what turns bad is taken back, once, with its watch.
            self.deploy("3", settings={"SENTINEL_DEBUG": "true"}, health=watched())
            self.assertEqual(settings()["port"], 9465)
            host.run(["systemctl", "kill", "--signal=STOP", "sentinel-3.service"])
            wait_until(lambda: current() == "releases/1", 60, "it was taken back")
            wait_until(lambda: host.run(["systemctl", "is-active", "sentinel-rollback@sentinel"], check=False).stdout == "inactive\n", 60, "all is done")
            self.assertEqual((self.states(host)["1"], settings()["port"]), ("confirmed", 9470))
            host.run(["systemctl", "kill", "--signal=STOP", "sentinel-1.service"])
            wait_until(lambda: "release 1 is in force since 3 was taken back" in journal(), 60, "it says why not")
            self.assertEqual(current(), "releases/1")

    @on("trixie")
    def test_a_watch_that_cannot_take_back_says_so_and_does_not_try_again(self, suite):
        with Host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("1")
            self.deploy("2", settings={"SENTINEL_DEBUG": "true"}, health={"watch": {"rollback": "10m"}})
            host.run(["sh", "-c", "echo altered >>/opt/sentinel/releases/1/config.yaml"])
            host.run(["systemctl", "kill", "--signal=STOP", "sentinel-2.service"])
            wait_until(lambda: "release 2 could not be taken back" in host.journal("sentinel-watch"), 60, "it says so")
            host.run(["systemctl", "restart", "sentinel-watch"])
            wait_until(lambda: "release 2 was taken back once already" in host.journal("sentinel-watch"), 60, "it looked again")
            ask = r"exec 3<>/dev/tcp/127.0.0.1/9465 && printf 'GET /metrics HTTP/1.1\r\n\r\n' >&3 && cat <&3"
            self.assertIn('sentinel_watch_rollbacks_total{app="sentinel",outcome="failed"} 1\n', host.run(["bash", "-c", ask]).stdout)
            self.assertEqual(host.journal("sentinel-rollback@sentinel").count("Starting"), 1)
            self.assertEqual(host.run(["readlink", "/opt/sentinel/current"]).stdout.strip(), "releases/2")

    @on(*SUITES)
    def test_a_power_cut_under_the_watch_boots_the_former_release(self, suite):
        with Host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("one")
            self.project(settings={"SENTINEL_ATTEMPTS": 3}, health={"bake": {"time": "120s"}})
            process = self.begin("deploy", "--release", "two")
            wait_until(lambda: self.states(host).get("two") == "serving", 30, "the switch")
            host.power_off()
            process.terminate()
            process.communicate(timeout=60)
            host.boot()
            wait_until(lambda: self.states(host).get("two") == "failed", 60, "the recovery")
            states = host.run(["systemctl", "is-active", "sentinel-one.service", "sentinel-two.service"], check=False).stdout.split()
            self.assertEqual(states, ["active", "inactive"])
            self.assertEqual([one["id"] for one in self.releases() if one["current"]], ["one"])
            self.assertEqual(host.run(["systemctl", "is-system-running"], check=False).stdout.strip(), "running")

    @on("bookworm", "bullseye")
    def test_a_killed_agent_leaves_the_former_release_serving(self, suite):
        with Host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("one")
            for phase, health in (("candidate", {"start": "60s", "ready": {"path": "/health/nowhere"}}), ("serving", {"bake": {"time": "60s"}})):
                with self.subTest(phase):
                    release = f"killed-in-{phase}"
                    self.project(settings={"SENTINEL_ATTEMPTS": 3}, health=health)
                    process = self.begin("deploy", "--release", release)
                    wait_until(lambda: self.states(host).get(release) == phase, 30, phase)
                    held = self.operator.run("deploy", "--release", "second", "--yes", "--json", environment=SECRETS)
                    self.assertEqual(held.returncode, 9, held.stdout)
                    host.run(["systemctl", "kill", "--signal=KILL", "sentinel-transaction@*.service"])
                    output, _ = process.communicate(timeout=90)
                    report = only(json.loads(output))
                    self.assertEqual((report["outcome"], report["release"]), ("reverted", "one"), report)
                    self.assertEqual(self.releases()[0]["state"], "failed")
                    state = host.run(["systemctl", "is-active", "sentinel-one.service", f"sentinel-{release}.service"], check=False).stdout.split()
                    self.assertEqual(state, ["active", "inactive"])
            self.assertEqual(self.deploy("after", settings={"SENTINEL_ATTEMPTS": 4})["release"], "after")


if __name__ == "__main__":
    unittest.main()
