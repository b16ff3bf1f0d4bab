#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The proxy's image in real container engines, Docker and Podman: loaded, run without a writable file or a capability, found healthy by its own
health check, asked through its published port, found unhealthy when it is, and ended in order. And read by another tool."""

import hashlib
import json
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "tests" / "support" / "proxy")]
from hosts import Host, container  # noqa: E402
from proxy import BUILD, Client  # noqa: E402
from upstream import Upstream  # noqa: E402

KEY = "user-key-1"
ANSWER = {"id": "x", "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}],
          "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}
INSTALL = "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "
VFS = '[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n'
HARDENED = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--pids-limit=64"]


def image():
    (found,) = (BUILD / "packaging").glob("sentinel-proxy-*-image.tar")
    return found


class Published(Client):
    def __init__(self, address):
        self.socket = socket.create_connection((address, 8080), timeout=20)
        self.buffer = b""


class Image(unittest.TestCase):
    def check_engine(self, suite, engine, packages, network):
        """`network`: options by which the host's port 8080 leads to the container's."""
        with Host(suite) as host:
            upstream = Upstream(address=host.gateway)
            self.addCleanup(upstream.close)
            upstream.script = lambda exchange: exchange.send_json(ANSWER)
            host.ssh(INSTALL + packages, check=True, timeout=300)
            host.write("/etc/containers/storage.conf", VFS)  # Podman's: the test host's own root is an overlay already

            def inspect(what):
                return host.run([engine, "inspect", "--format", what, "proxy"]).stdout.strip()

            def is_found(status):
                if engine == "podman":  # its timer keeps to the image's own interval, so each look is asked for
                    well = status == "healthy"
                    return lambda: (host.run(["podman", "healthcheck", "run", "proxy"], check=False).returncode == 0) == well
                return lambda: inspect("{{.State.Health.Status}}") == status

            loaded = host.run([engine, "load"], input=image().read_bytes(), text=False).stdout.decode()
            name = loaded.strip().rsplit(" ", 1)[1]
            self.assertRegex(name, r"^(localhost/)?sentinel-proxy:\d+\.\d+\.\d+$")
            host.write("/srv/keys", f"{hashlib.sha256(KEY.encode()).hexdigest()} user-1\n")
            host.run([engine, "run", "--detach", "--name=proxy", *HARDENED, *network, "--volume=/srv/keys:/keys:ro", "--health-interval=1s",
                      "--env=SENTINEL_KEYS_FILE=/keys", f"--env=OPENAI_API_URL={upstream.url}", "--env=OPENAI_API_KEY=upstream-key", name])
            container.wait_until(is_found("healthy"), 30, "the engine finds it healthy")
            self.assertEqual(host.run([engine, "exec", "proxy", "/sentinel-proxy", "--version"]).stdout.split()[0], "sentinel-proxy")
            with Published(host.address) as client:
                answer = client.ask(body={"model": "m", "messages": []}, key=KEY)
                self.assertEqual((answer.status, answer.json()), (200, ANSWER))
                self.assertEqual(client.ask(body={"model": "m", "messages": []}, key="nobody").status, 401)
            # Only the service is frozen: the check's own patience ends.
            pid = inspect("{{.State.Pid}}")
            host.run(["kill", "-STOP", pid])
            container.wait_until(is_found("unhealthy"), 60, "the engine finds it unhealthy")
            host.run(["kill", "-CONT", pid])
            container.wait_until(is_found("healthy"), 30, "it is healthy again")
            host.run([engine, "stop", "--time=30", "proxy"], timeout=60)
            self.assertEqual(inspect("{{.State.ExitCode}}"), "0")
            self.assertIn('"event":"draining"', host.run([engine, "logs", "proxy"]).stdout)

    def test_docker_of_debian_12(self):
        self.check_engine("bookworm", "docker", "docker.io", ["--publish=8080:8080"])

    def test_podman_of_debian_12(self):
        # Without the packages that Podman's own networks need: the host's is the simplest.
        self.check_engine("bookworm", "podman", "podman", ["--network=host"])

    def test_another_tool_reads_the_archive_and_makes_an_oci_layout_of_it(self):
        with tempfile.TemporaryDirectory(prefix="sentinel-image-") as directory:
            subprocess.run(["skopeo", "--insecure-policy", "copy", "--quiet", f"docker-archive:{image()}", f"oci:{directory}/oci:made"], check=True)
            told = subprocess.run(["skopeo", "inspect", "--config", f"oci:{directory}/oci:made"], check=True, capture_output=True, text=True).stdout
        config = json.loads(told)["config"]
        self.assertEqual((config["Entrypoint"], config["User"]), (["/sentinel-proxy"], "65532:65532"))


if __name__ == "__main__":
    unittest.main()
