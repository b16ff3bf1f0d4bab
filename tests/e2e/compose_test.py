#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Releases as containers on real hosts, with docker-compose 1.29 (Debian 12) and the plugin 2.x (Debian 13), through Caddy and
the link to the sockets of the release in force: replaced under load without a failed request or a cut stream; bad ones taken
back with the reason; rolled back exactly, without a network and without what the engine knew; and in order after the agent, a
container or the engine was killed, and after a power cut."""

import io
import json
import signal
import sys
import tarfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from bad_releases import shown_by_containers  # noqa: E402
from containers import ContainerCase, docker_host  # noqa: E402
from hosts import Relay  # noqa: E402
from releases import CHAT, KEYS, PROJECT_SECRETS, RATE, SECRETS, STREAMS, Load, on  # noqa: E402
from sentinel import CAMPAIGN, Operator, bootstrapped, only, wait_until  # noqa: E402

DEPLOYS = 50 if CAMPAIGN else 2  # good ones under load, each followed by a bad one
SUITES = ("bookworm", "trixie")
REGISTRY = Path("/usr/bin/docker-registry")
REGISTRY_SETTINGS = """version: 0.1
storage: {filesystem: {rootdirectory: /srv/registry}}
http: {addr: "127.0.0.1:5000"}
"""


def labelled(image, label):
    """The same image but for a label: another configuration over the same layers."""
    target = io.BytesIO()
    with tarfile.open(image) as source, tarfile.open(fileobj=target, mode="w") as archive:
        (manifest,) = json.load(source.extractfile("manifest.json"))
        config = json.load(source.extractfile(manifest["Config"]))
        config["config"]["Labels"]["test"] = label
        changed = {manifest["Config"]: json.dumps(config).encode()}
        for member in filter(tarfile.TarInfo.isfile, source.getmembers()):
            data = changed.get(member.name) or source.extractfile(member).read()
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return target.getvalue()


class Compose(ContainerCase):
    def current(self):
        return self.host.run(["readlink", "/run/sentinel-app/current"]).stdout.strip()

    @on(*SUITES, possible=SUITES)
    def test_nobody_notices(self, suite):
        with docker_host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            self.assertEqual(self.deploy("first")["release"], "first")
            self.answers()
            kinds = shown_by_containers(self)
            first = SUITES.index(suite) * DEPLOYS  # so that a sample has different ones everywhere
            with Load(host.address) as load:
                for number in range(DEPLOYS):
                    current = f"good-{number}"
                    good = self.deploy(current, settings=self.upstream_at(f"of-{current}"))
                    self.assertEqual((good["outcome"], good["release"]), ("changed", current), good)
                    name, change, word = kinds[(first + number) % len(kinds)]
                    failed = self.deploy(f"{name}-{number}", exit=6, **{**change, "settings": {**self.upstream_at(name), **change.get("settings", {})}})
                    self.assertEqual((failed["outcome"], failed["release"]), ("reverted", current), failed)
                    self.assertIn(word, failed["error"]["message"])
                    self.assertEqual(self.users_met(name), 0, name)
                back = self.command("rollback")
                self.assertEqual(back["outcome"], "changed", back)
                self.took_back(host)
                self.assertEqual(self.command("rollback")["release"], current)
                # It began anew beside what still ends the streams of its last time.
                self.assertIn(f"sentinel-{current}", self.containers())
                self.assertNotIn('"type":"waiting"', host.run(["sh", "-c", "cat $(ls -td /var/lib/sentinel/journal/*/ | head -1)events"]).stdout)
            self.assertEqual(load.failures, [], host.journal("caddy"))
            self.assertGreater(load.answers, RATE * DEPLOYS)
            self.assertGreaterEqual(load.streams, STREAMS)
            print(f"{suite}: {DEPLOYS} good and {DEPLOYS} bad releases, 2 rollbacks: {load.answers} answers, {load.streams} streams, "
                  f"{len(load.failures)} failed or cut")

    @on("bookworm", possible=SUITES)
    def test_bad_releases_are_taken_back_with_their_reason(self, suite):
        with docker_host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            self.first_release()
            for name, change, word in shown_by_containers(self):
                with self.subTest(name):
                    failed = self.deploy(name, exit=6, **change)
                    self.assertEqual((failed["outcome"], failed["release"]), ("reverted", "first"))
                    self.assertIn(word, failed["error"]["message"])
                    self.assertTrue(failed["log"] or name == "leaks", failed)
                    self.assertNotIn("upstream-secret-1", json.dumps(failed))
                    self.assertEqual((self.containers(), self.current()), ({"sentinel-first"}, "first"))
                    self.answers()

    def test_what_runs_is_bounded_and_reachable_by_its_sockets_only(self):
        with docker_host("bookworm") as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("first")
            (told,) = json.loads(host.run(["docker", "inspect", "sentinel-first"]).stdout)
            limits = told["HostConfig"]
            self.assertEqual((limits["Memory"], limits["PidsLimit"], limits["ReadonlyRootfs"], limits["CapDrop"]), (1 << 30, 4096, True, ["ALL"]))
            self.assertEqual((limits["CpuQuota"] > 0, limits["LogConfig"]["Config"]["max-size"], limits["RestartPolicy"]["Name"]), (True, "10m", "unless-stopped"))
            self.assertEqual(told["NetworkSettings"]["Ports"].get("8080/tcp"), None)
            self.assertNotIn(":8080", host.run(["ss", "-ltn"]).stdout)
            wait_until(lambda: self.inspected("sentinel-first", "{{.State.Health.Status}}") == "healthy", 60, "the engine finds it healthy")
            metrics = host.run(["curl", "-s", "--unix-socket", "/run/sentinel-app/current/metrics.sock", "http://x/metrics"], check=False)
            self.assertEqual(metrics.returncode, 0, metrics)
            self.assertIn("sentinel_requests_total", metrics.stdout)
            # Its log, followed over a deploy.
            self.assertEqual(len(operator.run("logs", "-n", 1, exit=0).stdout.splitlines()), 1)
            self.assertRegex(operator.run("logs", exit=0).stdout, r'^\S+Z {.*"event":"starting"')
            process = operator.start("logs", "-f", "-n", 0)
            wait_until(lambda: host.run(["pgrep", "-f", "sentinel-agent serve"], check=False).stdout, 30, "it follows")
            self.deploy("second", settings={"SENTINEL_ATTEMPTS": 3})
            line = ""
            while '"event":"starting"' not in line:
                line = process.stdout.readline()
                self.assertTrue(line, "the following goes on")
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
            self.assertEqual(process.returncode, 130)

    @on(*SUITES, possible=SUITES)
    def test_back_exactly_with_nothing_but_the_host(self, suite):
        with docker_host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("one")
            files = host.run(["sh", "-c", "cat /opt/sentinel/releases/one/compose.yaml /opt/sentinel/releases/one/config.yaml"]).stdout
            image = host.run(["docker", "image", "inspect", "--format", "{{.Id}}", "sentinel:one"]).stdout
            tree = self.releases()[0]["tree_digest"]
            second = operator.directory / "second.tar"
            second.write_bytes(labelled(self.image, "two"))
            self.deploy("two", settings={"SENTINEL_ATTEMPTS": 3}, artifact=second)
            self.assertEqual(self.command("deploy", "--release", "three")["outcome"], "unchanged")
            wait_until(lambda: self.containers() == {"sentinel-two"}, 60, "the former one ended")
            # All the engine knew of the former release is gone, the network too.
            host.run(["docker", "system", "prune", "--all", "--force"])
            self.assertNotEqual(host.run(["docker", "image", "inspect", "sentinel:one"], check=False).returncode, 0)
            host.cut_network()
            done = host.run(["sentinel-agent", "rollback"])
            self.assertIn("release one is in force", done.stdout)
            self.took_back(host)
            host.restore_network()
            self.answers()
            self.assertEqual({one["id"]: one["tree_digest"] for one in self.releases()}["one"], tree)
            self.assertEqual(host.run(["sh", "-c", "cat /opt/sentinel/releases/one/compose.yaml /opt/sentinel/releases/one/config.yaml"]).stdout, files)
            self.assertEqual(host.run(["docker", "inspect", "--format", "{{.Image}}", "sentinel-one"]).stdout, image)
            self.assertEqual(self.command("rollback")["release"], "two")
            self.took_back(host)
            host.reboot()
            wait_until(lambda: self.containers() == {"sentinel-two"}, 60, "the boot starts the release in force")
            self.assertEqual(self.current(), "two")
            wait_until(lambda: host.exists("/run/sentinel-app/two/api.sock"), 30, "it listens")
            self.answers()
            # A part that is not what was recorded is refused before anything is touched.
            host.run(["sh", "-c", "for part in /opt/sentinel/images/*; do echo x >>$part; done"])
            self.assertEqual(self.command("rollback", exit=1)["error"]["code"], "release.altered")
            self.assertEqual(self.current(), "two")

    @on("bookworm", possible=SUITES)
    def test_a_dry_run_says_exactly_what_changes(self, suite):
        with docker_host(suite) as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("alpha")
            image = operator.directory / "other.tar"
            image.write_bytes(labelled(self.image, "other"))
            environment = (ROOT / "templates" / "app" / "environment.j2").read_text() + "SENTINEL_DEBUG=true\n"
            project, former = {}, "alpha"
            for release, named, change in (
                    ("bravo", {"config.yaml"}, {"settings": {"SENTINEL_ATTEMPTS": 3}}),
                    ("charlie", {"artefact", "policy", "watch.json"}, {"artifact": image, "health": {"ready": {"successes": 3}}}),
                    ("delta", {"compose.yaml", "environment"}, {"variables": {"app": {"memory_max": "768M"}}, "templates": {"environment.j2": environment}})):
                with self.subTest(", ".join(sorted(named))):
                    project.update(change)
                    self.project(**project)
                    before = self.everything()
                    (step,) = self.command("deploy", "--release", release, "--dry-run", exit=3)["steps"]
                    self.assertEqual(self.everything(), before)
                    told = {each["attribute"]: (each["before"], each["after"]) for each in step["changes"]}
                    self.assertEqual((told.pop("release"), set(told)), ((former, release), named))
                    self.command("deploy", "--release", release)
                    wait_until(lambda release=release: self.containers() == {f"sentinel-{release}"}, 60, "the former one ended")
                    self.assertEqual(self.happened(before, former, release), told.keys())
                    if "artefact" in told:
                        for id, shown in zip((former, release), told["artefact"]):
                            self.assertIn(f"({self.image_id(id)[:12]})", shown)
                    former = release
            self.assertEqual(self.command("deploy", "--release", "echo", "--dry-run", exit=0)["steps"], [])
            before = self.everything()
            self.assertEqual(self.command("deploy", "--release", "echo")["outcome"], "unchanged")
            self.assertEqual(self.everything(), before)

    def image_id(self, release):
        return self.host.run(["docker", "image", "inspect", "--format", "{{.Id}}", f"sentinel:{release}"]).stdout.strip().removeprefix("sha256:")

    def everything(self):
        """{path of a file or link: when it was made; name of an image or container: its id}, of all that a deploy might touch."""
        look = ("find /etc /opt /usr /run/sentinel-app ! -type d ! -type s -printf '%C@%l  %p\\n';"
                "docker images --no-trunc --format '{{.ID}}  image {{.Repository}}:{{.Tag}}'; docker ps --no-trunc --format '{{.ID}}  container {{.Names}}'")
        return {name: what for what, _, name in (line.partition("  ") for line in self.host.run(["sh", "-c", look]).stdout.splitlines())}

    def happened(self, before, former, release):
        """What of the former release is another in the next one, in the words of a plan. Besides these nothing has changed."""
        after = self.everything()
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        home, out = "/opt/sentinel/releases", set()
        for name in [name for name in after if name.startswith(f"{home}/{release}/")]:
            file = name.removeprefix(f"{home}/{release}/")
            texts = [self.host.read(f"{home}/{id}/{file}").decode() for id in (former, release)]
            if file == "compose.yaml":
                texts = [text.replace(id, "ID") for id, text in zip((former, release), texts)]
            if texts[0] != texts[1]:
                out.add(file.removeprefix("holes/"))
            changed.discard(name)
        (app,) = json.loads(self.host.read("/var/lib/sentinel/releases.json"))["apps"]
        policies = {record["release"]["id"]: record["release"]["policy"] for record in app["releases"]}
        if policies[former] != policies[release]:
            out.add("policy")
        if self.image_id(former) != self.image_id(release):
            out.add("artefact")
        must = {"/opt/sentinel/current", "/run/sentinel-app/current", "/etc/tmpfiles.d/sentinel-app.conf", f"image sentinel:{release}",
                f"container sentinel-{former}", f"container sentinel-{release}"}
        must |= {"/etc/sentinel/watch.json"} if "watch.json" in out else set()
        parts = {name for name in changed if name.startswith("/opt/sentinel/images/")}
        self.assertEqual((changed - parts, bool(parts)), (must, "artefact" in out))
        return out

    def test_only_what_is_missing_travels_and_what_nobody_needs_goes(self):
        with docker_host("bookworm") as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("0")
            size = self.image.stat().st_size
            for number in range(1, 4):
                artifact = operator.directory / "next.tar"
                artifact.write_bytes(labelled(self.image, str(number)))
                with Relay(host.address, 22) as relay:
                    self.project(artifact=artifact, app={"keep": 2})
                    document = json.loads((operator.directory / "sentinel.yaml").read_text())
                    document["hosts"]["web-1"].update(address="127.0.0.1", port=relay.port)
                    (operator.directory / "sentinel.yaml").write_text(json.dumps(document))
                    (operator.home / ".ssh" / "known_hosts").write_text(Path(host.known_hosts).read_text().replace(host.address, f"[127.0.0.1]:{relay.port}"))
                    self.assertEqual(self.command("deploy", "--release", str(number))["outcome"], "changed")
                    sent = sum(connection.bytes("sent") for connection in relay.connections)
                self.assertLess(sent, size / 50)
                print(f"an image of {size} bytes over layers the host has: {sent} bytes sent")
                wait_until(lambda number=number: self.containers() == {f"sentinel-{number}"}, 60, "the former one ended")
            operator.know(host)
            self.deploy("4", settings={"SENTINEL_ATTEMPTS": 4}, app={"keep": 2})
            tags = host.run(["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"]).stdout.split()
            self.assertEqual(sorted(tags), ["sentinel:3", "sentinel:4"])
            self.assertEqual(host.run(["ls", "/opt/sentinel/releases"]).stdout.split(), ["3", "4"])
            # One layer and two configurations.
            self.assertEqual(len(host.run(["ls", "/opt/sentinel/images"]).stdout.split()), 3)

    def test_an_image_is_pulled_by_its_digest_and_needed_no_more(self):
        with docker_host("bookworm") as host, Operator() as operator:
            self.prepared(host, operator)
            host.run(["dd", "of=/usr/bin/docker-registry", "status=none"], input=REGISTRY.read_bytes(), text=False)
            host.run(["chmod", "755", "/usr/bin/docker-registry"])
            host.write("/srv/registry.yml", REGISTRY_SETTINGS)
            host.run(["systemd-run", "--unit=registry", "/usr/bin/docker-registry", "serve", "/srv/registry.yml"])
            wait_until(lambda: ":5000" in host.run(["ss", "-ltn"]).stdout, 30, "the registry")
            loaded = host.run(["docker", "load"], input=self.image.read_bytes(), text=False).stdout.decode().rsplit(" ", 1)[1].strip()
            host.run(["docker", "tag", loaded, "127.0.0.1:5000/proxy:1"])
            host.run(["docker", "push", "127.0.0.1:5000/proxy:1"])
            (name,) = json.loads(host.run(["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", "127.0.0.1:5000/proxy:1"]).stdout)
            host.run(["docker", "image", "rm", "--force", loaded, "127.0.0.1:5000/proxy:1"])
            self.assertEqual(host.run(["docker", "images", "--quiet"]).stdout, "")
            self.assertEqual(self.command("deploy", "--release", "one", "--image", name)["release"], "one")
            self.answers()
            host.run(["systemctl", "stop", "registry"])
            self.project(settings={"SENTINEL_ATTEMPTS": 3})
            self.assertEqual(self.command("deploy", "--release", "two", "--image", name)["release"], "two")
            self.assertEqual(self.command("rollback")["release"], "one")
            absent = name.replace(name[-8:], "00000000")
            failed = self.command("deploy", "--release", "three", "--image", absent, exit=1)
            self.assertEqual((failed["outcome"], failed["release"], failed["error"]["code"]), ("reverted", "one", "release.docker"))
            self.answers()

    def test_bootstrapped_for_containers_with_redis_beside(self):
        with bootstrapped() as host, Operator() as operator:
            self.operator, self.host = operator, host
            operator.know(host)
            bounds = {"app": {"memory_max": "512M", "cpus": 0.5}}
            operator.project({"web-1": host}, variables=bounds, app={"runtime": "compose"})
            self.assertEqual(only(operator.bootstrap())["outcome"], "changed")
            self.assertEqual(only(operator.bootstrap())["outcome"], "unchanged")
            self.give_keys(host)
            operator.project({"web-1": host}, variables=bounds, secrets={**PROJECT_SECRETS, "REDIS_URL": {"env": "REDIS_URL"}},
                             app={"runtime": "compose", "artifact": str(self.image), "drain": "5s",
                                  "settings": {"SENTINEL_KEYS_FILE": KEYS, **self.upstream_at("one")}},
                             health={"start": "20s", "ready": {"successes": 2}, "bake": {"time": "2s"}, "verify": [CHAT]})
            secrets = {**SECRETS, "REDIS_URL": "unix:///run/sentinel-redis/redis.sock"}
            deployed = only(operator.json("deploy", "--release", "one", "--yes", exit=0, environment=secrets))
            self.assertEqual((deployed["outcome"], deployed["release"]), ("changed", "one"))
            (limits,) = json.loads(host.run(["docker", "inspect", "--format", "[{{json .HostConfig}}]", "sentinel-one"]).stdout)
            self.assertEqual((limits["Memory"], limits["CpuQuota"]), (512 << 20, 50_000))

            def asked(stream=False):
                load = Load(host.address, 80)
                load.ask(stream)
                return load.answers + load.streams == 1

            def redis(*words):
                return host.run(["redis-cli", "-s", "/run/sentinel-redis/redis.sock", *words]).stdout.split()

            self.assertTrue(asked())
            self.assertTrue(asked(stream=True))
            self.assertEqual(redis("config", "get", "maxmemory-policy"), ["maxmemory-policy", "noeviction"])
            wait_until(lambda: redis("dbsize") != ["0"], 30, "its limits are kept in Redis")
            # A restart of Redis is survived: the container doesn't go on looking into a directory that is gone.
            host.run(["systemctl", "restart", "redis-server"])
            redis("flushall")
            wait_until(lambda: asked() and redis("dbsize") != ["0"], 30, "its limits are kept in Redis again")
            # Its numbers come through Caddy: the container publishes nothing.
            ask = r"exec 3<>/dev/tcp/127.0.0.1/9464; printf 'GET /metrics HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&3; cat <&3"
            self.assertIn("sentinel_requests_total", host.run(["bash", "-c", ask]).stdout)
            # Nothing the host runs by then is drift, and an auditor finds nothing.
            self.assertEqual(only(operator.json("plan", exit=0))["status"], "in-sync")
            findings = {}

            def nothing_found():
                results = only(operator.json("check", environment=secrets))["results"]
                findings.update(last={result["control"]: result["reason"] or result["actual"] for result in results if result["status"] in ("fail", "unknown")})
                return not findings["last"]
            try:
                wait_until(nothing_found, 60, "Prometheus has scraped its targets, and every row holds")
            except AssertionError as failure:
                self.fail(f"{failure}: {findings}")
            self.check_rows_of_containers(host, operator, secrets)

    def check_rows_of_containers(self, host, operator, secrets):
        """A file that was changed, one that was merged in, a tag that was moved, an environment that differs: each row says so, and no other."""
        rows = {"000-07", "000-08", "000-09", "000-10", "000-11", "000-29", "002-10", "002-16", "004-08", "004-09", "004-10", "004-11", "004-12", "004-14"}
        file, container = "/opt/sentinel/releases/one/compose.yaml", "sentinel-one"

        def not_passed():
            results = {result["control"]: result for result in only(operator.json("check", environment=secrets))["results"]}
            return {row: (results[row]["status"], results[row]["persistence"]) for row in rows if results[row]["status"] != "pass"}
        self.assertEqual(not_passed(), {})

        def shell(script):
            host.run(["sh", "-ec", script], timeout=120)
        shell(f"cp -a {file} /root/compose.yaml; echo '# by hand' >>{file}")
        self.assertEqual(not_passed(), {"000-09": ("fail", "boot-only")})
        shell(f"cp -a /root/compose.yaml {file}; tar -C / -c etc/hostname | docker import - sentinel:one")
        self.assertEqual(not_passed(), {"000-10": ("fail", "both")})
        shell(f"docker tag $(docker inspect --format '{{{{.Image}}}}' {container}) sentinel:one")
        self.assertEqual(not_passed(), {})
        shell(f"docker update --restart no {container}")
        self.assertEqual(not_passed(), {"000-29": ("fail", "both")})
        shell(f"docker update --restart unless-stopped {container}")
        environment = "/var/lib/sentinel/releases/sentinel/one/environment"
        shell(f"cp -a {environment} /root/environment; sed -i 's/^OPENAI_API_KEY=.*/OPENAI_API_KEY=another-secret-2/' {environment}")
        self.assertEqual(not_passed(), {"000-08": ("fail", "runtime-only"), "004-14": ("fail", "runtime-only")})
        shell(f"cp -a /root/environment {environment}; chmod 0644 {environment}")
        self.assertEqual(not_passed(), {"000-08": ("fail", "both"), "004-14": ("fail", "both")})
        shell(f"cp -a /root/environment {environment}; docker update --memory 900g --memory-swap 900g {container}")
        self.assertEqual(not_passed(), {"002-16": ("fail", "both")})
        shell(f"docker update --memory 512m --memory-swap 1g {container}")
        self.assertEqual(not_passed(), {})
        for _ in range(3):  # as one that crashes
            began = self.inspected(container, "{{.State.StartedAt}}")
            self.kill(container)
            wait_until(lambda: self.inspected(container, "{{.State.Running}}") == "true" and self.inspected(container, "{{.State.StartedAt}}") != began, 60,
                       "the engine starts it again")
        wait_until(lambda: self.inspected(container, "{{.State.Health.Status}}") == "healthy", 60, "it is healthy in between")
        self.assertEqual(not_passed(), {"000-11": ("fail", "both")})
        shell(f"printf 'services:\\n  release-one: {{ports: [\"8080:8080\"]}}\\n' >/root/override.yaml\n"
              f"docker-compose --project-name $(docker inspect --format '{{{{index .Config.Labels \"com.docker.compose.project\"}}}}' {container}) "
              f"--file {file} --file /root/override.yaml up --detach --no-build")
        merged = not_passed()
        self.assertEqual(merged.get("000-09"), ("fail", "both"), merged)

    def test_killed_in_the_middle(self):
        with docker_host("bookworm") as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("one")
            for phase, health in (("candidate", {"start": "60s", "ready": {"path": "/health/nowhere"}}), ("serving", {"bake": {"time": "60s"}})):
                with self.subTest(phase):
                    release = f"killed-in-{phase}"
                    self.project(settings={"SENTINEL_ATTEMPTS": 3}, health=health)
                    process = operator.start("deploy", "--release", release, "--yes", "--json", environment=SECRETS)
                    wait_until(lambda phase=phase, release=release: self.states(host).get(release) == phase, 30, phase)
                    host.run(["systemctl", "kill", "--signal=KILL", "sentinel-transaction@*.service"])
                    output, _ = process.communicate(timeout=90)
                    report = only(json.loads(output))
                    self.assertEqual((report["outcome"], report["release"]), ("reverted", "one"), report)
                    self.assertEqual((self.containers(), self.current()), ({"sentinel-one"}, "one"))
                    self.answers()
            self.kill("sentinel-one")
            wait_until(lambda: "sentinel-one" in self.containers(), 30, "it is started again")
            wait_until(self.serves, 30, "it serves again")
            # The engine: nobody notices, and a deploy that finds it away waits for it.
            with Load(host.address) as load:
                host.run(["systemctl", "kill", "--kill-who=main", "--signal=KILL", "docker"])
                self.assertEqual(self.deploy("after", settings={"SENTINEL_ATTEMPTS": 4})["release"], "after")
            self.assertEqual(load.failures, [])

    def test_one_that_hangs_under_traffic_is_taken_back(self):
        with docker_host("bookworm") as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("one")
            self.project(settings=self.upstream_at("hangs"), health={"live": {"path": "/health/live", "interval": "1s", "timeout": "1s", "failures": 2},
                                                                     "bake": {"time": "60s"}})
            process = operator.start("deploy", "--release", "hangs", "--yes", "--json", environment=SECRETS)
            wait_until(lambda: self.states(host).get("hangs") == "serving", 60, "the switch")
            self.kill("sentinel-hangs", "STOP")
            hung = time.monotonic()
            output, _ = process.communicate(timeout=90)
            report = only(json.loads(output))
            self.assertEqual((process.returncode, report["outcome"], report["release"]), (6, "reverted", "one"), report)
            self.assertIn("not healthy any more", report["error"]["message"])
            print(f"a container that hangs: taken back after {time.monotonic() - hung:.1f} s")
            # Nothing of it is waited for.
            self.assertEqual((self.containers(), self.current()), ({"sentinel-one"}, "one"))
            self.answers()

    def test_a_power_cut_under_the_watch_boots_the_former_release(self):
        with docker_host("bookworm") as host, Operator() as operator:
            self.prepared(host, operator)
            self.deploy("one")
            self.project(settings={"SENTINEL_ATTEMPTS": 3}, health={"bake": {"time": "120s"}})
            process = operator.start("deploy", "--release", "two", "--yes", "--json", environment=SECRETS)
            wait_until(lambda: self.states(host).get("two") == "serving", 30, "the switch")
            host.power_off()
            process.terminate()
            process.communicate(timeout=60)
            host.boot()
            wait_until(lambda: self.states(host).get("two") == "failed", 90, "the recovery")
            wait_until(lambda: self.containers() == {"sentinel-one"}, 60, "the former release alone")
            self.assertEqual(self.current(), "one")
            wait_until(self.serves, 30, "it serves")


if __name__ == "__main__":
    unittest.main()
