#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several hosts at once and the ways to them: what one host does never hides what another did, exit codes follow the
contract, and jump hosts, pinned and changed keys, and ~/.ssh/config work as they do for ssh."""

import concurrent.futures
import json
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from hosts import SUITES, Host  # noqa: E402
from sentinel import Operator, bootstrapped, only  # noqa: E402

MOTD = [{"file": {"path": "/etc/motd", "content": "of the fleet\n"}, "id": "motd"}]
# Fails on the one host that has the mark.
FAILING = [*MOTD, {"command": {"argv": ["test", "!", "-e", "/run/broken"], "always": True, "undo": ["true"]}, "id": "fails"}]
RUN_FIELDS = {"host", "outcome", "generation", "release", "transaction", "duration_ms", "changed", "error"}
PLAN_FIELDS = {"host", "status", "error", "steps"}
STATUS_FIELDS = {"host", "reachable", "generation", "release", "healthy", "drift", "last_transaction"}
ERROR_FIELDS = {"code", "message", "position", "context", "hint", "exit", "also"}
# TEST-NET-1: nobody answers there.
NOWHERE = "192.0.2.1"


class WithHosts(unittest.TestCase):
    suites = SUITES

    @classmethod
    def setUpClass(cls):
        cls.hosts = [Host(suite) for suite in cls.suites]
        for host in cls.hosts:
            cls.addClassCleanup(host.destroy)
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(Host.start, cls.hosts))

    def setUp(self):
        self.operator = Operator()
        self.addCleanup(self.operator.close)
        self.operator.know(*self.hosts)

    def project(self, entries, resources=MOTD, **more):
        """Writes a project whose hosts are given as mappings of the project file."""
        self.operator.own_stack("fleet", resources, {"deploy_user": "root"})
        document = {"version": 1, "project": "sentinel", "stack": "fleet", "hosts": entries, **more}
        (self.operator.directory / "sentinel.yaml").write_text(json.dumps(document))

    def entry(self, host, **more):
        return {"address": host.address, "user": "root", "identity": str(host.key), **more}

    def outcomes(self, report):
        self.assertEqual(report["schema_version"], 1)
        for host in report["hosts"]:
            self.assertLessEqual(RUN_FIELDS, set(host))
            if host["error"]:
                self.assertEqual(set(host["error"]), ERROR_FIELDS)
        return [host["outcome"] for host in report["hosts"]]


class Fleet(WithHosts):
    def setUp(self):
        super().setUp()
        for host in self.hosts:
            host.run(["sh", "-c", "echo as it was > /etc/motd; rm -f /run/broken"])
        self.names = {f"web{number}": self.entry(host, tags=[host.suite]) for number, host in enumerate(self.hosts, 1)}

    def motds(self):
        return [host.read("/etc/motd").decode() for host in self.hosts]

    def test_hosts_of_three_releases_go_together(self):
        self.project(self.names)
        plan = self.operator.json("plan", exit=3)
        self.assertEqual([host["status"] for host in plan["hosts"]], ["changes"] * 3)
        for host in plan["hosts"]:
            self.assertLessEqual(PLAN_FIELDS, set(host))
            self.assertEqual(set(host["steps"][0]), {"id", "kind", "title", "risk", "changes", "effects"})
            self.assertEqual(set(host["steps"][0]["changes"][0]), {"attribute", "before", "after", "sensitive"})
        self.assertEqual(self.outcomes(self.operator.json("apply", "--yes", exit=0)), ["changed"] * 3)
        self.assertEqual(self.motds(), ["of the fleet\n"] * 3)
        for parallel in (1, 3):
            self.assertEqual(self.outcomes(self.operator.json("apply", "--yes", "--parallel", parallel, exit=0)), ["unchanged"] * 3)
        status = self.operator.json("status", exit=0)
        for host in status["hosts"]:
            self.assertLessEqual(STATUS_FIELDS, set(host))
            self.assertEqual((host["reachable"], host["drift"]), (True, False))

    def test_one_host_that_is_down_does_not_stop_the_others(self):
        self.project({**self.names, "gone": {"address": NOWHERE, "identity": str(self.hosts[0].key)}})
        report = self.operator.json("apply", "--yes", "--connect-timeout", "2", exit=5)
        self.assertEqual(self.outcomes(report), ["changed"] * 3 + ["unreachable"])
        self.assertEqual(self.motds(), ["of the fleet\n"] * 3)
        self.assertEqual(self.outcomes(self.operator.json("apply", "--yes", "--connect-timeout", "2", "-H", "gone", exit=8)), ["unreachable"])
        status = self.operator.json("status", "--connect-timeout", "2", exit=5)
        self.assertEqual([host["reachable"] for host in status["hosts"]], [True] * 3 + [False])

    def test_a_host_that_fails_goes_back_and_the_others_stay(self):
        self.hosts[1].write("/run/broken", "")
        self.project(self.names, FAILING)
        self.assertEqual(self.outcomes(self.operator.json("apply", "--yes", exit=5)), ["changed", "reverted", "changed"])
        self.assertEqual(self.motds(), ["of the fleet\n", "as it was\n", "of the fleet\n"])

    def test_hosts_that_all_fail_alike_have_the_exit_code_of_each(self):
        for host in self.hosts:
            host.write("/run/broken", "")
        self.project(self.names, FAILING)
        self.assertEqual(self.outcomes(self.operator.json("apply", "--yes", exit=1)), ["reverted"] * 3)
        self.assertEqual(self.motds(), ["as it was\n"] * 3)

    def test_a_host_that_is_stuck_wins_over_all_others_and_says_what_is_left(self):
        self.hosts[1].write("/run/broken", "")
        half = {"command": {"argv": ["touch", "/run/half-done"], "always": True, "undo": ["rm", "/run/half-done", "/run/never-there"]}, "id": "half"}
        self.project(self.names, [half, *FAILING])
        report = self.operator.run("apply", "--yes", "--json", exit=7)
        self.assertEqual(self.outcomes(json.loads(report.stdout)), ["changed", "stuck", "changed"])
        self.assertIn("not as it was before: fleet/half", report.stderr)
        self.assertIn("/run/never-there", report.stderr)
        last = json.loads(self.hosts[1].run(["sentinel-agent", "status", "--json"]).stdout)["last_transaction"]
        self.assertEqual(last["outcome"], "stuck")
        # A person puts it right, and the next run goes on from there.
        self.hosts[1].run(["rm", "/run/broken"])
        self.assertEqual(self.outcomes(self.operator.json("apply", "--yes", "-H", "web2", exit=0)), ["changed"])

    def test_patterns_choose_hosts_by_name_tag_and_glob(self):
        self.project(self.names)
        for pattern, chosen in (("web*,!web3", ["web1", "web2"]), ("bookworm", ["web2"]), ("web3", ["web3"]), ("!web1", ["web2", "web3"])):
            with self.subTest(pattern):
                self.assertEqual([host["host"] for host in self.operator.json("plan", "-H", pattern, exit=3)["hosts"]], chosen)
        self.operator.run("plan", "-H", "db*", exit=2)

    def test_every_command_that_changes_hosts_has_a_dry_run(self):
        self.project(self.names, [*MOTD, {"file": {"path": "/root/made", "content": "{{ secrets.MADE }}"}, "id": "made"}],
                     secrets={"MADE": {"generate": "hex"}})
        for command in (["apply"], ["bootstrap"]):
            self.operator.run(*command, "--dry-run", exit=3)
        self.assertEqual(self.motds(), ["as it was\n"] * 3)
        self.operator.run("apply", "--yes", "-H", "web1", exit=0)
        generation = only(self.operator.json("status", "-H", "web1"))["generation"]
        made = self.hosts[0].read("/root/made")
        for command in (["rollback", "--generation", generation - 1], ["secrets", "rotate", "MADE"]):
            self.operator.run(*command, "--dry-run", "-H", "web1", exit=3)
        self.assertEqual(self.hosts[0].read("/root/made"), made)
        self.assertEqual(only(self.operator.json("status", "-H", "web1"))["generation"], generation)

    def test_the_project_may_be_elsewhere_and_settings_win_over_it(self):
        content = "{{ greeting }}\n{% for number in range(300) %}line {{ number }}\n{% endfor %}"
        self.project(self.names, [{"file": {"path": "/etc/motd", "content": content}, "id": "motd"}], vars={"greeting": "project"})
        done = subprocess.run(self.operator.command("apply", "--yes", "-H", "web2", "--set", "greeting=command line", "-C", self.operator.directory),
                              cwd="/", env=self.operator.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(self.hosts[1].read("/etc/motd").startswith(b"command line\nline 0\n"))
        self.assertNotIn("+line 299", self.operator.run("plan", "-H", "web1", exit=3).stdout)
        self.assertIn("+line 299", self.operator.run("plan", "-H", "web1", "-v", exit=3).stdout)


class WaysIn(WithHosts):
    suites = ("bookworm", "trixie")

    def test_a_key_that_changed_is_refused(self):
        host = self.hosts[0]
        known = self.operator.home / ".ssh/known_hosts"
        other = self.hosts[1].known_hosts.read_text().split()[2]
        known.write_text(f"{host.address} ssh-ed25519 {other}\n")
        self.project({"web-1": self.entry(host)})
        for more in ([], ["--accept-new-host-key"]):
            refused = self.operator.json("apply", "--yes", *more, exit=8)
            self.assertEqual(only(refused)["error"]["code"], "ssh.host-key-changed")
        self.assertFalse(host.exists("/var/lib/sentinel/generations/1.json"))

    def test_a_pin_decides_whatever_known_hosts_says(self):
        host, other = self.hosts
        keys = [" ".join(each.known_hosts.read_text().split()[1:3]) for each in (host, other)]
        (self.operator.home / ".ssh/known_hosts").unlink()
        self.project({"web-1": self.entry(host, host_key=keys[0])})
        self.operator.run("plan", exit=3)
        self.project({"web-1": self.entry(host, host_key=keys[1])})
        self.assertEqual(only(self.operator.json("plan", exit=8))["error"]["code"], "ssh.host-key-changed")

    def test_an_alias_of_the_ssh_configuration_is_a_host(self):
        host = self.hosts[0]
        host.run(["sh", "-c", "printf 'Port 22\\nPort 2200\\n' > /etc/ssh/sshd_config.d/10-two.conf; systemctl reload ssh"])
        self.addCleanup(host.run, ["sh", "-c", "rm /etc/ssh/sshd_config.d/10-two.conf; systemctl reload ssh"])
        key = " ".join(host.known_hosts.read_text().split()[1:3])
        (self.operator.home / ".ssh/known_hosts").write_text(f"[{host.address}]:2200 {key}\n")
        (self.operator.home / ".ssh/config").write_text(
            f"Host alias\n  HostName {host.address}\n  Port 2200\n  User debian\n  IdentityFile {host.key}\n")
        self.operator.own_stack("fleet", [{"file": {"path": "/etc/motd", "content": "{{ facts.ssh_client }}\n"}, "id": "motd"}], {"deploy_user": "debian"})
        (self.operator.directory / "sentinel.yaml").write_text(json.dumps(
            {"version": 1, "project": "sentinel", "stack": "fleet", "hosts": {"web-1": {"address": "alias"}}}))
        self.operator.run("plan", exit=3)
        accepted = host.journal("ssh")
        self.assertRegex(accepted, r"Accepted publickey for debian from \S+ port \d+")
        contact = next(iter(json.loads((self.operator.directory / ".sentinel/hosts.json").read_text())["hosts"].values()))
        self.assertEqual((contact["user"], contact["port"]), ("debian", 2200))

    def test_through_a_jump_host_of_the_project(self):
        host, bastion = self.hosts
        self.project({"web-1": self.entry(host, jump="bastion"), "bastion": self.entry(bastion, user="debian")})
        self.assertEqual(only(self.operator.json("apply", "--yes", "-H", "web-1", exit=0))["outcome"], "changed")
        source = host.run(["sh", "-c", "journalctl -u ssh -o cat | grep 'Accepted publickey' | tail -1"]).stdout
        self.assertIn(f"from {bastion.address} ", source)

    def test_through_a_jump_host_of_the_ssh_configuration(self):
        host, bastion = self.hosts
        (self.operator.home / ".ssh/config").write_text(
            f"Host bastion\n  HostName {bastion.address}\n  User debian\n  IdentityFile {host.key}\nHost {host.address}\n  ProxyJump bastion\n")
        self.operator.run("bootstrap", f"root@{host.address}", "--dry-run", exit=8)  # no identity yet
        with open(self.operator.home / ".ssh/config", "a", encoding="ascii") as file:
            file.write(f"  IdentityFile {host.key}\n")
        self.operator.run("bootstrap", f"root@{host.address}", "--dry-run", exit=3)

    def test_a_jump_host_that_refuses_is_asked_once_and_named(self):
        host, bastion = self.hosts
        hosts = {f"web-{number}": self.entry(host, jump="bastion") for number in range(4)}
        self.project({**hosts, "bastion": self.entry(bastion, user="nobody-here")}, vars={"deploy_user": "nobody-either"})
        before = bastion.journal("ssh").count("Invalid user")
        report = self.operator.json("plan", "-H", "web-*", exit=8)
        self.assertEqual({each["error"]["code"] for each in report["hosts"]}, {"ssh.jump-login"})
        self.assertEqual(bastion.journal("ssh").count("Invalid user") - before, 2)


class ThroughABootstrappedHost(unittest.TestCase):
    def test_the_deploy_user_is_the_way_through(self):
        with bootstrapped() as bastion, Host("trixie") as host, Operator() as operator:
            operator.know(host, bastion)
            operator.own_stack("fleet", MOTD, {"deploy_user": "deploy"})
            entries = {"web-1": {"address": host.address, "user": "root", "identity": str(host.key), "jump": "bastion"},
                       "bastion": {"address": bastion.address, "identity": str(host.key)}}
            (operator.directory / "sentinel.yaml").write_text(json.dumps({"version": 1, "project": "sentinel", "stack": "fleet", "hosts": entries}))
            operator.run("apply", "--yes", "-H", "web-1", exit=0)

            def failed_logins():
                told = bastion.run(["journalctl", "-u", "ssh", "-o", "cat"]).stdout.splitlines()
                self.assertTrue(any("Accepted publickey" in line for line in told), "the journal tells of logins")
                return [line for line in told if "Failed" in line or "Connection closed by authenticating" in line]

            before = failed_logins()
            operator.run("apply", "--yes", "-H", "web-1", exit=0)
            self.assertEqual(failed_logins(), before)


if __name__ == "__main__":
    unittest.main()
