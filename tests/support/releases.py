# SPDX-License-Identifier: Apache-2.0
"""Releases in tests: a project that deploys this build's proxy bundle to real hosts against a scripted upstream, and users
who ask it through the host's Caddy."""

import datetime
import hashlib
import http.client
import json
import re
import shutil
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "proxy"))
from hosts import SUITES, Host, prepared  # noqa: E402
from proxy import KEY  # noqa: E402
from sentinel import BUILD, CAMPAIGN, only, wait_until  # noqa: E402
from upstream import Upstream  # noqa: E402

STREAMS, EVENTS, PACE = 100 if CAMPAIGN else 20, 30, 0.2
RATE = 40  # requests per second, sent whether or not the ones before were answered
KEYS = "/etc/sentinel/keys"
USER_MODEL = "m"  # what users ask for, and no probe
SECRETS = {"UPSTREAM_KEY": "upstream-secret-1", "PROBE_KEY": KEY}  # in the operator's environment
PROJECT_SECRETS = {"OPENAI_API_KEY": {"env": "UPSTREAM_KEY"}, "PROBE_KEY": {"env": "PROBE_KEY"}}
CHAT = {"name": "chat", "path": "/v1/chat/completions", "method": "POST", "body": '{"model": "probe", "messages": []}', "contains": "hi",
        "headers": {"Authorization": "Bearer {{ secrets.PROBE_KEY }}", "Content-Type": "application/json"}}


def caddyfile(upstream):
    """As templates/caddy/Caddyfile passes requests of moderate size on; the tests send no others."""
    return f"""{{
 admin off
}}
:8000 {{
 reverse_proxy {upstream} {{
  buffer_requests
  transport http {{
   keepalive off
  }}
 }}
}}
"""


CADDYFILE = caddyfile("127.0.0.1:8080")


def script(exchange):
    body = exchange.json()
    if exchange.target.startswith("/slow/"):
        time.sleep(5)  # longer than any probe waits
    if exchange.target.startswith("/fails-users/") and body["model"] == USER_MODEL:
        exchange.send_json({"error": {"message": "no"}}, status=500)
        return
    if not body.get("stream"):
        exchange.send_json({"id": "x", "choices": [{"index": 0, "message": {"content": "hi"}}], "usage": {"prompt_tokens": 1, "completion_tokens": 1}})
        return
    exchange.head(content_type="text/event-stream", chunked=True)
    for number in range(EVENTS):
        exchange.chunk(b'data: {"asked":"%s","choices":[{"index":0,"delta":{"content":"%d "}}]}\n\n' % (exchange.target.encode(), number))
        time.sleep(PACE)  # the upstream's pace
    exchange.chunk(b"data: [DONE]\n\n")
    exchange.send(b"0\r\n\r\n")


