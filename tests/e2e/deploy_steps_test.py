#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goes along with a deploy, on real hosts: migrations, the application's log, two deploys at once, a cancelled one, a
release that is kept though it failed, and waiting for the former release's streams."""

import json
import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from hosts import Host  # noqa: E402
from interrupt import Gate  # noqa: E402
from releases import SECRETS, Load, ReleaseCase, front_host, on  # noqa: E402
from sentinel import Operator, only, wait_until  # noqa: E402

BROKEN = {"settings": {"SENTINEL_WORKERS": "many"}}
OTHER = {"settings": {"SENTINEL_DEBUG": "true"}}


def migration(name, undo=True):
    """Leaves a trace of each run, and of what it found around it."""
    told = f'echo {name}-%s $SENTINEL_MIGRATION $SENTINEL_RELEASE $(basename $PWD) ${{#OPENAI_API_KEY}} >>/root/migrations'
    more = {"undo": ["sh", "-c", told % "undone"]} if undo else {"irreversible": "it drops a table"}
    return {"id": name, "run": ["sh", "-c", told % "done"], **more}


class Steps(ReleaseCase):
    @staticmethod
    def sessions(host):
        """How many sentinelctl talk to the host."""
        return len(host.run(["pgrep", "-f", "^[^ ]*sentinel-agent serve"], check=False).stdout.split())

    @on("bullseye")
    def test_migrations_are_run_once_undone_where_they_can_be_and_named_where_not(self, suite):
        one, two, three = migration("one"), migration("two"), migration("three", undo=False)
        size = len(SECRETS["UPSTREAM_KEY"])
        with Host(suite) as host, Operator() as operator:
            self.prepared(host, operator)

            def traces():
                text = host.run(["cat", "/root/migrations"], check=False).stdout
                host.run(["rm", "-f", "/root/migrations"])
                return text.splitlines()

            def done():
                (app,) = json.loads(host.read("/var/lib/sentinel/releases.json"))["apps"]
                return [each["migration"]["id"] for each in app["migrations"]]

            self.deploy("1", migrations=[one])
            self.assertEqual((traces(), done()), ([f"one-done one 1 1 {size}"], ["one"]))
            self.assertEqual(self.deploy("1b", migrations=[one])["outcome"], "unchanged")

            # Named beforehand, and undone with a release that fails.
            self.project(migrations=[one, two], **BROKEN)
            plan = only(self.operator.json("deploy", "--release", "2", "--dry-run", exit=3, environment=SECRETS))
            self.assertEqual([step["id"] for step in plan["steps"]], ["migration/two", "release/sentinel"])
            self.assertEqual(traces(), [])
            self.assertEqual(self.deploy("2", exit=6, migrations=[one, two], **BROKEN)["outcome"], "reverted")
            self.assertEqual((traces(), done()), ([f"two-done two 2 2 {size}", f"two-undone two 2 2 {size}"], ["one"]))

            # One that fails: nothing is switched, and those before it are undone.
            failing = {**migration("bad"), "run": ["sh", "-c", "echo no such table; exit 3"]}
            failed = self.deploy("3", exit=1, migrations=[one, two, failing], **OTHER)
            self.assertEqual((failed["outcome"], failed["release"]), ("reverted", "1"))
            self.assertIn("no such table", json.dumps(failed["error"]))
            self.assertEqual([trace.split()[0] for trace in traces()], ["two-done", "bad-undone", "two-undone"])
            self.assertEqual(done(), ["one"])

            # Back by word undoes what came later; what can't be undone is named, and is not run again.
            self.project(migrations=[one, two, three], **OTHER)
            text = operator.run("deploy", "--release", "4", "--dry-run", exit=3, environment=SECRETS).stdout
            self.assertIn("it drops a table", text)
            self.command("deploy", "--release", "4")
            self.assertEqual((done(), [trace.split()[0] for trace in traces()]), (["one", "two", "three"], ["two-done", "three-done"]))
            plan = only(operator.json("rollback", "--dry-run", exit=3))
            self.assertEqual([step["id"] for step in plan["steps"]], ["release/sentinel", "migration/two"])
            self.assertIn("it drops a table", json.dumps(plan))
            self.command("rollback")
            self.assertEqual((done(), traces()), (["one", "three"], [f"two-undone two 4 4 {size}"]))
            self.command("rollback")
            self.assertEqual((done(), [trace.split()[0] for trace in traces()]), (["one", "three", "two"], ["two-done"]))

    @on("trixie")
    def test_a_migration_that_was_cut_off_is_undone(self, suite):
        with Host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("1")
            slow = {"id": "slow", "run": ["sh", "-c", "touch /root/half; sleep 600"], "undo": ["rm", "-f", "/root/half"]}
            self.project(migrations=[slow], **OTHER)
            process = self.begin("deploy", "--release", "2")
            wait_until(lambda: host.exists("/root/half"), 30, "it runs")
            host.run(["systemctl", "kill", "--signal=KILL", "sentinel-transaction@*.service"])
            output, _ = process.communicate(timeout=90)
            self.assertEqual(only(json.loads(output))["outcome"], "reverted")
            self.assertFalse(host.exists("/root/half"))
            self.assertEqual(host.run(["systemctl", "is-active", "sentinel-migration"], check=False).stdout.strip(), "inactive")

    @on("trixie")
    def test_logs_are_shown_and_followed_over_a_deploy_without_secrets_or_escapes(self, suite):
        with Host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            missing = self.operator.json("logs", "sentinel", exit=2)
            self.assertEqual(only(missing)["error"]["code"], "logs.no-release")
            self.deploy("1")
            say = "[Service]\nExecStartPost=/usr/bin/printf 'marked \\033[31mred \\007 upstream-secret-1 end\\n'\n"
            for release in ("1", "2"):
                host.run(["mkdir", "-p", f"/etc/systemd/system/sentinel-{release}.service.d"])
                host.write(f"/etc/systemd/system/sentinel-{release}.service.d/say.conf", say.replace("marked", f"marked-{release}"))
            host.run(["systemctl", "daemon-reload"])
            host.run(["systemctl", "restart", "sentinel-1.service"])
            text = self.operator.run("logs", "sentinel", exit=0).stdout
            self.assertRegex(text, r"marked-1 \\e\[31mred|marked-1 \\x1b\[31mred|marked-1 \\u001b\[31mred")
            self.assertNotIn("\x1b", text)
            self.assertIn("[secret OPENAI_API_KEY] end", text)
            self.assertEqual(len(self.operator.run("logs", "-n", 1, exit=0).stdout.splitlines()), 1)
            lines = only(self.operator.json("logs", "sentinel", exit=0))["lines"]
            self.assertTrue(any("marked-1" in line for line in lines))

            process = self.operator.start("logs", "sentinel", "-f", "-n", 0)
            wait_until(lambda: host.run(["pgrep", "-f", "sentinel-agent serve"], check=False).stdout, 30, "it follows")
            self.deploy("2", **OTHER)
            # A follower that sees the new release's lines has outlived the switch.
            line = ""
            while "marked-2" not in line:
                line = process.stdout.readline()
                self.assertTrue(line, "the following goes on")
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
            self.assertEqual(process.returncode, 130)
            wait_until(lambda: not host.run(["pgrep", "-f", "sentinel-agent serve"], check=False).stdout, 30, "nothing of it is left on the host")

    @on("bookworm")
    def test_two_deploys_and_a_cancelled_one(self, suite):
        with Host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("1")
            self.project(health={"bake": {"time": "600s"}}, **OTHER)
            first = self.begin("deploy", "--release", "2")
            wait_until(lambda: self.states(host).get("2") == "serving", 30, "the first one is under way")
            self.project(health={"bake": {"time": "1s"}}, settings={"SENTINEL_ATTEMPTS": 4})
            refused = self.operator.run("deploy", "--release", "3", "--yes", exit=9, environment=SECRETS)
            self.assertRegex(refused.stderr, r"\S+@\S+ is changing this host \(deploy 2\)")
            # One that waits makes its plan when its turn has come.
            waited = self.begin("deploy", "--release", "4", "--wait", "60")
            wait_until(lambda: self.sessions(host) == 2, 30, "it has come to the host")
            first.send_signal(signal.SIGTERM)
            first.communicate(timeout=60)
            self.assertEqual(first.returncode, 130)
            output, _ = waited.communicate(timeout=90)
            self.assertEqual((waited.returncode, only(json.loads(output))["release"]), (0, "4"), output)

            # Of two plans of the same state one is carried out; the other waits, and has become stale.
            gate = Gate(host)
            self.project(settings={"SENTINEL_ATTEMPTS": 5})
            racing, transactions = {}, {}
            for release in ("5", "6"):
                racing[release] = self.begin("deploy", "--release", release, "--wait", "60")
                _, transactions[release] = gate.waiting_transaction()
            gate.open(transactions["5"])
            wait_until(lambda: "5" in self.states(host), 30, "the one is under way")
            gate.open(transactions["6"])
            for release, code in (("5", 0), ("6", 10)):
                output, _ = racing[release].communicate(timeout=90)
                self.assertEqual(racing[release].returncode, code, output)
            gate.remove()
            self.assertEqual(set(self.states(host)), {"1", "2", "4", "5"})

            # A cancelled job: SIGTERM in the middle. Everything is as before, and no lock is left.
            current = host.run(["readlink", "/opt/sentinel/current"]).stdout
            self.project(health={"bake": {"time": "60s"}}, settings={"SENTINEL_ATTEMPTS": 3})
            for ended_by, code in ((signal.SIGTERM, 130), (signal.SIGKILL, -9)):
                release = f"cancelled-{ended_by.value}"
                process = self.begin("deploy", "--release", release)
                wait_until(lambda: self.states(host).get(release) == "serving", 30, "it is under way")
                process.send_signal(ended_by)
                output, _ = process.communicate(timeout=60)
                self.assertEqual(process.returncode, code)
                if ended_by == signal.SIGTERM:
                    self.assertEqual(only(json.loads(output))["outcome"], "reverted")
                    self.assertEqual(host.run(["readlink", "/opt/sentinel/current"]).stdout, current)
            self.assertIsNotNone(json.loads(host.run(["sentinel-agent", "status", "--json"]).stdout)["running"])
            done = only(self.operator.json("attach", "web-1", exit=0))
            self.assertEqual((done["outcome"], done["release"]), ("changed", "cancelled-9"))
            self.assertEqual(self.deploy("after", **OTHER)["outcome"], "changed")

    @on("bullseye")
    def test_a_failed_release_is_kept_when_it_is_ordered_and_drain_is_waited_for(self, suite):
        with front_host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("1")
            stream, before = Load(host.address), len(self.upstream.exchanges)
            stream.begin(stream.ask, True)
            self.upstream.wait_for(before + 1)
            self.project(**OTHER)
            self.command("deploy", "--release", "2", "--drain-wait")
            self.assertEqual(host.run(["systemctl", "is-active", "sentinel-1.service"], check=False).stdout.strip(), "inactive")
            for thread in stream.threads:
                thread.join()
            self.assertEqual((stream.streams, stream.failures), (1, []))
            # Users meet errors of the third one only after its switch.
            self.project(settings={"OPENAI_API_URL": "http://127.0.0.1:9/v1"}, health={"verify": [], "bake": {"time": "4s", "min_requests": 5}})
            with Load(host.address) as load:
                kept = self.command("deploy", "--release", "3", "--no-rollback", exit=7)
            self.assertEqual((kept["outcome"], kept["release"], kept["error"]["code"]), ("stuck", "3", "release.kept"))
            self.assertGreater(len(load.failures), 0)
            self.assertEqual(self.command("rollback")["release"], "2")
            # Not one more request meets the bad one, over whatever connection it comes.
            with Load(host.address) as load:
                wait_until(lambda: load.answers + len(load.failures) > 100, 30, "they ask")
            self.assertEqual(load.failures, [])


if __name__ == "__main__":
    unittest.main()
