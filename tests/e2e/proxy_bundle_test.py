#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The proxy's bundle on real Debian 11, 12 and 13 with nothing installed for it: unpacked, started by its socket unit inside its
hardening, reloaded, and replaced by another release without a refused request."""

import hashlib
import io
import json
import os
import re
import socket
import subprocess
import sys
import tarfile
import threading
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "tests" / "support" / "proxy")]
from hosts import Host, container  # noqa: E402
from proxy import BUILD, Answer, Client  # noqa: E402

KEY = "user-key-1"
WORST_EXPOSURE = 2.0  # of 10, as systemd-analyze security counts; 0 is best


def bundle():
    (found,) = (BUILD / "packaging").glob("sentinel-proxy-*-bundle.tar")
    return found.read_bytes()


class HostClient(Client):
    """Of a host's port, or of a unix socket inside it."""

    def __init__(self, host, port=8080, path=None):
        if path is None:
            self.socket = socket.create_connection((host.address, port), timeout=20)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(20)
            self.socket.connect(f"/proc/{host.pid}/root{path}")
        self.buffer = b""


class Bundle(unittest.TestCase):
    def ask(self, host, method, target, path=None, **named) -> Answer:
        with HostClient(host, path=path) as client:
            return client.ask(method, target, key=None, **named)

    def install(self, host, packed):
        host.run(["mkdir", "-p", "/opt/sentinel-proxy", "/etc/sentinel-proxy"])
        host.run(["tar", "-xf", "-", "-C", "/opt/sentinel-proxy"], input=packed, text=False)
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            manifest = json.load(archive.extractfile("manifest.json"))
        sums = "".join(f"{entry['sha256']}  /opt/sentinel-proxy/{name}\n" for name, entry in manifest["files"].items())
        host.run(["sha256sum", "--check", "--quiet", "-"], input=sums)
        host.run(["sh", "-c", "cp /opt/sentinel-proxy/units/* /etc/systemd/system/ && cp /opt/sentinel-proxy/etc/config.yaml /etc/sentinel-proxy/"])
        host.write("/etc/sentinel-proxy/keys", f"{hashlib.sha256(KEY.encode()).hexdigest()} user-1\n")
        host.write("/etc/sentinel-proxy/environment", "OPENAI_API_KEY=upstream-key\nOPENAI_API_URL=http://127.0.0.1:9/v1\n", mode=0o600)
        host.run(["systemctl", "daemon-reload"])

    def check_release(self, suite):
        with Host(suite) as host:
            self.install(host, bundle())
            self.assertTrue(host.run(["/opt/sentinel-proxy/bin/sentinel-proxy", "--version"]).stdout.startswith("sentinel-proxy "))
            host.run(["systemctl", "start", "sentinel-proxy.socket"])
            # The socket starts the service with the first connection.
            self.assertEqual(self.ask(host, "GET", "/health/ready").status, 200, host.journal("sentinel-proxy-current.service"))
            self.assertEqual(self.ask(host, "POST", "/v1/chat/completions").status, 401)
            host.run(["systemctl", "reload", "sentinel-proxy-current.service"])
            container.wait_until(lambda: '"event":"reloaded"' in host.journal("sentinel-proxy-current.service"), 20, "the reload")
            shown = host.run(["systemd-analyze", "security", "--no-pager", "sentinel-proxy-current.service"]).stdout
            exposure = float(re.search(r"exposure level for .*: ([0-9.]+)", shown).group(1))
            print(f"{suite}: systemd-analyze security says {exposure}")
            self.assertLessEqual(exposure, WORST_EXPOSURE)
            self.check_handover(host)

    def check_handover(self, host):
        unit = host.read("/etc/systemd/system/sentinel-proxy-current.service").decode()
        host.write("/etc/systemd/system/sentinel-proxy-next.service", unit.replace("sentinel-proxy-app/current", "sentinel-proxy-app/next"))
        host.run(["mkdir", "-p", "/run/systemd/system/sentinel-proxy-next.service.d"])
        host.write("/run/systemd/system/sentinel-proxy-next.service.d/candidate.conf",
                   "[Service]\nEnvironment=SENTINEL_ACCEPT_ON_COMMAND=true\nRestart=no\n")
        host.run(["systemctl", "daemon-reload"])
        stop, failures, answers = threading.Event(), [], []

        def load():
            while not stop.is_set():
                try:
                    answers.append(self.ask(host, "GET", "/health/live").status)
                except OSError as failure:
                    failures.append(repr(failure))

        threads = [threading.Thread(target=load) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            host.run(["systemctl", "start", "sentinel-proxy-next.service"])
            admin = "/run/sentinel-proxy-app/next/admin.sock"
            self.assertEqual(self.ask(host, "GET", "/admin/state", path=admin).json()["state"], "waiting")
            self.assertEqual(self.ask(host, "GET", "/health/ready", path=admin).status, 200)
            self.assertEqual(self.ask(host, "POST", "/admin/accept", path=admin).json()["state"], "accepting")
            # The socket belongs to the new one before the old one ends: else its end would start it again.
            ports = host.read("/etc/systemd/system/sentinel-proxy.socket").decode()
            host.write("/etc/systemd/system/sentinel-proxy.socket", ports.replace("-current.service", "-next.service"))
            host.run(["systemctl", "daemon-reload"])
            host.run(["systemctl", "stop", "sentinel-proxy-current.service"], timeout=60)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [], host.journal())
        self.assertEqual(set(answers), {200})
        states = host.run(["systemctl", "is-active", "sentinel-proxy.socket", "sentinel-proxy-current.service", "sentinel-proxy-next.service"],
                          check=False).stdout.split()
        self.assertEqual(states, ["active", "inactive", "active"])
        self.assertEqual(self.ask(host, "GET", "/health/ready").status, 200)

    def test_debian_11(self):
        self.check_release("bullseye")

    def test_debian_12(self):
        self.check_release("bookworm")

    def test_debian_13(self):
        self.check_release("trixie")


