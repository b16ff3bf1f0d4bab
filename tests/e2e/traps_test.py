#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Traps that are no one change of a compliant host (those are in mutations/): recipes that look right, containers that others
made, auditors who may not look. Each is first shown and then found, by its name."""

import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from hosts import Host  # noqa: E402
from sentinel import Operator, bootstrapped, only, wait_until  # noqa: E402

# A program that answers on port 8080, out of what the host has.
IMAGE = """
python=$(readlink -f /usr/bin/python3); version=$(basename $python)
real=$(ldd $python | grep -o '/[^ ]*' | while read -r file; do echo "usr$file"; readlink -f "$file" | cut -c2-; done | sort -u)
tar -c -C / lib lib64 ${python#/} usr/lib/$version $real | docker import --change "ENTRYPOINT [\\"/usr/bin/$version\\", \\"-m\\", \\"http.server\\", \\"8080\\"]" - app
"""
BASE = {"version": "3.8", "services": {"sentinel": {"image": "app", "ports": ["8080:8080"]}}}


class Traps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = cls.enterClassContext(bootstrapped())
        cls.operator = cls.enterClassContext(Operator())
        cls.operator.know(cls.host)
        cls.host.run(["sh", "-ec", IMAGE], timeout=300)

    def check(self, **project):
        self.operator.project({"web-1": self.host}, **project)
        return {result["control"]: result for result in only(self.operator.json("check"))["results"]}

    def containers(self):
        """What check says of containers that are the application's."""
        return self.check(app={"runtime": "compose"})

    def compose(self, *arguments, check=True, **files):
        """docker-compose over these files, in this order, as the project named like the application."""
        self.addCleanup(self.host.run, ["sh", "-c", "docker rm --force $(docker ps --all --quiet); docker network prune --force"], check=False)
        named = []
        for name, content in files.items():
            self.host.write(f"/srv/app/{name}.yaml", json.dumps(content))
            named += ["--file", f"/srv/app/{name}.yaml"]
        return self.host.run(["docker-compose", "--project-name", "sentinel", *named, *arguments], check=check)

    def listed(self):
        """What people look at: names of containers, as `docker ps` lists them."""
        return self.host.run(["docker", "ps", "--format", "{{.Names}}"]).stdout.split()

    def reached(self, host, port):
        done = host.run(["timeout", "5", "bash", "-c", f"exec 3<>/dev/tcp/{self.host.address}/{port}"], check=False)
        return done.returncode == 0

    def assert_found(self, result, status, trap):
        self.assertEqual(result["status"], status, result)
        found = {each["name"]: each for each in result["traps"]}
        self.assertIn(trap, found, result)
        self.assertTrue(found[trap]["cause"] and found[trap]["repair"], result)

    def test_a_narrow_rule_for_ssh_after_the_one_for_everybody(self):
        narrow = {"ssh": {"allow_from": [f"{self.host.gateway}/32"]}}
        self.operator.project({"web-1": self.host}, narrow).bootstrap()
        self.assertEqual(self.check(variables=narrow)["004-07"]["status"], "pass")
        self.host.run(["ufw", "allow", "from", self.host.gateway, "to", "any", "port", "22", "proto", "tcp"])
        self.addCleanup(lambda: self.operator.project({"web-1": self.host}).bootstrap())
        self.assertIn(self.host.gateway, self.host.run(["ufw", "status"]).stdout)
        with Host() as elsewhere:
            self.assertTrue(self.reached(elsewhere, 22), "the narrow rule keeps nobody out")
            self.assert_found(self.check(variables=narrow)["004-07"], "fail", "shadowed-rule")
            self.assert_found(self.check()["004-06"], "warn", "shadowed-rule")
            self.host.run(["ufw", "delete", "allow", "22/tcp"])
            self.assertFalse(self.reached(elsewhere, 22))
            self.assertEqual(self.check(variables=narrow)["004-07"]["status"], "pass")

    def test_an_override_file_that_is_to_bind_a_port_to_loopback(self):
        override = {"version": "3.8", "services": {"sentinel": {"ports": ["127.0.0.1:8081:8080"]}}}
        self.compose("up", "--detach", base=BASE, override=override)
        self.assertIn("127.0.0.1:8081", self.host.read("/srv/app/override.yaml").decode())
        with Host() as elsewhere:
            wait_until(lambda: self.reached(elsewhere, 8080), 20, "the port of the first file is open to everybody")
        results = self.containers()
        self.assert_found(results["000-09"], "fail", "compose-override-appends")
        self.assert_found(results["002-05"], "fail", "docker-publishes-past-ufw")
        alone = {"version": "3.8", "services": {"sentinel": {**BASE["services"]["sentinel"], "ports": ["127.0.0.1:8080:8080"], "mem_limit": "64m"}}}
        self.compose("up", "--detach", alone=alone)
        # No release of ours is in force, so there is nothing to compare the file with; but nothing is open any more.
        mended = self.containers()
        self.assertEqual((mended["000-09"]["status"], mended["000-09"]["traps"], mended["002-05"]["status"]), ("unknown", [], "pass"), mended["000-09"])

    def test_replicas_that_publish_one_port(self):
        replicas = {"version": "3.8", "services": {"sentinel": {**BASE["services"]["sentinel"], "deploy": {"replicas": 3}}}}
        self.assertEqual(self.compose("config", "--quiet", base=replicas).returncode, 0, "nothing is wrong with the file")
        failed = self.compose("--compatibility", "up", "--detach", check=False, base=replicas)
        self.assertIn("port is already allocated", failed.stderr)
        self.assertEqual(len(self.listed()), 1)
        self.assert_found(self.containers()["000-11"], "fail", "replicas-one-port")

    def test_a_container_that_nobody_asks_and_one_that_ended(self):
        quiet = {"version": "3.8", "services": {"sentinel": {"image": "app"}}}
        self.compose("up", "--detach", base=quiet)
        self.assertEqual(len(self.listed()), 1)
        self.assert_found(self.containers()["000-11"], "unknown", "no-healthcheck")
        self.host.run(["docker", "stop", "--time", "0", *self.listed()])
        self.assertEqual(self.listed(), [], "it is not even listed")
        ended = self.containers()["000-11"]
        self.assertEqual((ended["status"], "exited" in ended["actual"]), ("fail", True), ended)

    def test_who_may_not_look_learns_nothing(self):
        with Host() as host, Operator() as operator:
            operator.know(host)
            host.run(["sh", "-ec", "useradd --create-home --shell /bin/sh guest && cp -r /root/.ssh /home/guest/ && chown -R guest: /home/guest/.ssh"])
            self.assertNotEqual(host.ssh("/usr/sbin/sshd -T", user="guest").returncode, 0, "sshd tells only root")
            operator.project({"web-1": host})
            document = json.loads((operator.directory / "sentinel.yaml").read_text())
            document["hosts"]["web-1"]["user"] = "guest"
            (operator.directory / "sentinel.yaml").write_text(json.dumps(document))
            report = only(operator.json("check", exit=8))
            self.assertEqual((report["results"], report["error"]["code"]), ([], "agent.sudo"))


if __name__ == "__main__":
    unittest.main()
