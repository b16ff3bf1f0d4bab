#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""UFW on real hosts of three releases: whatever was done to it by hand is found, put back, and taken back again by a
transaction that fails, without touching chains of Docker or fail2ban."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from hosts import SUITES, Host  # noqa: E402
from sentinel import CAMPAIGN, Operator, only  # noqa: E402

RULES = [{"port": "22"}, {"port": "443", "comment": "web & more"}, {"action": "limit", "port": "2222"},
         {"from": "192.0.2.0/24", "port": "9100"}, {"from": "2001:db8::/32", "port": "9100"},
         {"action": "deny", "from": "203.0.113.7", "protocol": "any"}, {"port": "6000:6007", "protocol": "udp"},
         {"port": "53", "protocol": "any"}]
FAILING = {"command": {"argv": ["false"], "creates": "/nothing", "undo": ["true"]}, "id": "fails"}
# Kernel, files and switches, as text; counters and the dates of iptables-save aside.
LOOK = """
for save in iptables-save ip6tables-save; do
  $save -t filter | sed -e 's/\\[[0-9]*:[0-9]*\\]//' -e '/^#/d'
done
for path in /etc/ufw/*.rules /etc/ufw/ufw.conf /etc/default/ufw; do stat -c '%n %U %G %a' $path; cat $path; done
systemctl is-enabled ufw
sysctl -n net.ipv4.conf.all.accept_redirects net.ipv4.conf.all.log_martians
"""
# As fail2ban and Docker would leave them.
FOREIGN = """
iptables -N f2b-sshd && iptables -A f2b-sshd -s 203.0.113.99 -j REJECT && iptables -A f2b-sshd -j RETURN
iptables -I INPUT -p tcp -m multiport --dports 22 -j f2b-sshd
iptables -N DOCKER-USER && iptables -A DOCKER-USER -j RETURN && iptables -I FORWARD -j DOCKER-USER
iptables -t nat -N DOCKER && iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
"""
FOREIGN_LOOK = "iptables -S f2b-sshd; iptables -S DOCKER-USER; iptables -S INPUT 1; iptables -S FORWARD 1; iptables -t nat -S"
DAMAGES = {
    "a rule deleted": "ufw delete allow 443/tcp",
    "a rule added": "ufw allow 4222/tcp",
    "a rule ufw can route": "ufw route allow in on eth0 out on eth1 to any port 80 proto tcp",
    "rules of every kind": "ufw allow out 123/udp; ufw allow log 8443/tcp; ufw allow in on lo to any port 8080; ufw deny from 2001:db8::7",
    "a kernel rule deleted": "iptables -D ufw-user-input -p tcp --dport 443 -j ACCEPT",
    "a kernel rule added": "ip6tables -A ufw6-user-input -p tcp --dport 9999 -j ACCEPT",
    "an open policy": "iptables -P INPUT ACCEPT",
    "INPUT flushed": "iptables -P INPUT ACCEPT; iptables -F INPUT; iptables -I INPUT -p tcp -m multiport --dports 22 -j f2b-sshd",
    "everything of IPv6 flushed": "ip6tables -P INPUT ACCEPT; ip6tables -F",
    "one hook gone": "iptables -D INPUT -j ufw-after-input",
    "hooks doubled": "iptables -A INPUT -j ufw-before-input",
    "an early accept": "iptables -I INPUT 2 -p tcp --dport 9999 -m comment --comment 'a \"b\" c' -j ACCEPT",
    "before.rules not loaded": "iptables -F ufw-before-forward",
    "off in the file only": "sed -i s/ENABLED=yes/ENABLED=no/ /etc/ufw/ufw.conf",
    "off": "ufw disable",
    "off at boot": "systemctl disable ufw",
    "another default": "ufw default allow incoming",
    "another logging": "ufw logging high",
    "IPv6 off": "sed -i s/IPV6=yes/IPV6=no/ /etc/default/ufw; ufw reload",
    "an order that lets in": "ufw delete deny from 203.0.113.7; ufw prepend allow from 203.0.113.0/24; ufw deny from 203.0.113.7",
}
SAMPLE = ["a rule added", "INPUT flushed", "a kernel rule deleted", "IPv6 off"]


class Firewall(unittest.TestCase):
    def open(self, suite):
        self.host = Host(suite).start()
        self.addCleanup(self.host.destroy)
        self.operator = Operator()
        self.addCleanup(self.operator.close)
        self.operator.know(self.host)
        self.host.run(["sh", "-ec", "apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install ufw"])

    def declare(self, *more, **firewall):
        resources = [{"firewall": {"rules": RULES, **firewall}, "id": "ufw"}, *more]
        self.operator.own_stack("walls", resources, {"deploy_user": "root"})
        self.operator.project({"web-1": self.host}, stack="walls")

    def look(self):
        return self.host.run(["sh", "-c", LOOK]).stdout.splitlines()

    def apply(self, exit=0):
        return only(self.operator.json("apply", "--yes", exit=exit))

    def assert_in_sync(self):
        self.assertEqual(only(self.operator.json("plan", exit=0))["status"], "in-sync")

    def assert_found_and_put_back(self, damage, taken_back):
        self.host.run(["sh", "-c", damage])
        if taken_back:
            damaged = self.look()
            self.declare(FAILING)
            self.assertEqual(self.apply(exit=1)["outcome"], "reverted")
            self.assertEqual(self.look(), damaged)
        self.declare()
        self.assertEqual(self.apply()["outcome"], "changed")
        self.assert_in_sync()

    def test_whatever_was_done_by_hand_is_put_back_or_taken_back(self):
        for suite in SUITES:
            self.open(suite)
            self.declare()
            self.assertEqual(self.apply()["outcome"], "changed")
            self.assert_in_sync()
            self.host.run(["sh", "-ec", FOREIGN])
            foreign = self.host.run(["sh", "-c", FOREIGN_LOOK]).stdout
            self.assert_in_sync()
            everything = CAMPAIGN or suite == "bookworm"
            for name, damage in DAMAGES.items():
                if not everything and name not in SAMPLE:
                    continue
                with self.subTest(f"{suite}: {name}"):
                    self.assert_found_and_put_back(damage, CAMPAIGN or name in SAMPLE)
                    self.assertEqual(self.host.run(["sh", "-c", FOREIGN_LOOK]).stdout, foreign)

    def test_a_session_keeps_its_port_open_though_nothing_declares_it(self):
        self.open("bookworm")
        self.operator.own_stack("walls", [{"firewall": {"rules": [{"port": "443"}]}, "id": "ufw"}], {"deploy_user": "root"})
        self.operator.project({"web-1": self.host}, stack="walls")
        self.assertEqual(self.apply()["outcome"], "changed")
        self.host.wait_for_ssh()
        self.assertRegex(self.host.run(["ufw", "status"]).stdout, r"22/tcp +ALLOW +Anywhere +# kept open")
        self.assert_in_sync()

    def test_settings_of_every_kind_hold(self):
        self.open("bookworm")
        for settings in ({"incoming": "reject", "outgoing": "deny", "routed": "allow"}, {"logging": "off"}, {"logging": "full"}, {"ipv6": False, "rules": RULES[:4]},
                         {}, {"enabled": False}, {}):
            with self.subTest(settings):
                self.declare(**settings)
                self.assertEqual(self.apply()["outcome"], "changed")
                self.assert_in_sync()


if __name__ == "__main__":
    unittest.main()
