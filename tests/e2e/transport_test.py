#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SSH sessions to real hosts: Debian 11, 12 and 13 with PAM and systemd, through a jump host, over a slow link, over a cut one."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from hosts import Host, Relay  # noqa: E402
from sentinel import wait_until  # noqa: E402

PROBE = Path(os.environ["SENTINEL_BUILD"]) / "tests/e2e/transport_probe"


def start(host, destination, *jumps, command, known_hosts=None):
    argv = [PROBE, known_hosts or host.known_hosts, host.key, destination, *jumps, "--", command]
    return subprocess.Popen([str(word) for word in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def probe(host, destination, *jumps, command="true", input=b"", known_hosts=None):
    """What the probe tells; its exit code as `exit`."""
    with start(host, destination, *jumps, command=command, known_hosts=known_hosts) as process:
        told, _ = process.communicate(input, timeout=120)
        return json.loads(told) | {"exit": process.returncode}


class Suite:
    @classmethod
    def setUpClass(cls):
        cls.host = Host(suite=cls.suite).start()
        cls.addClassCleanup(cls.host.destroy)

    def test_root_and_a_user_with_sudo_carry_binary_data_untouched(self):
        data = os.urandom(3 << 20)
        for user, command in (("root", "cat"), ("debian", "sudo -n cat")):
            with self.subTest(user):
                told = probe(self.host, f"{user}@{self.host.address}", command=command, input=data)
                self.assertEqual(told["exit"], 0, told)
                self.assertEqual(told["digest"], hashlib.sha256(data).hexdigest())
                self.assertEqual(told["status"], 0)

    def test_thirty_logins_in_a_row_are_not_taken_for_an_attack(self):
        for number in range(30):
            told = probe(self.host, f"root@{self.host.address}", command=f"echo {number}")
            self.assertEqual(told.get("output"), f"{number}\n", told)

    def test_refusals_have_their_code_and_the_host_stays_reachable(self):
        with tempfile.NamedTemporaryFile() as empty:
            told = probe(self.host, f"root@{self.host.address}", known_hosts=empty.name)
            self.assertEqual((told["exit"], told["code"]), (8, "ssh.host-key-unknown"))
        told = probe(self.host, f"nobody-here@{self.host.address}")
        self.assertEqual((told["exit"], told["code"]), (8, "ssh.auth-refused"))
        told = probe(self.host, f"root@{self.host.address}:23")
        self.assertEqual((told["exit"], told["code"]), (8, "ssh.refused"))
        self.assertEqual(probe(self.host, f"root@{self.host.address}")["exit"], 0)


class Debian11(Suite, unittest.TestCase):
    suite = "bullseye"


class Debian12(Suite, unittest.TestCase):
    suite = "bookworm"


class Debian13(Suite, unittest.TestCase):
    suite = "trixie"


class Links(unittest.TestCase):
    def setUp(self):  # one host each: a cut link can't be lent on
        self.host = Host(suite="bookworm").start()
        self.addCleanup(self.host.destroy)

    def test_nothing_is_waited_for_twice(self):
        """Four round trips to log in (five where sshd prefers another type of host key than we guess), then open, exec and
        one for the program's question; the goodbye is not waited for."""
        for delay in (0.05, 0.15):
            with Relay(self.host.address, 22, delay=delay, greets=True) as relay, tempfile.NamedTemporaryFile("w") as known:
                key = " ".join(Path(self.host.known_hosts).read_text().split()[1:3])
                known.write(f"[127.0.0.1]:{relay.port} {key}\n")
                known.flush()
                told = probe(self.host, f"root@127.0.0.1:{relay.port}", command="head -c 8", input=b"question",
                             known_hosts=known.name)
                self.assertEqual(told.get("output"), "question", told)
                self.assertIn(relay.connections[0].round_trips, (4 + 3, 5 + 3), told)

    def test_through_a_jump_host(self):
        jump = Host(suite="trixie").start()
        self.addCleanup(jump.destroy)
        with tempfile.NamedTemporaryFile("w") as known:
            known.write(Path(self.host.known_hosts).read_text() + Path(jump.known_hosts).read_text())
            known.flush()
            told = probe(self.host, f"root@{self.host.address}", f"debian@{jump.address}", command="echo $SSH_CONNECTION",
                         known_hosts=known.name)
        self.assertEqual(told["exit"], 0, told)
        self.assertEqual(told["output"].split()[0], jump.address)

    def test_a_link_that_is_cut_is_noticed(self):
        with start(self.host, f"root@{self.host.address}", command="touch /run/started; sleep 600") as process:
            process.stdin.close()
            wait_until(lambda: self.host.exists("/run/started"), 60, "the command runs")
            self.host.cut_network()
            cut = time.monotonic()
            told = json.loads(process.stdout.read())
            self.assertEqual((process.wait(60), told["code"]), (8, "ssh.connection-lost"), told)
            self.assertLess(time.monotonic() - cut, 30)


if __name__ == "__main__":
    unittest.main(verbosity=2)
