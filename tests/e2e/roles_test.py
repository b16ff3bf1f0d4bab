#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The roles of sentinel-vps with other variables than the defaults (those are looked at by bootstrap_test): what each
setting does is asked of the running host."""

import re
import socket
import ssl
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from effective import fetch, fetch_ok  # noqa: E402
from hosts import Host  # noqa: E402
from sentinel import Operator, bootstrapped, only, wait_until  # noqa: E402

ROLES = ("firewall", "users", "ssh", "fail2ban", "updates", "kernel", "system", "docker", "app", "redis", "caddy", "monitoring", "logs")
# Stands in for the proxy: sends event N of /events only once /run/go-N is there, and tells when its client has left.
BACKEND = """
import http.server, os, select, socketserver, time
class Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/silent":
            while not os.path.exists("/run/speak"):
                time.sleep(0.1)
        if self.path != "/events":
            self.send_response(200)
            self.send_header("Content-Length", "3")
            self.send_header("Server", "backend")
            self.end_headers()
            self.wfile.write(b"ok\\n")
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(100):
            while not os.path.exists(f"/run/go-{number}"):
                if select.select([self.connection], [], [], 0.05)[0]:
                    open("/run/client-left", "w")
                    self.close_connection = True
                    return
            event = f"data: {number}\\n\\n".encode()
            self.wfile.write(b"%x\\r\\n" % len(event) + event + b"\\r\\n")
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
Server(("127.0.0.1", 8080), Backend).serve_forever()
"""


class OnABootstrappedHost(unittest.TestCase):
    def setUp(self):
        self.host = bootstrapped().start()
        self.addCleanup(self.host.destroy)
        self.operator = Operator()
        self.addCleanup(self.operator.close)
        self.operator.know(self.host)

    def apply(self, variables, secrets=None, exit=0):
        self.operator.project({"web-1": self.host}, variables, secrets)
        outcome = only(self.operator.json("apply", "--yes", exit=exit))
        if exit == 0:
            self.assertEqual(only(self.operator.json("plan", exit=0))["status"], "in-sync")
        return outcome

    def start_backend(self):
        self.host.write("/run/backend.py", BACKEND)
        self.host.run(["systemd-run", "--quiet", "--unit=backend", "python3", "/run/backend.py"])
        wait_until(lambda: fetch_ok(self.host, 8080), 20, "the backend listens")

    def certificate(self, name):
        """The certificate that port 443 shows for that name, as PEM."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection((self.host.address, 443), timeout=10) as plain, context.wrap_socket(plain, server_hostname=name) as secured:
            return ssl.DER_cert_to_PEM_cert(secured.getpeercert(binary_form=True))

    def curl(self, *arguments):
        done = subprocess.run(["curl", "-sS", "-k", "--max-time", "30", *arguments], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


class Streaming(OnABootstrappedHost):
    def assert_events_arrive_at_once(self, *options):
        self.host.run(["sh", "-c", "rm -f /run/go-* /run/client-left"])
        with subprocess.Popen(["curl", "-sS", "-N", "-k", "--max-time", "60", *options], stdout=subprocess.PIPE, text=True) as client:
            # An event that waited in a buffer would never come: the next is not sent before the last has arrived.
            for number in range(5):
                self.host.write(f"/run/go-{number}", "")
                self.assertEqual(client.stdout.readline(), f"data: {number}\n")
                self.assertEqual(client.stdout.readline(), "\n")
            self.assertFalse(self.host.exists("/run/client-left"))
            client.terminate()
        wait_until(lambda: self.host.exists("/run/client-left"), 15, "the backend is told that its client has left")

    def test_events_pass_one_by_one_and_a_client_that_leaves_is_noticed(self):
        self.start_backend()
        self.assert_events_arrive_at_once(f"http://{self.host.address}/events")
        self.apply({"domain": "api.example.com", "tls": {"mode": "internal"}})
        at = ("--resolve", f"api.example.com:443:{self.host.address}", "https://api.example.com/events")
        self.assert_events_arrive_at_once("--http1.1", *at)
        self.assert_events_arrive_at_once("--http2", *at)

    def test_the_handler_that_answers_is_the_one_with_the_timeouts(self):
        self.start_backend()
        self.apply({"upstream_timeout": 2})
        began = time.monotonic()
        status, _, _ = fetch(self.host, "http://127.0.0.1/silent")
        self.assertIn(status, (502, 504))
        self.assertTrue(2 <= time.monotonic() - began < 9)
        status, headers, body = fetch(self.host, "http://127.0.0.1/v1/models")
        self.assertEqual((status, body), (200, "ok\n"))
        self.assertNotIn("server", headers)


class Certificates(OnABootstrappedHost):
    def test_every_mode_of_tls(self):
        self.start_backend()
        name, at = "api.example.com", ["--resolve", f"api.example.com:443:{self.host.address}", "--resolve", f"api.example.com:80:{self.host.address}"]
        with self.subTest("origin"):
            files = [self.operator.directory / "origin.pem", self.operator.directory / "origin.key"]
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                            "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-out", files[0], "-keyout", files[1]],
                           check=True, capture_output=True)
            self.apply({"domain": name, "tls": {"mode": "origin"}}, {"ORIGIN_CERT": {"file": "origin.pem"}, "ORIGIN_KEY": {"file": "origin.key"}})
            self.assertEqual(self.certificate(name).split(), files[0].read_text().split())
            self.assertEqual(self.host.run(["stat", "-c", "%U %a", "/etc/caddy/tls/origin.key"]).stdout, "caddy 600\n")
            said = self.curl("-i", *at, f"https://{name}/v1/models")
            self.assertRegex(said.lower(), r"strict-transport-security: max-age=31536000")
            self.assertIn("ok", said)
            self.assertRegex(self.curl("-i", *at, f"http://{name}/"), r"HTTP/1.1 308 [\s\S]*\n[Ll]ocation: https://api.example.com/")
            refused = subprocess.run(["curl", "-sS", "-k", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", *at, f"https://{name}/"], capture_output=True)
            self.assertEqual(refused.returncode, 35, "TLS 1.1 is accepted")
        with self.subTest("internal"):
            self.apply({"domain": name, "tls": {"mode": "internal"}})
            self.assertIn("Caddy Local Authority", self.issuer(name))
        with self.subTest("acme"):
            # A name that automatic HTTPS serves without asking an authority on the internet.
            self.apply({"domain": "api.localhost"})
            self.assertIn("Caddy Local Authority", self.issuer("api.localhost"))
        with self.subTest("none"):
            self.apply({"domain": name, "tls": {"mode": "none"}})
            self.assertEqual(self.curl(*at, f"http://{name}/v1/models"), "ok\n")
            self.assertNotIn(":443", self.host.run(["ss", "-Hltn"]).stdout)

    def issuer(self, name):
        told = subprocess.run(["openssl", "x509", "-noout", "-issuer"], input=wait_until(lambda: self.certificate_or_none(name), 20, f"a certificate of {name}"),
                              check=True, capture_output=True, text=True)
        return told.stdout

    def certificate_or_none(self, name):
        try:
            return self.certificate(name)
        except (ssl.SSLError, ConnectionError):
            return None

    def test_a_caddyfile_that_is_wrong_never_comes_into_force(self):
        before = self.host.read("/etc/caddy/Caddyfile")
        running = fetch(self.host, "http://localhost:2019/config/")
        refused = self.apply({"caddy": {"extra": "example.org {\n\tno_such_directive\n}"}}, exit=1)
        self.assertIn("no_such_directive", str(refused["error"]))
        self.assertEqual(self.host.read("/etc/caddy/Caddyfile"), before)
        self.assertEqual(fetch(self.host, "http://localhost:2019/config/")[2], running[2])

    def test_a_caddyfile_that_can_not_be_loaded_is_taken_back_at_once_and_users_see_nothing(self):
        self.start_backend()
        before = self.host.read("/etc/caddy/Caddyfile")
        for number in (0, 1):
            self.host.write(f"/run/go-{number}", "")
        with subprocess.Popen(["curl", "-sS", "-N", "--max-time", "120", f"http://{self.host.address}/events"], stdout=subprocess.PIPE, text=True) as client:
            self.assertEqual([client.stdout.readline() for _ in range(3)], ["data: 0\n", "\n", "data: 1\n"])
            began = time.monotonic()
            # Nothing that a validator sees: somebody else listens there.
            refused = self.apply({"caddy": {"extra": ":22 {\n\trespond no\n}"}}, exit=1)
            took = time.monotonic() - began
            self.host.write("/run/go-2", "")
            self.assertEqual([client.stdout.readline() for _ in range(2)], ["\n", "data: 2\n"])
            client.terminate()
        self.assertIn("listen tcp :22: bind: address already in use", refused["error"]["message"])
        self.assertEqual(refused["outcome"], "reverted")
        self.assertLess(took, 20)
        self.assertEqual(self.host.run(["systemctl", "is-active", "caddy"]).stdout, "active\n")
        self.assertEqual(self.host.read("/etc/caddy/Caddyfile"), before)
        self.assertEqual(fetch(self.host, "http://127.0.0.1/v1/models")[2], "ok\n")
        self.apply({"caddy": {"extra": ":8444 {\n\trespond yes\n}"}})
        self.assertEqual(fetch(self.host, "http://127.0.0.1:8444/")[2], "yes")
        print(f"a Caddyfile that can't be loaded: taken back after {took:.1f} s")


class Settings(OnABootstrappedHost):
    def test_values_that_people_set_first_arrive(self):
        self.apply({"redis": {"maxmemory": "64mb", "password": "REDIS_PASSWORD"}, "monitoring": {"retention": "8d"}, "system": {"hostname": "vps-one"},
                    "fail2ban": {"maxretry": 5, "bantime": "1h", "ignore": ["198.51.100.0/24"]}, "deploy_sudo": "nopasswd",
                    "kernel": {"sysctl": {"net.ipv4.tcp_syncookies": "2"}}, "app": {"memory_max": "300M"}, "updates": {"reboot": True},
                    "firewall": {"allow": ["22/tcp", "443/tcp"], "limit": ["8443/tcp"]}}, {"REDIS_PASSWORD": {"generate": "hex"}})
        out = lambda *argv: self.host.run(list(argv)).stdout  # noqa: E731
        self.assertIn("NOAUTH", out("redis-cli", "ping"))
        password = self.host.read("/var/lib/sentinel/secrets/REDIS_PASSWORD").decode()
        self.assertEqual(self.host.run(["redis-cli", "config", "get", "maxmemory"], input=None).stdout.count("NOAUTH"), 1)
        said = self.host.run(["sh", "-c", "REDISCLI_AUTH=$(cat) redis-cli config get maxmemory"], input=password).stdout
        self.assertEqual(said.split()[-1], str(64 << 20))
        self.assertIn('"storage.tsdb.retention.time":"8d"', fetch(self.host, "http://127.0.0.1:9090/api/v1/status/flags")[2])
        self.assertEqual(out("hostname"), "vps-one\n")
        self.assertEqual((out("fail2ban-client", "get", "sshd", "maxretry").strip(), out("fail2ban-client", "get", "sshd", "bantime").strip()), ("5", "3600"))
        self.assertIn("198.51.100.0/24", out("fail2ban-client", "get", "sshd", "ignoreip"))
        self.assertEqual(self.host.ssh("sudo -n true", user="deploy").returncode, 0)
        self.assertEqual(out("sysctl", "-n", "net.ipv4.tcp_syncookies").strip(), "2")
        self.assertIn('Automatic-Reboot "true"', out("apt-config", "dump"))
        status = out("ufw", "status")
        self.assertNotRegex(status, r"(?m)^80/tcp")
        self.assertRegex(status, r"(?m)^8443/tcp +LIMIT")

    def test_three_failed_logins_shut_the_door_on_others_and_never_on_the_operator(self):
        self.apply({"ssh": {"allow_from": [self.host.gateway]}})
        with Host("bookworm") as stranger:
            knock = (f"ssh -n -i /root/key -o StrictHostKeyChecking=no -o BatchMode=yes -o ConnectTimeout=5 deploy@{self.host.address} true")
            stranger.write("/root/key", Path(stranger.key).read_bytes(), mode=0o600)
            # The right key from an address that may not come in.
            self.assertIn("Permission denied", stranger.ssh(knock).stderr)
            for _ in range(2):
                stranger.ssh(knock)
            wait_until(lambda: stranger.address in self.banned(), 30, "the stranger is banned")
            self.assertNotIn("Permission denied", stranger.ssh(knock).stderr)
            for _ in range(4):
                self.host.ssh("true", user="nobody-here")
            wait_until(lambda: len(re.findall("Invalid user nobody-here", self.host.journal("ssh"))) >= 4, 20, "sshd has noticed")
            self.assertEqual(self.host.ssh("true", user="deploy").returncode, 0)
            self.assertEqual(self.banned(), [stranger.address])

    def banned(self):
        return self.host.run(["fail2ban-client", "status", "sshd"]).stdout.split("Banned IP list:")[1].split()

    def test_a_repository_that_is_out_of_reach_is_a_clear_error_and_leaves_nothing(self):
        (self.operator.directory / "keys").mkdir()
        (self.operator.directory / "keys/docker.asc").write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n")
        before = self.host.run(["sh", "-c", "find /etc/apt -type f -exec sha256sum {} + | sort"]).stdout
        refused = self.apply({"docker": {"source": "docker"}}, exit=1)
        self.assertIn("download.docker.com", str(refused["error"]))
        self.assertEqual(self.host.run(["sh", "-c", "find /etc/apt -type f -exec sha256sum {} + | sort"]).stdout, before)


class OnOff(unittest.TestCase):
    def test_every_role_is_off_or_on_by_a_variable(self):
        with Host("bookworm") as host, Operator() as operator:
            operator.know(host)
            operator.project({"web-1": host}, {role: {"enabled": False} for role in ROLES})
            self.assertEqual(only(operator.json("plan", exit=0))["steps"], [])
            for role in ROLES:
                with self.subTest(role):
                    steps = only(operator.json("plan", "--set", f"{role}.enabled=true", exit=3))["steps"]
                    self.assertEqual({step["id"].split("/")[0] for step in steps}, {role})


if __name__ == "__main__":
    unittest.main()