class Load:
    """Users at the host's Caddy."""

    def __init__(self, address, port=8000):
        self.address, self.port, self.going = address, port, True
        self.answers, self.streams, self.failures, self.threads = 0, 0, [], []
        self.lock = threading.Lock()

    def ask(self, stream):
        body = json.dumps({"model": USER_MODEL, "messages": [], "stream": stream})
        connection = http.client.HTTPConnection(self.address, self.port, timeout=30)
        try:
            connection.request("POST", "/v1/chat/completions", body, {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"})
            answer = connection.getresponse()
            data = answer.read()
            good = answer.status == 200 and (not stream or data.endswith(b"data: [DONE]\n\n"))
            with self.lock:
                self.answers += good and not stream
                self.streams += good and stream
                if not good:
                    self.failures.append((answer.status, data[-200:]))
        except (OSError, http.client.HTTPException) as failure:
            with self.lock:
                self.failures.append(repr(failure))
        finally:
            connection.close()

    def begin(self, target, *arguments):
        thread = threading.Thread(target=target, args=arguments)
        thread.start()
        self.threads.append(thread)

    def open_loop(self):
        begun, sent = time.monotonic(), 0
        while self.going:
            self.begin(self.ask, False)
            sent += 1
            time.sleep(max(0, begun + sent / RATE - time.monotonic()))  # the clock of an open loop

    def stream_after_stream(self):
        while self.going:
            self.ask(True)

    def __enter__(self):
        for _ in range(STREAMS):
            self.begin(self.stream_after_stream)
        self.begin(self.open_loop)
        return self

    def __exit__(self, *_):
        self.going = False
        for thread in self.threads:
            thread.join()


def lend_caddy(host):
    """Debian 11 has no Caddy. There it is the program of the machine that runs the tests, with its unit and the libraries it is
    linked to: those of Debian 11 are older."""
    linked = subprocess.run(["ldd", "/usr/bin/caddy"], check=True, capture_output=True, text=True).stdout
    for path in map(Path, ["/usr/bin/caddy", *re.findall(r"(/\S+) \(0x", linked)]):
        host.write(f"/opt/caddy/{path.name}", path.read_bytes(), mode=0o755)
    host.write("/usr/bin/caddy", '#!/bin/sh\nexec /opt/caddy/ld-linux-x86-64.so.2 --library-path /opt/caddy /opt/caddy/caddy "$@"\n', mode=0o755)
    unit = "/lib/systemd/system/caddy.service"
    host.write(unit, Path(unit).read_bytes())
    host.run(["useradd", "--system", "--user-group", "--create-home", "--home-dir", "/var/lib/caddy", "caddy"])
    host.run(["systemctl", "enable", "caddy"])


def front_host(suite):
    """A host with Caddy before the application, on port 8000; installed once for all tests."""
    return Host(on=prepared("caddy-" + suite, Host(suite), [Path(__file__), Path("/usr/bin/caddy")], build=ReleaseCase.caddy))


class on:
    """A scenario on several Debian releases, each a test of its own: over `def test_x(self, suite)` it makes test_x_on_bookworm
    and so on, of `sample`; in a campaign of all that are `possible`."""

    def __init__(self, *sample, possible=SUITES):
        self.suites = possible if CAMPAIGN else sample

    def __call__(self, scenario):
        self.scenario = scenario
        return self

    def __set_name__(self, owner, name):
        for suite in self.suites:
            setattr(owner, f"{name}_on_{suite}", lambda case, suite=suite: self.scenario(case, suite))
        delattr(owner, name)


class ReleaseCase(unittest.TestCase):
    """Tests that deploy the project's own bundle to a real host whose Caddy leads to it."""

    runtime, start = {}, "6s"  # what the project says of both

    @classmethod
    def setUpClass(cls):
        (cls.bundle,) = (BUILD / "packaging").glob("sentinel-proxy-*-bundle.tar")

    def setUp(self):
        self.upstream = Upstream(address="0.0.0.0")
        self.addCleanup(self.upstream.close)
        self.upstream.script = script

    def prepared(self, host, operator, *others, **more):
        """A project for these hosts, which can be deployed."""
        self.operator, self.host = operator, host
        self.hosts = {f"web-{number}": each for number, each in enumerate((host, *others), 1)}
        operator.know(*self.hosts.values())
        for each in self.hosts.values():
            each.run(["mkdir", "-p", "/etc/sentinel"])
            self.give_keys(each)
        self.settings = {"SENTINEL_KEYS_FILE": KEYS, **self.upstream_at("good"), "SENTINEL_RATE_LIMIT": 1_000_000}
        self.project(**more)

    def upstream_at(self, folder):
        """The setting of a release whose requests the upstream can tell from others'."""
        return {"OPENAI_API_URL": f"http://{self.host.gateway}:{self.upstream.port}/{folder}/v1"}

    def users_met(self, folder):
        """How many requests of users came by upstream_at(folder)."""
        return sum(each.target == f"/{folder}/v1/chat/completions" and each.json()["model"] == USER_MODEL for each in list(self.upstream.exchanges))

    @staticmethod
    def give_keys(host):
        host.write(KEYS, f"{hashlib.sha256(KEY.encode()).hexdigest()} user-1\n")

    def project(self, settings=None, health=None, secrets=None, templates=None, artifact=None, app=None, **more):
        """`templates`: texts in the place of shipped ones, by their names in templates/app."""
        own = self.operator.directory / "templates" / "app"
        shutil.rmtree(own, ignore_errors=True)
        for name, text in (templates or {}).items():
            own.mkdir(parents=True, exist_ok=True)
            (own / name).write_text(text)
        self.operator.project(self.hosts, stack=self.operator.own_stack("bare", []),
                              secrets=secrets if secrets is not None else PROJECT_SECRETS,
                              app={**self.runtime, "settings": {**self.settings, **(settings or {})}, "drain": "30s", "artifact": str(artifact or self.bundle), **(app or {})},
                              health={"start": self.start, "ready": {"successes": 2}, "bake": {"time": "3s"}, "verify": [CHAT], **(health or {})}, **more)

    def report(self, *arguments, exit=0):
        return self.operator.json(*arguments, "--yes", exit=exit, environment=SECRETS)

    def command(self, *arguments, exit=0):
        return only(self.report(*arguments, exit=exit))

    def begin(self, *arguments):
        """The same in the background."""
        return self.operator.start(*arguments, "--yes", "--json", environment=SECRETS)

    def deploy(self, release, exit=0, **project):
        self.project(**project)
        return self.command("deploy", "--release", release, exit=exit)

    def releases(self):
        return only(self.operator.json("releases", exit=0))["releases"]

    @staticmethod
    def states(host):
        (app,) = json.loads(host.read("/var/lib/sentinel/releases.json"))["apps"]
        return {record["release"]["id"]: record["state"] for record in app["releases"]}

    @staticmethod
    def last_transaction(host):
        """Milliseconds of the host's last transaction: what it took besides the start of the release's process, and that start."""
        lines = host.run(["sh", "-c", "cat $(ls -td /var/lib/sentinel/journal/*/ | head -1)events"]).stdout.splitlines()
        events = [(event["text"], datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))) for event in map(json.loads, lines)]
        at = dict(events)
        start = at["switch"] - at["candidate"]
        return [round(span.total_seconds() * 1000) for span in (events[-1][1] - events[0][1] - start, start)]

    def first_release(self):
        """One that fails has nothing to go back to, and leaves neither ports nor units, sockets or containers; then comes "first"."""
        look = ("find /etc/systemd/system /etc/tmpfiles.d /run/sentinel-app -name 'sentinel.socket*' -o -name 'sentinel-*first.service' -o -path '*sentinel-app?*';"
                "ss -ltn | grep :8080; docker ps --all --quiet")

        def left():
            return self.host.run(["sh", "-c", f"({look}) 2>/dev/null"], check=False).stdout.split()
        failed = self.deploy("bad-first", exit=6, settings={"SENTINEL_WORKERS": "many"})
        self.assertEqual((failed["outcome"], left()), ("reverted", []))
        self.assertEqual(self.deploy("first")["release"], "first")
        self.assertGreaterEqual(len(left()), 3)

    def took_back(self, host):
        """Prints how long the host's last transaction, a rollback, took besides the start of the release's process: a measurement, which
        depends on what else the machine does. What it asks of the engine is bounded by a unit test."""
        besides, start = self.last_transaction(host)
        print(f"{host.suite}: back in {besides} ms on the host, and {start} ms of the release's start")

    def answers(self):
        load = Load(self.host.address)
        load.ask(False)
        self.assertEqual((load.answers, load.failures), (1, []))

    @staticmethod
    def caddy(host):
        """Caddy before the application, on port 8000."""
        if host.suite == "bullseye":
            lend_caddy(host)
        else:
            host.run(["sh", "-c", "apt-get update -q && apt-get install -yq --no-install-recommends caddy"], timeout=180)
        host.write("/etc/caddy/Caddyfile", CADDYFILE)
        host.run(["systemctl", "restart", "caddy"])
        wait_until(lambda: host.run(["sh", "-c", "ss -ltn | grep -q :8000"], check=False).returncode == 0, 20, "Caddy")
