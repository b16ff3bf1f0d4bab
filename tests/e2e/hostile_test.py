#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A hostile agent, and a hostile operator's side: malformed frames are errors, nothing changes, nobody hangs."""

import hashlib
import json
import struct
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from hosts import Host  # noqa: E402
from sentinel import AGENT, Operator, bootstrapped  # noqa: E402
from wire import ASK, BEGIN, CONTENT, HELLO, PREAMBLE, REQUEST, AgentSession, frame  # noqa: E402

# What an agent might say instead of its part.
HELLO_OF_OURS = {"protocol": 1, "version": "0.1.0", "digest": "", "generation": 0, "audit_head": "", "transaction": "",
                 "facts": {"os_id": "debian", "os_version": "12", "os_codename": "bookworm", "os_name": "Debian", "architecture": "x86_64",
                           "kernel": "6", "hostname": "h", "virtualization": "kvm", "systemd_version": 252, "cpus": 1, "memory_mb": 1,
                           "addresses": [], "ssh_unit": "ssh.service", "ssh_socket": False, "ssh_port": 22, "ssh_client": "",
                           "has_auth_log": False, "can_limit_memory": True, "packages_available": []}}


def lies(digest):
    hello = frame(HELLO, {**HELLO_OF_OURS, "digest": digest})
    return {
        "an endless announcement": PREAMBLE + struct.pack(">IB", 0xFFFFFFFF, 1),
        "an unknown frame": PREAMBLE + struct.pack(">IB", 0, 99),
        "no JSON": PREAMBLE + frame(HELLO, b"not json"),
        "the wrong JSON": PREAMBLE + frame(HELLO, {"protocol": "one"}),
        "deep JSON": PREAMBLE + frame(HELLO, b"[" * 100000),
        "another protocol": PREAMBLE + frame(HELLO, {**HELLO_OF_OURS, "digest": digest, "protocol": 99}),
        "control characters": b"\x1b[2J\x1b]0;owned\x07" * 10,
        "a plan nobody asked for": PREAMBLE + frame(3, {"host": "x"}) + hello,
        "half a frame": PREAMBLE + hello[:40],
        "a plan with lies": PREAMBLE + hello + frame(3, {"host": "x", "observed": "", "steps": [{"id": 1}], "unchanged": -1}),
        "a need for other people's files": PREAMBLE + hello + frame(2, {"contents": [{"digest": "/etc/shadow", "holes": False, "size": 1}]}),
        "terminal escapes in an error": PREAMBLE + hello + frame(6, {"code": "x.y", "message": "\x1b[2Jgone\x07", "position": None, "context": [], "hint": "", "exit": 1}),
    }


class HostileAgent(unittest.TestCase):
    def test_whatever_an_agent_says_the_operator_gets_a_clear_error(self):
        digest = hashlib.sha256(AGENT.read_bytes()).hexdigest()
        with Host(suite="bookworm") as host, Operator() as operator:
            operator.know(host)
            operator.project({"web-1": host})
            directory = f"/usr/local/lib/sentinel/{digest}"
            for name, lie in lies(digest).items():
                with self.subTest(name):
                    host.run(["mkdir", "-p", directory])
                    host.run(["sh", "-c", f"cat > {directory}/lie"], input=lie, text=False)
                    host.write(f"{directory}/sentinel-agent", f"#!/bin/sh\ncat {directory}/lie\n", mode=0o755)
                    done = operator.run("plan", timeout=60)
                    self.assertIn(done.returncode, (1, 2, 8), done.stderr)
                    self.assertRegex(done.stderr, r"error\[[a-z.-]+\]")
                    self.assertNotIn("\x1b", done.stderr + done.stdout)
                    self.assertNotIn("\x07", done.stderr + done.stdout)


class HostileOperator(unittest.TestCase):
    def test_malformed_frames_change_nothing_and_end_cleanly(self):
        with bootstrapped() as host:
            before = host.run(["sh", "-c", "find /etc /var/lib/sentinel -type f -exec sha256sum {} + | sort | sha256sum"]).stdout
            command = host.ssh_command(user="deploy")
            for name, kind, payload, code in (
                    ("no JSON", REQUEST, b"{", "wire.malformed"),
                    ("duplicate keys", ASK, b'{"topic":"status","topic":"history","name":""}', "wire.malformed"),
                    ("begin without a plan", BEGIN, {"transaction": "0" * 32, "observed": ""}, "wire.malformed"),
                    ("a path as transaction", BEGIN, {"transaction": "../../../../etc/passwd/xxxxxxxxxx", "observed": ""}, "wire.malformed"),
                    ("a content with another digest", CONTENT, b"a" * 64 + b"\x02text", "wire.content-digest"),
                    ("an unknown topic", ASK, {"topic": "shadow", "name": ""}, "ask.unknown")):
                with self.subTest(name), AgentSession(command, sudo=True) as agent:
                    agent.send(kind, payload)
                    self.assertEqual(agent.error()["code"], code)
                    agent.send(ASK, {"topic": "status", "name": ""})
                    self.assertIn("generation", json.loads(agent.receive(7)))
            for name, raw in (("an endless announcement", struct.pack(">IB", 0xFFFFFFFF, 17)), ("an unknown frame", struct.pack(">IB", 0, 99))):
                with self.subTest(name), AgentSession(command, sudo=True) as agent:
                    agent.send_raw(raw)
                    self.assertTrue(agent.error()["code"].startswith("wire."))
            self.assertEqual(host.run(["sh", "-c", "find /etc /var/lib/sentinel -type f -exec sha256sum {} + | sort | sha256sum"]).stdout, before)


if __name__ == "__main__":
    unittest.main()
