#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The agent needs nothing of its host: it runs where there is no other file at all, loads no library anywhere, and does its
work on hosts whose name services are those of systemd and myhostname and that have no Python."""

import concurrent.futures
import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from hosts import SUITES, Host  # noqa: E402
from sentinel import AGENT, Operator, only, wait_until  # noqa: E402

ACCOUNT = [{"user": {"name": "somebody"}, "id": "user"}, {"file": {"path": "/srv/its", "content": "x\n", "owner": "somebody"}, "id": "file"}]


class Alone(unittest.TestCase):
    def test_it_runs_in_an_empty_chroot(self):
        with tempfile.TemporaryDirectory() as root:
            shutil.copy(AGENT, root)
            for arguments, fields in ((["version", "--json"], {"schema_version", "version", "protocol", "digest"}),
                                      (["status", "--json"], {"schema_version", "generation", "audit_head", "running", "interrupted", "last_transaction", "releases"}),
                                      (["releases", "--json"], {"schema_version", "entries"}),
                                      (["history", "--json"], {"schema_version", "entries"})):
                done = subprocess.run(["chroot", root, "/sentinel-agent", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
                self.assertEqual(set(json.loads(done.stdout)), fields)
            self.assertEqual([path.name for path in Path(root).iterdir()], ["sentinel-agent"])


class OnEveryRelease(unittest.TestCase):
    def look(self, suite):
        with Host(suite) as host, Operator() as operator:
            operator.know(host)
            operator.own_stack("account", ACCOUNT, {"deploy_user": "root"})
            operator.project({"web-1": host}, stack="account")
            services = host.read("/etc/nsswitch.conf").decode()
            self.assertRegex(services, r"(?m)^passwd: files systemd$")
            self.assertRegex(services, r"(?m)^hosts: files myhostname")
            self.assertEqual(only(operator.json("apply", "--yes", exit=0))["outcome"], "changed")
            self.assertEqual(host.run(["stat", "-c", "%U", "/srv/its"]).stdout, "somebody\n")
            self.assertEqual(host.run(["sh", "-c", "command -v python3 python python2"], check=False).stdout, "")
            # While it serves, only its own file and the kernel's pages are mapped.
            with subprocess.Popen([*host.ssh_command(), "sentinel-agent serve"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as session:
                served = wait_until(lambda: host.run(["pidof", "sentinel-agent"], check=False).stdout.strip(), 20, "the agent serves")
                mapped = host.run(["cat", f"/proc/{served}/maps"]).stdout
                session.stdin.close()
            files = {line.split()[5] for line in mapped.splitlines() if len(line.split()) > 5 and not line.split()[5].startswith("[")}
            self.assertEqual(len(files), 1, files)
            return True

    def test_it_loads_nothing_and_finds_accounts(self):
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            self.assertEqual(list(pool.map(self.look, SUITES)), [True] * 3)


if __name__ == "__main__":
    unittest.main()
