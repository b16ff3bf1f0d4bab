# SPDX-License-Identifier: Apache-2.0
"""Releases as containers in tests: hosts with an engine and Caddy, as the roles docker and caddy leave them, and a project that
deploys this build's image to them."""

from pathlib import Path

from hosts import Host, prepared
from releases import Load, ReleaseCase, caddyfile
from sentinel import BUILD

SITE = caddyfile("unix//run/sentinel-app/current/api.sock")
PACKAGES = {"bookworm": "docker.io docker-compose caddy curl", "trixie": "docker.io docker-cli docker-compose caddy curl"}
DAEMON = (Path(__file__).resolve().parents[2] / "templates" / "docker" / "daemon.json").read_text()


def engine(host):
    """Docker as the role docker leaves it, and Caddy in front."""
    host.ssh("apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends " + PACKAGES[host.suite], check=True, timeout=300)
    host.write("/etc/docker/daemon.json", DAEMON)
    host.write("/etc/caddy/Caddyfile", SITE)
    host.run(["systemctl", "restart", "docker", "caddy"])


def docker_host(suite):
    return Host(on=prepared("docker-" + suite, Host(suite), [SITE, DAEMON, PACKAGES[suite]], build=engine))


class ContainerCase(ReleaseCase):
    """Tests that deploy the project's own image to a real host whose Caddy leads to the release in force."""

    runtime, start = {"runtime": "compose"}, "10s"

    @classmethod
    def setUpClass(cls):
        (cls.image,) = (BUILD / "packaging").glob("sentinel-proxy-*-image.tar")
        cls.bundle = cls.image

    def containers(self):
        """Names of those that run."""
        return set(self.host.run(["docker", "ps", "--format", "{{.Names}}"]).stdout.split())

    def inspected(self, container, field):
        return self.host.run(["docker", "inspect", "--format", field, container]).stdout.strip()

    def kill(self, container, signal="KILL"):
        self.host.run(["kill", f"-{signal}", self.inspected(container, "{{.State.Pid}}")])

    def serves(self):
        load = Load(self.host.address)
        load.ask(False)
        return load.answers == 1
