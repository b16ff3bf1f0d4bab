#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What sentinelctl sees from outside: real TLS servers of several makes, a stream with and without something that holds it back, doors
that are open, shut and silent; and Cloudflare's API by a stand-in that is itself tested here."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "support" / "proxy")]
from answering_server import Server  # noqa: E402
from certificates import Authority  # noqa: E402
from cloudflare_api import TOKEN, ZONE, CloudflareApi, good_zone  # noqa: E402
from sentinel import BUILD, CAMPAIGN  # noqa: E402

PROBE = BUILD / "tests" / "e2e" / "outside_probe"
DOMAIN = "api.example.com"
CLOUDFLARE = ["cloudflare.zone", "cloudflare.dns", "cloudflare.settings", "cloudflare.config-rules", "cloudflare.cache-rules",
              "cloudflare.page-rules", "cloudflare.bot"]


def ask(orders, environment=None, timeout=60, command=(str(PROBE),), **more):
    done = subprocess.run(command, input=json.dumps({"orders": orders, **more}), text=True, capture_output=True, timeout=timeout,
                          env={"PATH": os.environ["PATH"], **(environment or {})})
    if done.returncode != 0:
        raise AssertionError(f"outside_probe: exit {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout), done.stdout + done.stderr


class Outside(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = Path(tempfile.mkdtemp(prefix="sentinel-outside-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        cls.authority = Authority(cls.directory)
        cls.certificate, cls.key = cls.authority.leaf("good")

    def one(self, probe, environment=None, **order):
        """The value or the error's code of one probe; `ca`, `exposure` and the like go to the program."""
        outer = {key: order.pop(key) for key in ("exposure", "ssh_port", "deadline_ms", "address") if key in order}
        found, _ = ask([{"probe": probe, "with": order}], environment, ca_file=str(self.authority.file), **outer)
        return found[probe]["value"] if found[probe]["error"] is None else found[probe]["error"]["code"]


class Doors(Outside):
    def test_doors(self):
        exposure = {"reach": [], "sockets": []}

        def listening(backlog=8):
            one = socket.create_server(("127.0.0.1", 0), backlog=backlog)
            self.addCleanup(one.close)
            return one, one.getsockname()[1]
        _, open_port = listening()
        ssh, ssh_port = listening()
        gone, shut_port = listening()
        gone.close()
        full, silent_port = listening(0)
        full.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        for _ in range(4):  # the queue of what waits is full: the kernel lets further first packets fall
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", silent_port))
            self.addCleanup(waiting.close)
        for port, process in ((open_port, "caddy"), (ssh_port, "sshd"), (silent_port, "full")):
            exposure["sockets"].append({"protocol": "tcp", "address": "0.0.0.0", "port": port, "v6_only": None, "process": process})
        exposure["reach"].append({"family": "IPv4", "protocol": "tcp", "port": shut_port, "addresses": ["127.0.0.1"], "sources": ["anywhere"], "except": [],
                                  "leads_to": "172.17.0.2:80", "owner": "", "why": "", "translated": True, "answered": True, "unclear": []})
        seen = self.one("outside.tcp", exposure=exposure, deadline_ms=700)
        self.assertEqual(seen["doors"], {str(open_port): "open", str(shut_port): "refused", str(silent_port): "silent"})
        ssh.settimeout(0)
        self.assertRaises(BlockingIOError, ssh.accept)  # nobody knocked at sshd

    def test_without_a_prediction_nothing_is_tried(self):
        self.assertEqual(self.one("outside.tcp"), "outside.no-prediction")
        self.assertEqual(self.one("outside.tcp", exposure={"sockets": 1}), "outside.order")


class Tls(Outside):
    def serve(self, low, high, certificate=None, key=None, ciphers=None):
        """openssl s_server with exactly these versions; its port."""
        probe = socket.create_server(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        settings = self.directory / f"{port}.cnf"
        settings.write_text(f"openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMinProtocol = {low}\nMaxProtocol = {high}\n"
                            f"CipherString = {ciphers or 'DEFAULT'}:@SECLEVEL=0\n")
        process = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(certificate or self.certificate), "-key", str(key or self.key),
                                    "-www", "-quiet"], env={**os.environ, "OPENSSL_CONF": str(settings)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def end():
            process.terminate()
            process.wait(timeout=10)
        self.addCleanup(end)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return port
            except OSError:
                time.sleep(0.02)
        raise AssertionError("openssl s_server does not listen")

    def outcomes(self, report):
        return {version: handshake["outcome"] for version, handshake in report["versions"].items()}

    def test_versions(self):
        for low, high, accepted in (("TLSv1", "TLSv1.3", "1.0 1.1 1.2 1.3"), ("TLSv1.2", "TLSv1.3", "1.2 1.3"), ("TLSv1.3", "TLSv1.3", "1.3"), ("TLSv1", "TLSv1.1", "1.0 1.1")):
            with self.subTest(low=low, high=high):
                value = self.one("outside.tls", name="localhost", port=self.serve(low, high))
                for side in ("origin", "edge"):
                    self.assertEqual(self.outcomes(value[side]), {version: "accepted" if version in accepted.split() else "refused" for version in ("1.0", "1.1", "1.2", "1.3")})

    def test_the_certificate(self):
        value = self.one("outside.tls", name="localhost", port=self.serve("TLSv1.2", "TLSv1.3"))["origin"]["certificate"]
        self.assertEqual((value["chain"], value["name_matches"], value["names"]), ("ok", True, ["localhost", "127.0.0.1"]))
        self.assertIn(value["days_left"], (1, 2))
        self.assertGreater(value["share_left"], 0.9)
        told = subprocess.run(["openssl", "x509", "-in", str(self.certificate), "-noout", "-fingerprint", "-sha256"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(value["fingerprint"], told.strip().rpartition("=")[2].replace(":", "").lower())

    def test_bad_certificates(self):
        late = self.authority.leaf("late", days=-1)
        other = self.authority.leaf("other", subjects=("DNS:other.example.com",))
        stranger = Authority(self.directory, "stranger").leaf("unknown")
        value = self.one("outside.tls", name="localhost", port=self.serve("TLSv1.2", "TLSv1.3", *late))["origin"]["certificate"]
        self.assertEqual((value["chain"], value["days_left"] < -300), ("certificate has expired", True))
        value = self.one("outside.tls", name="localhost", port=self.serve("TLSv1.2", "TLSv1.3", *other))["origin"]["certificate"]
        self.assertEqual((value["chain"], value["name_matches"]), ("ok", False))
        value = self.one("outside.tls", name="localhost", port=self.serve("TLSv1.2", "TLSv1.3", *stranger))["origin"]["certificate"]
        self.assertEqual(value["chain"], "unable to get local issuer certificate")

    def test_weak_ciphers(self):
        value = self.one("outside.tls", name="localhost", port=self.serve("TLSv1.2", "TLSv1.2", ciphers="ECDHE+AESGCM:ECDHE+AES"))["origin"]["weak_ciphers"]
        self.assertEqual((value["cbc"]["outcome"], value["rsa-key-exchange"]["outcome"]), ("accepted", "refused"))
        value = self.one("outside.tls", name="localhost", port=self.serve("TLSv1.2", "TLSv1.3", ciphers="ECDHE+AESGCM"))["origin"]["weak_ciphers"]
        self.assertEqual((value["cbc"]["outcome"], value["rsa-key-exchange"]["outcome"]), ("refused", "refused"))

    def test_what_is_no_tls(self):
        with Server(lambda *_: b"HTTP/1.1 400 Bad Request\r\n\r\n") as plain:
            self.assertEqual(set(self.outcomes(self.one("outside.tls", name="localhost", port=plain.port, deadline_ms=1500)["origin"]).values()) - {"refused", "silent"}, set())
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        began = time.monotonic()
        value = self.one("outside.tls", name="localhost", port=silent.getsockname()[1], deadline_ms=600)
        self.assertEqual(set(self.outcomes(value["origin"]).values()), {"silent"})
        self.assertLess(time.monotonic() - began, 5)


class Web(Outside):
    def tls_server(self, answer):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        server = Server(answer, tls=context)
        self.addCleanup(server.__exit__, None, None, None)
        return server, f"localhost:{server.port}"

    def test_headers_and_health(self):
        _, name = self.tls_server(lambda *_: b"HTTP/1.1 503 Service Unavailable\r\nServer: Caddy\r\nX-Frame-Options: DENY\r\nX-Other: 1\r\nContent-Length: 0\r\n\r\n")
        value = self.one("outside.https", name=name)
        self.assertEqual((value["origin"]["status"], value["origin"]["headers"]), (503, {"server": "Caddy", "x-frame-options": "DENY"}))
        self.assertEqual(self.one("outside.health", name=name, path="/health/ready")["edge"]["status"], 503)

    def test_no_redirect_is_followed(self):
        other, _ = self.tls_server(lambda *_: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        with Server(lambda *_: f"HTTP/1.1 301 Moved\r\nLocation: https://localhost:{other.port}/\r\nContent-Length: 0\r\n\r\n".encode()) as plain:
            value = self.one("outside.redirect", name=f"localhost:{plain.port}")
        self.assertEqual((value["edge"]["status"], value["edge"]["headers"]["location"]), (301, f"https://localhost:{other.port}/"))
        self.assertEqual(other.heads, [])

    def test_what_does_not_answer(self):
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        value = self.one("outside.https", name=f"localhost:{silent.getsockname()[1]}", deadline_ms=500)
        self.assertEqual(value["edge"]["code"], "outside.timeout")
        silent.close()
        self.assertEqual(self.one("outside.https", name=f"localhost:{silent.fileno() % 2 + 1}")["edge"]["code"], "outside.connect")
        self.assertEqual(self.one("outside.https"), "outside.order")

    def stream(self, pause, held_back):
        pieces = [b'data: {"choices":[{"delta":{"content":"%d"}}]}\n\n' % i for i in range(3)] + [b"data: [DONE]\n\n"]

        def answer(_, connection, head):
            body = head.split(b"\r\n\r\n", 1)[1]
            length = int(next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")).split(b":")[1])
            while len(body) < length:
                body += connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
            if held_back:
                threading.Event().wait(pause * len(pieces))
                return b"".join(pieces)
            for piece in pieces:
                connection.sendall(piece)
                threading.Event().wait(pause)
            return b""
        return self.tls_server(answer)

    def test_streams(self):
        _, name = self.stream(0.1, held_back=False)
        value = self.one("outside.stream", {"KEY": "sk-test-key"}, name=name, key="KEY")
        self.assertEqual((value["status"], value["content_type"], value["events"], value["done"]), (200, "text/event-stream", 4, True))
        self.assertGreaterEqual(len(value["moments_ms"]), 3)
        self.assertLess(value["first_ms"], value["total_ms"] - 150)
        _, name = self.stream(0.1, held_back=True)
        value = self.one("outside.stream", {"KEY": "sk-test-key"}, name=name, key="KEY")
        self.assertEqual((value["events"], len(value["moments_ms"])), (4, 1))

    def test_a_completion_tells_neither_key_nor_content(self):
        body = json.dumps({"object": "chat.completion", "choices": [{"message": {"content": "the private words"}}]}).encode()
        server, name = self.tls_server(lambda *_: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        found, said = ask([{"probe": "outside.chat", "with": {"name": name, "key": "KEY"}}], {"KEY": "sk-test-key"}, ca_file=str(self.authority.file))
        self.assertEqual({key: found["outside.chat"]["value"][key] for key in ("status", "object", "choices")}, {"status": 200, "object": "chat.completion", "choices": 1})
        self.assertNotIn("sk-test-key", said)
        self.assertNotIn("private words", said)
        self.assertIn(b"Authorization: Bearer sk-test-key", server.heads[0])
        self.assertIn(b"max_tokens", server.heads[0])
        self.assertEqual(self.one("outside.chat", name=name), "outside.no-key")

    def test_the_same_once_more_comes_after_the_first_answer(self):
        counted = []

        def answer(*_):
            began = len(counted)
            counted.append(began)
            time.sleep(0.2)  # two at once would both be the first
            cache, left = ("miss", 9) if began == 0 else ("hit", 8)
            return f"HTTP/1.1 200 OK\r\nX-Cache: {cache}\r\nX-RateLimit-Limit: 10\r\nX-RateLimit-Remaining: {left}\r\nContent-Length: 0\r\n\r\n".encode()
        server, name = self.tls_server(answer)
        value = self.one("outside.kept", {"KEY": "sk-test-key"}, name=name, key="KEY")
        self.assertEqual(value["answers"], [{"status": 200, "x-cache": "miss"}, {"status": 200, "x-cache": "hit"}])
        self.assertEqual([head.split(b" ", 2)[:2] for head in server.heads], [[b"POST", b"/v1/chat/completions"]] * 2)
        counted.clear()
        value = self.one("outside.limited", {"KEY": "sk-test-key"}, name=name, key="KEY")
        self.assertEqual([(each["status"], each["x-ratelimit-limit"], each["x-ratelimit-remaining"]) for each in value["answers"]], [(200, "10", "9"), (200, "10", "8")])
        self.assertIn(b"Authorization: Bearer sk-test-key", server.heads[-1])
        self.assertEqual(self.one("outside.limited", name=name), "outside.no-key")

    def test_no_probe_waits_for_anothers_first_answer(self):
        """The second of two requests follows the first of its own probe, however long another is held up."""
        came_again = threading.Event()

        def models(number, *_):
            if number == 2:
                came_again.set()
            return b"HTTP/1.1 200 OK\r\nX-RateLimit-Limit: 10\r\nContent-Length: 0\r\n\r\n"

        def completion(*_):
            answer = b"200 OK" if came_again.wait(10) else b"504 Gateway Timeout"
            return b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\n\r\n"
        _, quick = self.tls_server(models)
        _, held_up = self.tls_server(completion)
        found, _ = ask([{"probe": "outside.limited", "with": {"name": quick, "key": "KEY"}}, {"probe": "outside.chat", "with": {"name": held_up, "key": "KEY"}}],
                       {"KEY": "sk-test-key"}, ca_file=str(self.authority.file))
        self.assertEqual((found["outside.chat"]["value"] or found["outside.chat"])["status"], 200)
        self.assertEqual([answer["status"] for answer in found["outside.limited"]["value"]["answers"]], [200, 200])


class Stalled(Outside):
    """Servers that take a connection and say nothing: every probe ends by its own deadline, all at once, and says why."""

    SHORT = ("outside.https", "outside.health", "outside.redirect", "outside.cached", "outside.limited")
    COMPLETIONS = ("outside.chat", "outside.stream", "outside.kept")

    def setUp(self):
        silent = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.addCleanup(silent.close)
        self.port = silent.getsockname()[1]

    def seconds(self, orders, environment=None, **more):
        began = time.monotonic()
        found, _ = ask(orders, {"KEY": "sk-test-key", **(environment or {})}, ca_file=str(self.authority.file), **more)
        return time.monotonic() - began, found

    def expect_silence(self, found, names):
        for name in names:
            error = found[name]["error"] or (found[name]["value"] or {}).get("edge")
            self.assertEqual(error["code"], "outside.timeout", found[name])

    def orders(self, names):
        return [{"probe": "outside.tls", "with": {"name": "localhost", "port": self.port}}] + [
            {"probe": name, "with": {"name": f"localhost:{self.port}", "key": "KEY"}} for name in names]

    def test_servers_that_say_nothing(self):
        """In a campaign also those that may take longer: a completion has a minute, Cloudflare's API a quarter of one."""
        orders, names, longest = self.orders(self.SHORT), self.SHORT, 1
        if CAMPAIGN:
            names = (*self.SHORT, *self.COMPLETIONS, *CLOUDFLARE)
            orders, longest = self.orders((*self.SHORT, *self.COMPLETIONS)) + [{"probe": name, "with": {"domain": DOMAIN}} for name in CLOUDFLARE], 60
        took, found = self.seconds(orders, {"CLOUDFLARE_API_TOKEN": TOKEN, "SENTINEL_CLOUDFLARE_API": f"https://127.0.0.1:{self.port}"}, deadline_ms=1000, timeout=130)
        self.assertTrue(longest <= took < longest + 1.5, took)
        self.expect_silence(found, names)
        outcomes = {shake["outcome"] for side in ("origin", "edge") for shake in found["outside.tls"]["value"][side]["versions"].values()}
        self.assertEqual(outcomes, {"silent"})

    def test_a_name_server_that_says_nothing(self):
        """In a network of its own, whose name server takes questions and answers none: the resolver itself would wait ten seconds."""
        orders = [{"probe": "outside.tls", "with": {"name": "api.example.com"}}, {"probe": "outside.tcp", "with": {}}] + [
            {"probe": name, "with": {"name": "api.example.com", "key": "KEY"}} for name in self.SHORT]
        exposure = {"reach": [], "sockets": [{"protocol": "tcp", "address": "0.0.0.0", "port": port, "v6_only": None, "process": "x"} for port in (443, 8080, 9090)]}
        for name, text in (("resolv.conf", "nameserver 127.0.0.1\n"), ("nsswitch.conf", "hosts: files dns\n")):
            (self.directory / name).write_text(text)
        server = ("import socket, subprocess, sys; mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); mute.bind(('127.0.0.1', 53)); "
                  "sys.exit(subprocess.run(sys.argv[1:]).returncode)")
        inside = f"ip link set lo up; for file in resolv.conf nsswitch.conf; do mount --bind {self.directory}/$file /etc/$file; done; exec \"$@\""
        command = ["unshare", "--net", "--mount", "--propagation=private", "sh", "-ec", inside, "sh", sys.executable, "-c", server, str(PROBE)]
        took, found = self.seconds(orders, exposure=exposure, address="host.example.com", deadline_ms=1000, command=command)
        self.assertLess(took, 4)
        self.expect_silence(found, self.SHORT[3:])
        self.assertEqual(set(found["outside.tcp"]["value"]["doors"].values()), {"unreachable: no name server said in time where host.example.com is"})
        self.assertEqual({shake["outcome"] for shake in found["outside.tls"]["value"]["edge"]["versions"].values()}, {"silent"})


class FakeItself(Outside):
    """The stand-in answers as Cloudflare documents it."""

    def setUp(self):
        self.api = CloudflareApi(self.certificate, self.key)
        self.addCleanup(self.api.close)

    def get(self, path, token=TOKEN):
        request = urllib.request.Request(self.api.base + path, headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=self.authority.file)) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as failure:
            with failure:
                return failure.code, json.load(failure)

    def test_envelopes(self):
        status, document = self.get("/zones?name=example.com")
        self.assertEqual((status, document["success"], document["errors"], document["result"][0]["status"]), (200, True, [], "active"))
        self.assertEqual(document["result_info"], {"page": 1, "per_page": 20, "count": 1, "total_count": 1, "total_pages": 1})
        self.assertEqual(self.get("/zones?name=other.example")[1]["result"], [])
        self.assertEqual(self.get(f"/zones/{ZONE}/settings/ssl")[1]["result"]["value"], "strict")

    def test_refusals(self):
        status, document = self.get("/zones", token="wrong")
        self.assertEqual((status, document["success"], document["errors"][0]["code"], document["result"]), (403, False, 9109, None))
        self.assertEqual(self.get(f"/zones/{ZONE}/rulesets/phases/http_config_settings/entrypoint")[0], 404)
        self.api.forbidden = ("/pagerules",)
        self.assertEqual(self.get(f"/zones/{ZONE}/pagerules")[0], 403)

    def test_pages(self):
        self.api.state["records"] = [{"type": "A", "name": f"h{i}.example.com", "content": "192.0.2.1", "proxied": False} for i in range(5)]
        status, document = self.get(f"/zones/{ZONE}/dns_records?per_page=2&page=3")
        self.assertEqual(([record["name"] for record in document["result"]], document["result_info"]["total_pages"]), (["h4.example.com"], 3))


class Cloudflare(Outside):
    def setUp(self):
        self.api = CloudflareApi(self.certificate, self.key)
        self.addCleanup(self.api.close)

    def look(self, token=TOKEN, base=None, domain=DOMAIN):
        found, said = ask([{"probe": probe, "with": {"domain": domain}} for probe in CLOUDFLARE],
                          {"CLOUDFLARE_API_TOKEN": token, "SENTINEL_CLOUDFLARE_API": base or self.api.base, "SENTINEL_CLOUDFLARE_CA": str(self.authority.file)})
        self.assertNotIn(token, said)
        return {probe: one["value"] if one["error"] is None else one["error"]["code"] for probe, one in found.items()}

    def test_a_good_zone(self):
        seen = self.look()
        self.assertEqual(seen["cloudflare.zone"], {"name": "example.com", "status": "active", "paused": False})
        self.assertEqual(seen["cloudflare.dns"]["records"][0], {"type": "A", "name": DOMAIN, "content": "203.0.113.7", "proxied": True})
        self.assertEqual(seen["cloudflare.settings"], good_zone()["settings"])
        self.assertEqual(seen["cloudflare.config-rules"], {"present": False, "rules": []})
        self.assertEqual([rule["cache"] for rule in seen["cloudflare.cache-rules"]["rules"]], [False])
        self.assertEqual(seen["cloudflare.bot"], {"fight_mode": False})

    def test_overrides(self):
        self.api.state["rulesets"]["http_config_settings"] = [{"id": "o1", "enabled": True, "action": "set_config", "expression": "true", "action_parameters": {"ssl": "flexible"}}]
        self.api.state["page_rules"] = [{"id": "p1", "status": "active", "targets": [{"target": "url", "constraint": {"operator": "matches", "value": "*example.com/*"}}],
                                         "actions": [{"id": "ssl", "value": "off"}, {"id": "always_use_https"}]}]
        seen = self.look()
        self.assertEqual(seen["cloudflare.config-rules"]["rules"][0]["settings"], {"ssl": "flexible"})
        self.assertEqual(seen["cloudflare.page-rules"]["rules"], [{"id": "p1", "enabled": True, "targets": ["*example.com/*"], "actions": {"ssl": "off", "always_use_https": True}}])

    def test_all_pages_are_read(self):
        self.api.per_page_limit = 2
        self.api.state["records"] = [{"type": "A", "name": f"h{i}.example.com", "content": "192.0.2.1", "proxied": False} for i in range(7)]
        self.assertEqual([record["name"] for record in self.look()["cloudflare.dns"]["records"]], [f"h{i}.example.com" for i in range(7)])

    def test_refused_tokens(self):
        self.assertEqual(set(self.look(token="wrong-token-of-somebody").values()), {"cloudflare.token"})
        self.api.forbidden = ("/settings/ssl", "/pagerules", "/bot_management")
        seen = self.look()
        self.assertIn("may not read", seen["cloudflare.settings"]["ssl"]["error"])
        self.assertEqual(seen["cloudflare.settings"]["http2"], "on")
        self.assertEqual((seen["cloudflare.page-rules"], seen["cloudflare.bot"]), ("cloudflare.forbidden", "cloudflare.forbidden"))

    def test_other_failures(self):
        self.assertEqual(set(self.look(domain="api.elsewhere.example").values()), {"cloudflare.no-zone"})
        self.assertEqual(set(self.look(domain="bad name&per_page=1").values()), {"cloudflare.no-zone"})
        self.api.garbled = ("/dns_records",)
        self.assertEqual(self.look()["cloudflare.dns"], "cloudflare.answer")
        self.api.garbled = ()
        self.api.state["zone"]["id"] = "../../user/tokens"
        self.assertEqual(set(self.look().values()), {"cloudflare.answer"})
        self.api.state["zone"]["id"] = ZONE
        self.api.requests.clear()
        self.api.limit = 2
        self.assertEqual(self.look()["cloudflare.dns"], "cloudflare.rate-limited")

    def test_the_token_goes_nowhere_else(self):
        seen = []
        other = Server(lambda *_: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        self.addCleanup(other.__exit__, None, None, None)
        self.api.redirect_to = f"http://127.0.0.1:{other.port}"
        self.assertEqual(set(self.look().values()), {"cloudflare.answer"})
        for base in ("https://api.cloudflare.com.example.net", f"http://127.0.0.1:{other.port}", "https://127.0.0.1:80@example.com", "https://127.0.0.1.example.com:1",
                     "https://localhost:443", "https://127.0.0.1:"):
            self.assertEqual(set(self.look(base=base).values()), {"cloudflare.base"}, base)
        self.assertEqual(other.heads + seen, [])
        self.assertEqual(set(self.look(token="with\nnewline").values()), {"cloudflare.token"})

    def test_without_a_token(self):
        found, _ = ask([{"probe": "cloudflare.zone", "with": {"domain": DOMAIN}}])
        self.assertEqual(found["cloudflare.zone"]["error"]["code"], "cloudflare.no-token")


if __name__ == "__main__":
    unittest.main()
