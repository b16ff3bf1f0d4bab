#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Accounts, kernel parameters, sshd and apt sources on real hosts of three releases: applied, nothing left to do, put back
by a transaction that fails, and rolled back."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from hosts import SUITES, Host  # noqa: E402
from sentinel import Operator, only  # noqa: E402

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIhyeMA/rBTIQG9lStKNLKqGtMM6+N1eAE+53IA7CeJ5 one@example.com"
DROP_IN = "/etc/ssh/sshd_config.d/00-sentinel.conf"
# What the resources below may touch, as text.
LOOK = """
cat /etc/passwd /etc/group /etc/shadow /etc/gshadow
sysctl -n net.ipv4.conf.all.log_martians net.ipv4.tcp_rmem
for path in /etc/sysctl.d/60-x.conf /srv/x /srv/x/data /srv/x/current /srv/x/data/file /home/deploy /home/deploy/.ssh/authorized_keys /root/.ssh/authorized_keys; do
  stat -c '%n %F %U %G %a %s' $path 2>/dev/null || echo no $path
  test ! -f $path || cat $path
done
sshd -T
grep -r . /etc/ssh/sshd_config /etc/ssh/sshd_config.d /etc/systemd/system/ssh.socket.d 2>/dev/null
"""
ACCOUNTS = [
    {"group": {"name": "data", "system": True}, "id": "data"},
    {"user": {"name": "app", "system": True, "group": "data", "home": "/srv/x", "shell": "/usr/sbin/nologin"}, "id": "app"},
    {"user": {"name": "deploy", "groups": ["sudo", "data"], "comment": "Deploys"}, "id": "deploy"},
    {"authorized_keys": {"user": "deploy", "keys": [KEY]}, "id": "keys"},
    {"authorized_keys": {"user": "root", "keys": [KEY]}, "id": "root-keys"},
    {"directory": {"path": "/srv/x/data", "owner": "app", "group": "data", "mode": "0750"}, "id": "directory"},
    {"file": {"path": "/srv/x/data/file", "content": "x\n", "owner": "app", "group": "data", "mode": "0640"}, "id": "file"},
    {"link": {"path": "/srv/x/current", "target": "data"}, "id": "link"},
    {"sysctl": {"path": "/etc/sysctl.d/60-x.conf",
                "values": {"net.ipv4.conf.all.log_martians": "1", "net.ipv4.tcp_rmem": "4096 131072 6291456", "net.absent.key": "1"}}, "id": "sysctl"},
]
FAILING = {"command": {"argv": ["false"], "creates": "/nothing", "undo": ["true"]}, "id": "fails"}


def sshd(port=22):
    return {"sshd": {"path": DROP_IN, "content": f"Port {port}\nPasswordAuthentication no\nMaxAuthTries 3\n",
                     "effective": {"port": str(port), "passwordauthentication": "no", "maxauthtries": "3"}}, "id": "sshd"}


# A repository with one package, and the key that signs it.
MAKE_REPOSITORY = """
mkdir -p package/DEBIAN package/usr/share/sentinel-sample repository gpg && chmod 700 gpg
echo sample > package/usr/share/sentinel-sample/file
printf 'Package: sentinel-sample\\nVersion: 1\\nArchitecture: all\\nMaintainer: Test <test@example.com>\\nDescription: a sample\\n' > package/DEBIAN/control
dpkg-deb --root-owner-group --build package repository/sentinel-sample_1_all.deb
cd repository
apt-ftparchive packages . > Packages
apt-ftparchive release . > Release
gpg --homedir ../gpg --batch --quiet --passphrase '' --quick-generate-key 'Test <test@example.com>' rsa3072 sign never
gpg --homedir ../gpg --batch --quiet --clearsign --output InRelease Release
gpg --homedir ../gpg --armor --export > ../key.asc
gpgconf --homedir "$PWD/../gpg" --kill all
"""


