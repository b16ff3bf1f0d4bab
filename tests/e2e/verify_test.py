#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sentinel-agent verify against real servers that are good, refuse, stall, drip, flap and lie, over TCP, TLS, IPv6 and unix
sockets. Nobody but a server that plainly says so is healthy, and the deadline always holds."""

import concurrent.futures
import json
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import junitparser

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from answering_server import BAD, GOOD, Server, always, http_target, probe  # noqa: E402
from certificates import Authority  # noqa: E402
from sentinel import AGENT, ROOT  # noqa: E402

class Verify(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name)

    def verify(self, *arguments, exit):
        done = subprocess.run([AGENT, "verify", "--json", *map(str, arguments)], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, exit, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def config(self, *probes, deadline_ms=1500, file="health"):
        path = self.scratch / f"{file.replace('/', '')}.json"
        path.write_text(json.dumps({"probes": probes, "gate": {"deadline_ms": deadline_ms, "start_period_ms": 0},
                                    "bake": {"time_ms": 0, "errors": 0.01, "min_requests": 1}}))
        return path

    def reason(self, target, exit=6, file="health", **more):
        """What the one probe said last. A good one may take its time."""
        verdict = self.verify("--config", self.config(probe("it", target, **more), deadline_ms=20000 if exit == 0 else 1500, file=file), exit=exit)
        self.assertEqual(verdict["healthy"], exit == 0)
        if exit == 6:
            self.assertGreaterEqual(verdict["elapsed_ms"], 1500)
        # The last try has only what is left until the deadline.
        return re.sub(r"longer than \d+ ms|within [\d.]+ s", "too long", verdict["probes"][0]["last"])

    def server(self, answer, **named):
        server = Server(answer, **named)
        self.addCleanup(server.__exit__)
        return server

    def test_a_good_one_is_asked_until_its_successes(self):
        server = self.server(always(GOOD))
        verdict = self.verify("--url", f"http://127.0.0.1:{server.port}/health?key=hunter2", "--successes", 3, "--interval", 0.05, exit=0)
        self.assertEqual((verdict["probes"][0]["attempts"], verdict["probes"][0]["last"]), (3, "status 200"))
        self.assertEqual(len(server.heads), 3)
        self.assertIn(b"GET /health?key=hunter2 HTTP/1.1", server.heads[0])
        self.assertNotIn("hunter2", json.dumps(verdict))

    def test_one_that_becomes_good_late_is_healthy(self):
        server = self.server(lambda number, *_: GOOD if number > 12 else BAD)
        verdict = self.verify("--url", f"http://127.0.0.1:{server.port}/", "--interval", 0.05, exit=0)
        self.assertEqual((verdict["probes"][0]["attempts"], verdict["probes"][0]["last_failure"]), (13, "status 503"))

    def test_flapping_is_not_healthy(self):
        server = self.server(lambda number, *_: BAD if number % 3 == 0 else GOOD)
        self.reason(http_target(f"http://127.0.0.1:{server.port}/"), successes=3)

    def test_servers_that_stall_drip_and_lie(self):
        def drip(number, connection, head):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not stop.wait(0.02):
                connection.sendall(b"x")

        def drip_head(number, connection, head):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not stop.wait(0.02):
                connection.sendall(b"x")

        stop = threading.Event()
        self.addCleanup(stop.set)
        cases = [
            (lambda *_: stop.wait() and None, "the answer took too long"),
            (drip, "status 200, but its body took too long"),
            (drip_head, "the answer took too long"),
            (always(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"), "no whole HTTP answer: partial message"),
            (always(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), "no whole HTTP answer: partial message"),
            (always(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"), "no whole HTTP answer: body limit exceeded"),
            (always(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 4000), "no whole HTTP answer: header limit exceeded"),
            (always(b"SSH-2.0-OpenSSH_9.2\r\n"), "no whole HTTP answer: bad version"),
            (always(b""), "no whole HTTP answer: end of stream"),
            (always(b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"), "status 302"),
            (always(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), "status 404"),
        ]
        with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
            seen = list(pool.map(lambda case: self.reason(http_target(f"http://127.0.0.1:{self.server(case[0]).port}/"), file=case[1]), cases))
        self.assertEqual(seen, [reason for _, reason in cases])

    def test_nobody_there(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))  # bound and not listening: refused
            port = unused.getsockname()[1]
            self.assertEqual(self.reason(http_target(f"http://127.0.0.1:{port}/")), f"127.0.0.1 port {port}: Connection refused")
            self.assertEqual(self.reason({"tcp": {"host": "127.0.0.1", "port": port}}), f"127.0.0.1 port {port}: Connection refused")
        self.assertIn("no-such-name.invalid", self.reason(http_target("http://no-such-name.invalid/")))
        self.assertIn("No such file", self.reason(http_target("http://x/", socket=str(self.scratch / "absent.sock"))))

    def test_tcp(self):
        server = self.server(always(b""))
        self.assertEqual(self.reason({"tcp": {"host": "localhost", "port": server.port}}, exit=0), f"port {server.port} accepts")

    def test_ipv6_and_unix_sockets(self):
        server = self.server(always(GOOD), family=socket.AF_INET6, address=("::1", 0))
        self.assertEqual(self.reason(http_target(f"http://[::1]:{server.port}/"), exit=0), "status 200")
        self.assertIn(f"Host: [::1]:{server.port}\r\n".encode(), server.heads[0])
        path = str(self.scratch / "admin.sock")
        local = self.server(always(GOOD), family=socket.AF_UNIX, address=path)
        self.assertEqual(self.reason(http_target("http://app/health/ready", socket=path), exit=0), "status 200")
        self.assertIn(b"GET /health/ready HTTP/1.1\r\nHost: app\r\n", local.heads[0])

    def test_request_and_body(self):
        server = self.server(always(GOOD))
        target = http_target(f"http://127.0.0.1:{server.port}/chat", method="POST", headers={"Authorization": "Bearer hunter2"}, body="{}", contains="ready")
        self.assertEqual(self.reason(target, exit=0), "status 200")
        self.assertIn(b"Authorization: Bearer hunter2\r\n", server.heads[0])
        self.assertIn(b"Content-Length: 2\r\n", server.heads[0])
        self.assertEqual(self.reason({"http": {**target["http"], "contains": "else"}}), "status 200, but its body doesn't hold 'else'")
        injected = self.reason({"http": {**target["http"], "headers": {"X": "hunter2\r\nY: z"}}})
        self.assertEqual(injected, "the header 'X' can't be sent")

    def test_tls_is_checked(self):
        authority, stranger = Authority(self.scratch), Authority(self.scratch, "stranger")

        def served(*leaf):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*leaf)
            return f"https://localhost:{self.server(always(GOOD), tls=context).port}/"

        good = served(*authority.leaf("good"))
        self.assertEqual(self.reason(http_target(good, ca_file=str(authority.file)), exit=0), "status 200")
        self.assertRegex(self.reason(http_target(good)), r"^TLS with localhost: unable to get local issuer certificate$")
        self.assertRegex(self.reason(http_target(good, ca_file=str(stranger.file))), r"^TLS with localhost: ")
        self.assertRegex(self.reason(http_target(good, ca_file="/absent.pem")), r"^certificates of /absent.pem: ")
        other = served(*authority.leaf("other", subjects=("DNS:elsewhere",)))
        self.assertRegex(self.reason(http_target(other, ca_file=str(authority.file))), r"(?i)^TLS with localhost: host ?name mismatch$")
        over = served(*authority.leaf("over", days=-1))
        self.assertEqual(self.reason(http_target(over, ca_file=str(authority.file))), "TLS with localhost: certificate has expired")
        plain = self.server(always(GOOD))
        self.assertRegex(self.reason(http_target(f"https://127.0.0.1:{plain.port}/")), r"^(TLS with 127.0.0.1: |the TLS handshake took)")

    def test_commands(self):
        self.assertEqual(self.reason({"command": {"argv": ["true"]}}, exit=0), "status 0")
        self.assertEqual(self.reason({"command": {"argv": ["sh", "-c", "echo no >&2; exit 3"]}}), "status 3: no")
        self.assertEqual(self.reason({"command": {"argv": ["sleep", "60"]}}), "sleep 60 did not end too long")

    def test_docker_and_prometheus_by_their_protocols(self):
        state = {"State": {"Status": "running", "Health": {"Status": "healthy"}}}
        body = json.dumps(state).encode()
        path = str(self.scratch / "docker.sock")
        docker = self.server(always(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)), family=socket.AF_UNIX, address=path)
        self.assertEqual(self.reason({"container": {"container": "web/../x", "socket": path}}, exit=0), "container web/../x is healthy")
        self.assertIn(b"GET /containers/web%2F..%2Fx/json HTTP/1.1", docker.heads[0])
        body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}}).encode()
        prometheus = self.server(always(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)))
        target = {"prometheus": {"url": f"http://127.0.0.1:{prometheus.port}", "query": "up", "comparison": "==", "value": 1}}
        self.assertEqual(self.reason(target), "the query gives no data")

    def test_kinds_come_in_their_order(self):
        seen = []
        server = self.server(lambda number, connection, head: seen.append(head.split()[1].decode()) or (BAD if number < 3 else GOOD))
        at = f"http://127.0.0.1:{server.port}"
        kinds = ["verify", "liveness", "startup", "readiness"]
        verdict = self.verify("--config", self.config(*(probe(kind, http_target(f"{at}/{kind}"), kind) for kind in kinds)), exit=0)
        self.assertEqual([each["kind"] for each in verdict["probes"]], kinds)
        self.assertEqual(seen[:3], ["/startup"] * 3)
        self.assertEqual(seen[-1], "/verify")

    def test_mistakes_end_before_the_first_question(self):
        server = self.server(always(GOOD))
        good = probe("good", http_target(f"http://127.0.0.1:{server.port}/"))
        broken = self.scratch / "broken.json"
        broken.write_text('{"probes": []')
        for arguments, code in ((["--url", "localhost:80"], "http.url"), ([], "verify.nothing"), (["--config", broken], "json.syntax"),
                                (["--config", "/absent.json"], "system.ENOENT"), (["--config", self.config()], "verify.nothing")):
            self.assertEqual(self.verify(*arguments, exit=2)["error"]["code"], code)
        for wrong, code in (({**good, "target": {"command": {"argv": []}}}, "verify.no-command"), ({**good, "target": {"gopher": {}}}, "json.shape"),
                            ({**good, "successes": None}, "json.shape"), ({**good, "target": http_target("")}, "http.url")):
            self.assertEqual(self.verify("--config", self.config(good, wrong), exit=2)["error"]["code"], code)
        self.assertEqual(server.heads, [])
        done = subprocess.run([AGENT, "verify", "--url", "http://x/", "--successes", "0"], capture_output=True)
        self.assertEqual(done.returncode, 2)

    def test_junit_is_read_by_others(self):
        server = self.server(lambda number, connection, head: GOOD if b"/good" in head else BAD)
        at = f"http://127.0.0.1:{server.port}"
        report = self.scratch / "report.xml"
        probes = [probe("good", http_target(f"{at}/good")), probe('b<a>"d&\x01', http_target(f"{at}/bad"))]
        self.verify("--config", self.config(*probes), "--junit", report, exit=6)
        read = junitparser.JUnitXml.fromfile(str(report))
        (suite,) = list(read)
        self.assertEqual((suite.tests, suite.failures, suite.errors, suite.skipped), (2, 1, 0, 0))
        good, bad = list(suite)
        self.assertEqual((good.name, good.classname, good.result), ("good", "readiness", []))
        self.assertEqual(bad.name, 'b<a>"d&\\x01')
        self.assertRegex(bad.result[0].message, r"^status 503 \(asked \d+ times\)$")
        self.verify("--url", f"{at}/good", "--junit", report, exit=0)
        self.assertEqual(list(junitparser.JUnitXml.fromfile(str(report)))[0].failures, 0)
        self.verify("--url", f"{at}/good", "--junit", "/absent/report.xml", exit=1)

    def test_the_example_of_the_documentation(self):
        text = (ROOT / "docs" / "formats" / "health.md").read_text().split("An example:")[1].split("##")[0]
        server = self.server(always(GOOD))
        path = self.scratch / "example.json"
        path.write_text(re.sub(r"127\.0\.0\.1:8080", f"127.0.0.1:{server.port}", text))
        self.verify("--config", path, exit=0)

    def test_without_root_and_for_people(self):
        server = self.server(always(GOOD))
        self.scratch.chmod(0o755)
        done = subprocess.run([AGENT, "verify", "--url", f"http://127.0.0.1:{server.port}/"], capture_output=True, text=True, user=65534)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?s)^ok   http://127.0.0.1:\d+/: status 200 \(asked 1 time\)\nhealthy after \d+\.\d s: 1 probe healthy\n$")


if __name__ == "__main__":
    unittest.main()
