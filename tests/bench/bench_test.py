#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The parts of tools/bench work, and what it claims without a stopwatch holds: round trips, memory, the same description for the peers."""

import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import check_series  # noqa: E402
import proxy_series  # noqa: E402
import series  # noqa: E402
from ansible_peer import PLAYBOOK, Playbook  # noqa: E402
from description import Description  # noqa: E402
from hosts import Host  # noqa: E402
from measuring import turns  # noqa: E402
from sentinel import Operator  # noqa: E402


class Connection:
    """What a Relay notes, by hand."""

    class Event:
        def __init__(self, seconds, direction, size):
            self.seconds, self.direction, self.size = seconds, direction, size

    def __init__(self, *events):
        self.opened = 100
        self.timeline = [self.Event(*event) for event in events]


class Turns(unittest.TestCase):
    def test_greetings_and_goodbye_are_no_round_trips(self):
        connection = Connection((0, "sent", 23), (1, "delivered", 41), (1, "sent", 800), (1, "sent", 48), (2, "delivered", 500),
                                (2, "sent", 16), (3, "delivered", 28), (3, "sent", 60))
        self.assertEqual(turns(connection), [(101, 848), (102, 16)])

    def test_either_greeting_may_come_first(self):
        connection = Connection((0, "delivered", 41), (1, "sent", 23), (1, "sent", 800), (2, "delivered", 28), (3, "sent", 60))
        self.assertEqual(turns(connection), [(101, 823)])


class Series(unittest.TestCase):
    def test_nothing_to_change_takes_three_round_trips_after_the_login_and_little_memory(self):
        counted, agent_megabytes = series.in_sync(rounds=9)
        # Without a delay an answer that came in two pieces looks like two turns: the fewest of the runs is what is needed.
        self.assertEqual(min(counted[0]["ours"]), 3)
        self.assertEqual({delay: counted[delay]["ours"] for delay in series.DELAYS if delay > 0},
                         {delay: {3} for delay in series.DELAYS if delay > 0})
        self.assertGreater(agent_megabytes, 1)
        self.assertLess(agent_megabytes, 30)

    def test_a_fleet(self):
        series.fleet(rounds=1, size=2)

    def test_a_bare_installation(self):
        took, packages = series.install_once("bookworm", ["logrotate"])
        self.assertGreater(took, 0)
        self.assertTrue(any(re.match(r"logrotate \S+ installed$", line) for line in packages), packages)


class TheCheck(unittest.TestCase):
    def test_one_host_takes_one_exchange_few_programs_and_little_memory(self):
        counted = check_series.alone(rounds=3)
        self.assertGreaterEqual(counted["controls"], 60)
        # As many as `ssh HOST true`. An answer that came in two pieces looks like two turns: the fewest of the runs is what is needed.
        self.assertEqual(min(counted["round_trips"]), 3, counted)
        self.assertIn("/usr/bin/systemctl", counted["programs"], counted)
        self.assertLessEqual(len(counted["programs"]), 16, counted)
        self.assertEqual(counted["scripts"], [])
        self.assertGreater(counted["megabytes"], 1)
        self.assertLess(counted["megabytes"], 20)

    def test_many_hosts(self):
        check_series.many(rounds=1, size=2)


class TheProxy(unittest.TestCase):
    """Every mode once, with few requests: that each relay answers all of them is looked at by the series themselves."""

    def test_each_load_through_each_relay(self):
        rows = proxy_series.cost(rounds=1, requests=160, streams=5)
        relays = {}
        for load, relay, cpu, median, worst in rows:
            relays.setdefault(load, []).append(relay)
            self.assertEqual(cpu > 0, relay != "none", f"{load}, {relay}")
            self.assertTrue(0 < median <= worst, f"{load}, {relay}")
        plain = ["nginx", "HAProxy", "sentinel-proxy"]
        self.assertEqual(list(relays.values()), [[*plain, "sentinel-proxy, limits in Redis"], ["none", *plain], plain, plain])

    def test_idle_streams(self):
        held = proxy_series.idle_streams(streams=20, keep_alive=1)
        self.assertEqual((held["open"], held["failed"]), (20, 0))
        self.assertGreaterEqual(held["heard"], 40)
        self.assertGreater(held["silence_p50_ms"], 900)

    def test_start_and_memory(self):
        seen = proxy_series.start_and_memory(rounds=1, clients=50, settle=1)
        self.assertGreater(seen["starts"], 0)
        self.assertGreater(seen["idle"], 1_000_000)
        self.assertGreater(seen["loaded"], seen["warm"])


class TheSameForAnsible(unittest.TestCase):
    """The playbook says everything that the stack says. Ansible itself is needed for its syntax only, where it is installed."""

    @classmethod
    def setUpClass(cls):
        cls.host = Host("bookworm").start()
        cls.addClassCleanup(cls.host.destroy)
        cls.operator = Operator()
        cls.addClassCleanup(cls.operator.close)
        cls.operator.know(cls.host)
        cls.operator.project({"web-1": cls.host})
        cls.description = Description(cls.operator)

    def test_the_packages_are_those_that_are_missing(self):
        names = self.description.packages_to_install()
        self.assertIn("docker.io", names)
        for name in names:
            self.assertNotEqual(self.host.run(["dpkg-query", "--status", name], check=False).returncode, 0, name)

    def test_every_role_and_everything_of_it_is_in_the_playbook(self):
        text = PLAYBOOK.read_text()
        (play,) = yaml.safe_load(text)
        self.assertEqual([block["tags"] for block in play["tasks"] if "tags" in block], self.description.roles)
        described = Playbook(self.host, self.description, self.operator.home / "ansible").variables["described"]
        for role, kinds in described.items():
            for kind, entries in kinds.items():
                self.assertEqual(bool(entries), f"described.{role}.{kind}" in text, f"{role} {kind}")

    def test_every_notified_handler_is_there(self):
        (play,) = yaml.safe_load(PLAYBOOK.read_text())
        notified = set()
        for block in play["tasks"]:
            for task in block.get("block", []):
                wanted = task.get("notify", [])
                notified |= {wanted} if isinstance(wanted, str) else set(wanted)
        self.assertEqual(notified, {handler["name"] for handler in play["handlers"]})

    def test_its_syntax(self):
        if shutil.which("ansible-playbook"):
            subprocess.run(["ansible-playbook", "--syntax-check", "-i", "localhost,", "-e", "ansible_user=root", PLAYBOOK], check=True,
                           stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    unittest.main(verbosity=2)