class Kinds(unittest.TestCase):
    def open(self, suite):
        self.host = Host(suite).start()
        self.addCleanup(self.host.destroy)
        self.operator = Operator()
        self.addCleanup(self.operator.close)
        self.operator.know(self.host)

    def declare(self, resources, port=22):
        self.operator.own_stack("kinds", resources, {"ssh": {"port": 22}, "deploy_user": "root"})
        self.operator.project({"web-1": self.host}, {"ssh": {"port": port}}, stack="kinds")

    def look(self):
        return self.host.run(["sh", "-c", LOOK], check=False).stdout.splitlines()

    def apply(self, exit=0):
        return only(self.operator.json("apply", "--yes", exit=exit))

    def assert_in_sync(self):
        self.assertEqual(only(self.operator.json("plan", exit=0))["status"], "in-sync")

    def listening(self):
        """Ports with an sshd or its socket behind them."""
        text = self.host.run(["sh", "-c", "cat /proc/net/tcp /proc/net/tcp6"]).stdout
        rows = [line.split() for line in text.splitlines()]
        return {int(row[1].split(":")[1], 16) for row in rows if len(row) > 3 and row[3] == "0A"}

    def test_accounts_and_files(self):
        for suite in SUITES:
            with self.subTest(suite):
                self.open(suite)
                before = self.look()
                self.declare([*ACCOUNTS, sshd(), FAILING])
                self.assertEqual(self.apply(exit=1)["outcome"], "reverted")
                self.assertEqual(self.look(), before)
                self.declare([*ACCOUNTS, sshd()])
                self.assertEqual(self.apply()["outcome"], "changed")
                after = self.look()
                self.assertNotEqual(after, before)
                self.assert_in_sync()
                self.assertEqual(self.apply()["outcome"], "unchanged")
                self.assertEqual(self.look(), after)
                groups = self.host.run(["id", "-nG", "deploy"]).stdout.split()
                self.assertEqual(sorted(groups), ["data", "deploy", "sudo"])

    def test_an_apt_source_with_its_key(self):
        sample = [{"apt_source": {"name": "own", "source": "keys/own.asc",
                                  "line": "deb [signed-by=/etc/apt/keyrings/own.asc] file:/srv/repository ./"}, "id": "repository"},
                  {"package": {"names": ["sentinel-sample"]}, "id": "package"}]
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run(["bash", "-ec", MAKE_REPOSITORY], cwd=directory, check=True, stdout=subprocess.DEVNULL)
            archive = subprocess.run(["tar", "-C", directory, "-c", "repository"], check=True, stdout=subprocess.PIPE).stdout
            key = Path(directory, "key.asc").read_bytes()
        look = ["sh", "-c", "find /etc/apt /usr/share/sentinel-sample -type f -exec sha256sum {} + | sort; dpkg -l | grep sentinel-sample"]
        for suite in SUITES:
            with self.subTest(suite):
                self.open(suite)
                self.host.run(["tar", "-C", "/srv", "-x"], input=archive, text=False)
                (self.operator.directory / "keys").mkdir()
                (self.operator.directory / "keys/own.asc").write_bytes(key)
                before = self.host.run(look, check=False).stdout
                self.declare([*sample, FAILING])
                self.assertEqual(self.apply(exit=1)["outcome"], "reverted")
                self.assertEqual(self.host.run(look, check=False).stdout, before)
                self.declare(sample)
                self.assertEqual(self.apply()["outcome"], "changed")
                self.assertEqual(self.host.read("/usr/share/sentinel-sample/file"), b"sample\n")
                self.assert_in_sync()
                self.host.run(["sh", "-c", "echo >> /etc/apt/keyrings/own.asc"])
                self.assertEqual([step["id"] for step in only(self.operator.json("plan", exit=3))["steps"]], ["kinds/repository"])

    def test_lines_that_win_over_the_drop_in(self):
        for suite in SUITES:
            with self.subTest(suite):
                self.open(suite)
                self.declare([sshd()])
                self.apply()
                self.host.write("/etc/ssh/sshd_config.d/00-a.conf", "# theirs\nPasswordAuthentication yes\n")
                self.host.run(["sh", "-c", "printf 'Match Address 192.0.2.0/24\\n  MaxAuthTries 10\\n' >> /etc/ssh/sshd_config"])
                plan = only(self.operator.json("plan", exit=3))
                said = str(plan["steps"])
                self.assertIn("/etc/ssh/sshd_config.d/00-a.conf:2", said)
                self.assertIn("Match Address 192.0.2.0/24", said)
                self.apply()
                self.assert_in_sync()
                effective = self.host.run(["sshd", "-T", "-C", "addr=192.0.2.7,user=root,host=x"]).stdout
                self.assertIn("passwordauthentication no", effective)
                self.assertIn("maxauthtries 3", effective)
                self.assertIn(b"# theirs", self.host.read("/etc/ssh/sshd_config.d/00-a.conf"))

    def test_what_is_set_holds_after_a_boot(self):
        for suite in SUITES:
            with self.subTest(suite):
                self.open(suite)
                self.host.write("/etc/sysctl.d/99-theirs.conf", "# theirs\nnet/ipv4/conf/all/log_martians = 0\n")
                self.declare([*ACCOUNTS, sshd()])
                self.assertIn("/etc/sysctl.d/99-theirs.conf:2", str(only(self.operator.json("plan", exit=3))["steps"]))
                self.apply()
                self.host.reboot()
                self.assert_in_sync()

    def test_the_port_of_the_service_and_of_the_socket(self):
        for suite in SUITES:
            for socket in (False, True):
                with self.subTest(suite=suite, socket=socket):
                    self.open(suite)
                    if socket:
                        self.host.run(["systemctl", "disable", "--now", "ssh.service"])
                        self.host.run(["systemctl", "enable", "--now", "ssh.socket"])
                    self.declare([sshd()])
                    self.apply()
                    self.declare([sshd(2222)], port=2222)
                    self.assertEqual(self.apply()["outcome"], "changed")
                    self.assertIn(2222, self.listening())
                    self.assertNotIn(22, self.listening())
                    self.assert_in_sync()
                    self.declare([sshd(22), FAILING], port=22)
                    self.assertEqual(self.apply(exit=1)["outcome"], "reverted")
                    self.assertIn(2222, self.listening())
                    self.declare([sshd(22)], port=22)
                    self.assertEqual(self.apply()["outcome"], "changed")
                    self.assertEqual(self.listening() & {22, 2222}, {22})
                    self.assert_in_sync()


if __name__ == "__main__":
    unittest.main()
