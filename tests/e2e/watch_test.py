#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sentinel-agent watch against real servers and webhooks, through flapping, kill -9 and bad webhooks; and its service on real
hosts: hardened, alive by its watchdog, bounded."""

import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from answering_server import BAD, GOOD, Server, http_target, probe  # noqa: E402
from containers import ContainerCase, docker_host  # noqa: E402
from hosts import Host  # noqa: E402
from releases import on  # noqa: E402
from sentinel import AGENT, Operator, only, wait_until  # noqa: E402

RESTARTS_ALLOWED = 2  # core/health/bake.h
TAKEN = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Watch(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name)
        self.port = free_port()
        self.good = True
        self.app = self.server(lambda *_: GOOD if self.good else BAD)

    def server(self, answer):
        server = Server(answer)
        self.addCleanup(server.__exit__)
        return server

    def settings(self, *probes, webhooks=()):
        path = self.scratch / "watch.json"
        path.write_text(json.dumps({"app": "demo", "port": self.port, "probes": probes, "webhooks": webhooks, "rollback_window_ms": 0, "start_period_ms": 0}))
        return path

    def ready(self, **more):
        return probe("ready", http_target(f"http://127.0.0.1:{self.app.port}/"), **{"successes": 2, "failures": 2, **more})

    def watch(self, path):
        process = subprocess.Popen([AGENT, "watch", "--config", path], stderr=subprocess.PIPE, text=True)

        def end():
            if process.poll() is None:
                process.kill()
            process.communicate()

        self.addCleanup(end)
        return process

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError:
            raise
        except OSError:
            return None

    def condition(self):
        status = self.get("/status")
        return status and json.loads(status)["probes"][0]["condition"]

    def await_condition(self, wanted):
        wait_until(lambda: self.condition() == wanted, 30, f"the probe is {wanted}")

    def test_it_says_and_tells_what_changes(self):
        secret = self.scratch / "secret"
        secret.write_text("hunter2\nmore\n")
        told = self.server(lambda *_: TAKEN)
        hook = {"url": f"http://127.0.0.1:{told.port}/hook", "secret_file": str(secret), "ca_file": ""}
        process = self.watch(self.settings(self.ready(), webhooks=[hook]))
        self.await_condition("healthy")
        self.assertEqual(told.heads, [])
        self.good = False
        self.await_condition("unhealthy")
        status = json.loads(self.get("/status"))
        self.assertEqual((status["schema_version"], status["app"], status["healthy"], status["probes"][0]["last"]), (1, "demo", False, "status 503"))
        self.assertIn('sentinel_watch_condition{app="demo",probe="ready",condition="unhealthy"} 1\n', self.get("/metrics"))
        self.good = True
        self.await_condition("healthy")
        wait_until(lambda: len(told.heads) == 2, 20, "both messages arrived")
        heads = [each.decode() for each in told.heads]
        self.assertTrue(all("Authorization: Bearer hunter2\r\n" in each for each in heads))
        wait_until(lambda: 'sentinel_watch_webhooks_total{outcome="sent"} 2\n' in self.get("/metrics"), 10, "they are counted")
        bodies = [json.loads(each.split("\r\n\r\n")[1]) for each in heads]
        self.assertEqual([(each["event"], each["probe"], each["app"]) for each in bodies], [("unhealthy", "ready", "demo"), ("healthy", "ready", "demo")])
        with self.assertRaises(urllib.error.HTTPError):
            self.get("/other")
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0)
        self.assertNotIn("hunter2", said)

    def test_flapping_is_told_once(self):
        told = self.server(lambda *_: TAKEN)
        self.watch(self.settings(self.ready(), webhooks=[{"url": f"http://127.0.0.1:{told.port}/", "secret_file": "", "ca_file": ""}]))
        self.await_condition("healthy")
        for wanted in ("unhealthy", "healthy", "unhealthy", "flapping"):
            self.good = not self.good
            self.await_condition(wanted)
        asked = len(self.app.heads)
        for _ in range(3):
            self.good = not self.good
            wait_until(lambda: len(self.app.heads) > asked + 5, 30, "it is asked on")
            asked = len(self.app.heads)
        self.assertEqual(self.condition(), "flapping")
        wait_until(lambda: len(told.heads) == 4, 20, "four messages")
        self.assertIn(b'"event":"flapping"', told.heads[-1])

    def test_a_webhook_that_fails_changes_nothing(self):
        refusing = self.server(lambda *_: BAD)
        hooks = [{"url": f"http://127.0.0.1:{refusing.port}/", "secret_file": "", "ca_file": ""},
                 {"url": f"http://127.0.0.1:{refusing.port}/", "secret_file": str(self.scratch / "absent"), "ca_file": ""}]
        process = self.watch(self.settings(self.ready(), webhooks=hooks))
        self.await_condition("healthy")
        for wanted in ("unhealthy", "healthy"):
            self.good = not self.good
            self.await_condition(wanted)
        wait_until(lambda: len(refusing.heads) >= 2, 20, "it is tried again")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0)

    def test_clients_that_stall_do_not_keep_others_out(self):
        self.watch(self.settings(self.ready()))
        self.await_condition("healthy")
        stalling = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(2)]
        stalling[0].sendall(b"GET /status")
        self.await_condition("healthy")
        for connection in stalling:
            connection.close()

    def test_mistakes(self):
        cases = [([], "watch.nothing"), ([self.ready(kind="verify")], "watch.kind"),
                 ([self.ready(timeout_ms=60000)], "watch.timeout"), ([{}], "json.shape")]
        for probes, code in cases:
            done = subprocess.run([AGENT, "watch", "--config", self.settings(*probes)], capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(f"error[{code}]", done.stderr)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.port))
            taken.listen()
            done = subprocess.run([AGENT, "watch", "--config", self.settings(self.ready())], capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"127.0.0.1 port {self.port}", done.stderr)


class AsAService(unittest.TestCase):
    def test_on_a_host(self):
        settings = {"app": "demo", "port": 9465, "webhooks": [], "rollback_window_ms": 600_000, "start_period_ms": 0,
                    "probes": [probe("file", {"command": {"argv": ["test", "-e", "/run/good"]}}), probe("ssh", {"unit": {"unit": "ssh.service"}}),
                               probe("port", {"tcp": {"host": "127.0.0.1", "port": 22}})]}
        resources = [{"directory": {"path": "/etc/sentinel"}, "id": "directory"},
                     {"file": {"path": "/etc/sentinel/watch.json", "content": json.dumps(settings)}, "id": "settings"}]
        with Host() as host, Operator() as operator:
            operator.know(host)
            operator.own_stack("watched", resources, {"deploy_user": "root"})
            operator.project({"web-1": host}, stack="watched")
            self.assertEqual(only(operator.json("apply", "--yes", exit=0))["outcome"], "changed")

            def show(*properties):
                return host.run(["systemctl", "show", "--value", *(f"--property={each}" for each in properties), "sentinel-watch"]).stdout.split()

            def conditions():
                # The images have no curl.
                ask = r"exec 3<>/dev/tcp/127.0.0.1/9465 && printf 'GET /status HTTP/1.1\r\n\r\n' >&3 && cat <&3"
                said = host.run(["bash", "-c", ask], check=False).stdout.split("\n\n", 1)
                return {each["probe"]: each["condition"] for each in json.loads(said[1])["probes"]} if len(said) == 2 else {}

            host.run(["systemctl", "start", "sentinel-watch"])
            wait_until(lambda: conditions() == {"file": "unhealthy", "ssh": "healthy", "port": "healthy"}, 60, "it has looked")
            host.run(["touch", "/run/good"])
            wait_until(lambda: conditions().get("file") == "healthy", 60, "the application is good")
            self.assertEqual((show("MemoryMax"), show("Restart")), ([str(64 << 20)], ["always"]))
            before = show("MainPID")
            host.run(["kill", "-9", *before])
            wait_until(lambda: show("MainPID") not in (before, ["0"]), 30, "it is back")
            wait_until(lambda: conditions() == {"file": "healthy", "ssh": "healthy", "port": "healthy"}, 60, "and looks on")
            # One that hangs is ended by the watchdog's lack of signs: systemd has taken over what it asked for.
            self.assertEqual(show("WatchdogUSec"), ["1min"])
            exposure = host.run(["systemd-analyze", "security", "sentinel-watch.service"], check=False).stdout
            self.assertLess(float(re.search(r"exposure level for sentinel-watch.service: ([\d.]+)", exposure).group(1)), 3.0, exposure)
            # A stand-in for a rollback of releases: the watch must ask for it once, whatever becomes of it, and remember.
            host.run(["mkdir", "-p", "/opt/demo/releases", "/run/systemd/system/sentinel-rollback@.service.d"])
            host.run(["ln", "-s", "releases/2", "/opt/demo/current"])
            host.write("/run/systemd/system/sentinel-rollback@.service.d/stand-in.conf",
                       "[Service]\nExecStart=\nExecStart=/bin/sh -c 'echo %i >>/run/asked; ln -sfn releases/1 /opt/demo/current'\n")
            host.run(["systemctl", "daemon-reload"])
            for _ in range(2):
                host.run(["rm", "/run/good"])
                wait_until(lambda: conditions().get("file") == "unhealthy", 60, "the application is bad")
                wait_until(lambda: host.run(["cat", "/run/asked"], check=False).stdout, 30, "it was asked to go back")
                host.run(["kill", "-9", *show("MainPID")])
                wait_until(lambda: conditions().get("file") == "unhealthy", 60, "a new watch sees the same")
                host.run(["touch", "/run/good"])
                wait_until(lambda: conditions().get("file") == "healthy", 60, "the application is good again")
            self.assertEqual(host.run(["cat", "/run/asked"]).stdout, "demo\n")
            (step,) = json.loads(host.read("/var/lib/sentinel/watch.json"))
            self.assertEqual((step["app"], step["from"], step["to"], step["reason"]), ("demo", "2", "1", "file: status 1"))
            # A release that dies again and again, while every probe is good.
            host.write("/run/systemd/system/demo-3.service", "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/sleep 1\nRestart=always\nRestartSec=0\n")
            host.run(["ln", "-sfn", "releases/3", "/opt/demo/current"])
            host.run(["systemctl", "start", "demo-3"])
            wait_until(lambda: host.run(["cat", "/run/asked"]).stdout == "demo\ndemo\n", 60, "it was asked to go back")
            self.assertRegex(json.loads(host.read("/var/lib/sentinel/watch.json"))[-1]["reason"], "release 3 was started again [0-9]+ times")
            host.reboot()
            wait_until(lambda: conditions().get("ssh") == "healthy", 60, "it starts with the host")


class OfContainers(ContainerCase):
    @on("bookworm", possible=("bookworm", "trixie"))
    def test_a_container_that_the_engine_starts_again_and_again_is_taken_back(self, suite):
        with docker_host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("one")
            # Failures say nothing so soon after a start: what counts is how often it was started again.
            self.deploy("two", settings={"SENTINEL_ATTEMPTS": 3}, health={"start_period": "60s"})

            def process():
                return host.run(["docker", "inspect", "--format", "{{.State.Pid}}", "sentinel-two"]).stdout.strip()
            for _ in range(RESTARTS_ALLOWED + 1):
                before = process()
                self.kill("sentinel-two")
                wait_until(lambda before=before: process() not in (before, "0"), 60, "the engine starts it again")
            wait_until(lambda: host.run(["readlink", "/opt/sentinel/current"]).stdout == "releases/one\n", 60, "it is taken back")
            wait_until(lambda: self.states(host) == {"one": "confirmed", "two": "confirmed"}, 60, "the way back is done")
            (step,) = json.loads(host.read("/var/lib/sentinel/watch.json"))
            self.assertEqual((step["app"], step["from"]), ("sentinel", "two"))
            self.assertEqual(step["reason"], f"release two was started again {RESTARTS_ALLOWED + 1} times within an hour")
            self.answers()


if __name__ == "__main__":
    unittest.main()