class Artefacts(unittest.TestCase):
    def test_the_same_program_gives_the_same_bytes(self):
        packed = bundle()
        again = BUILD / "packaging" / "again.tar"
        version = re.search(r'"version": "([^"]+)"', packed.decode("latin-1")).group(1)
        subprocess.run([ROOT / "packaging/proxy/bundle", BUILD / "proxy/sentinel-proxy", version, again], check=True, cwd=ROOT / "packaging/proxy")
        self.addCleanup(again.unlink)
        self.assertEqual(hashlib.sha256(again.read_bytes()).hexdigest(), hashlib.sha256(packed).hexdigest())

    def test_the_image_holds_the_program_and_the_authorities_and_nothing_else(self):
        (image,) = (BUILD / "packaging").glob("sentinel-proxy-*-image.tar")
        with tarfile.open(image) as archive:
            (manifest,) = json.load(archive.extractfile("manifest.json"))
            config = json.load(archive.extractfile(manifest["Config"]))
            layer = archive.extractfile(manifest["Layers"][0]).read()
        self.assertEqual(config["rootfs"]["diff_ids"], ["sha256:" + hashlib.sha256(layer).hexdigest()])
        self.assertEqual(config["config"]["Healthcheck"]["Test"], ["CMD", "/sentinel-proxy", "--health"])
        with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
            files = {entry.name: entry.mode for entry in archive if entry.isfile()}
        self.assertEqual(files, {"sentinel-proxy": 0o755, "etc/ssl/certs/ca-certificates.crt": 0o644})

    def test_the_image_runs_with_nothing_around_it(self):
        """As a container engine would: its layer as the root, an unprivileged user, no shell, and the image's own health check."""
        (image,) = (BUILD / "packaging").glob("sentinel-proxy-*-image.tar")
        with tarfile.open(image) as archive:
            (manifest,) = json.load(archive.extractfile("manifest.json"))
            layer = archive.extractfile(manifest["Layers"][0]).read()
        root = BUILD / "packaging" / "image-root"
        root.mkdir(exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
            archive.extractall(root)
        (root / "keys").write_text("")
        environment = {"SENTINEL_KEYS_FILE": "/keys", "OPENAI_API_KEY": "k", "SENTINEL_HOST": "127.0.0.1", "SENTINEL_PORT": "0",
                       "SENTINEL_METRICS_PORT": str(self.free_port())}
        inside = ["chroot", "--userspec=65532:65532", str(root), "/sentinel-proxy"]
        process = subprocess.Popen(inside, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True)
        try:
            for line in process.stdout:
                if '"event":"accepting"' in line:
                    break
            self.assertEqual(subprocess.run([*inside, "--health"], env={**os.environ, **environment}, timeout=20).returncode, 0)
        finally:
            process.terminate()
            process.stdout.close()
            self.assertEqual(process.wait(timeout=20), 0)
        self.assertEqual(subprocess.run([*inside, "--health"], env={**os.environ, **environment}, stderr=subprocess.DEVNULL, timeout=20).returncode, 1)

    @staticmethod
    def free_port():
        with socket.create_server(("127.0.0.1", 0)) as probe:
            return probe.getsockname()[1]


if __name__ == "__main__":
    unittest.main()
