#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What core/checks predicts to be reachable is what is reachable: random combinations of UFW rules, raw rules of both back ends,
published container ports, IPv6 and sockets on a real host, tried from a network namespace that stands for the world.

The seed of a case is printed with its failure; SENTINEL_SEED=N runs that one alone."""

import ipaddress
import json
import os
import random
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from hosts import Host, container  # noqa: E402
from sentinel import BUILD, CAMPAIGN  # noqa: E402

SEEDS = [int(os.environ["SENTINEL_SEED"])] if "SENTINEL_SEED" in os.environ else range(200 if CAMPAIGN else 15)
HOST4, HOST6 = "203.0.113.7", "2001:db8:1::7"
BOX4 = "172.19.0.2"
# Two strangers and one whose network some rules name, in either family.
SENDERS = {4: ["203.0.113.10", "203.0.113.66"], 6: ["2001:db8:1::10", "2001:db8:1:0:66::1"]}
NAMED = {4: ["203.0.113.64/28", "203.0.113.66", "203.0.113.0/24"], 6: ["2001:db8:1:0:66::/80", "2001:db8:1:0:66::1"]}
PORTS = [22, 80, 443, 2222, 5432, 6379, 8080, 9090, 9100]
NETWORK = f"""
ip netns add world
ip link add wan0 type veth peer name wan1 netns world
ip addr add {HOST4}/24 dev wan0; ip -6 addr add {HOST6}/64 dev wan0 nodad; ip link set wan0 up
ip -n world link set lo up; ip -n world link set wan1 up
""" + "".join(f"ip -n world addr add {a}/24 dev wan1\n" for a in SENDERS[4]) \
    + "".join(f"ip -n world -6 addr add {a}/64 dev wan1 nodad\n" for a in SENDERS[6]) + f"""
ip netns add box
ip link add br-test type bridge; ip addr add 172.19.0.1/16 dev br-test; ip link set br-test up
ip link add box0 type veth peer name box1 netns box; ip link set box0 master br-test up
ip -n box link set lo up; ip -n box addr add {BOX4}/16 dev box1; ip -n box link set box1 up; ip -n box route add default via 172.19.0.1
sysctl -q -w net.ipv4.ip_forward=1
"""
CLEAN = """
ufw --force disable >/dev/null; rm -f /etc/ufw/user*.rules*
cp /usr/share/ufw/iptables/user.rules /etc/ufw/; cp /usr/share/ufw/iptables/user6.rules /etc/ufw/
sed -i 's/^IPV6=.*/IPV6=yes/' /etc/default/ufw
for tables in iptables-nft ip6tables-nft iptables-legacy ip6tables-legacy; do
  for table in filter nat mangle raw; do
    case $tables in *legacy) grep -qx $table /proc/net/$(echo ${tables%-legacy} | sed s/tables/_tables/)_names 2>/dev/null || continue ;; esac
    $tables -t $table -F; $tables -t $table -X
    for chain in INPUT OUTPUT FORWARD PREROUTING; do $tables -t $table -P $chain ACCEPT 2>/dev/null || true; done
  done
done
sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.conf.all.route_localnet=0 net.ipv4.conf.wan0.route_localnet=0
"""


class Case:
    """One random host: what runs on it and the commands that make its rules."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.seed = seed
        self.sockets = self.make_sockets()
        self.commands = [*self.make_ufw(), *self.make_docker(), *self.make_raw(), *self.make_switches()]

    def maybe(self, chance):
        return self.random.random() < chance

    def make_sockets(self):
        sockets = []
        for port in self.random.sample(PORTS[1:], self.random.randint(5, 8)):  # sshd has the first
            protocol = self.random.choice(["tcp", "tcp", "tcp", "udp"])
            address = self.random.choice(["0.0.0.0", "0.0.0.0", "::", "::", "127.0.0.1", "::1", HOST4, HOST6])
            v6_only = address == "::" and self.maybe(0.3)
            sockets.append([protocol, address, port, v6_only])
            if v6_only and self.maybe(0.5):
                sockets.append([protocol, "0.0.0.0", port, False])
        return sockets

    def make_ufw(self):
        if not self.maybe(0.8):
            return []
        out = [f"ufw default {self.random.choice(['deny', 'deny', 'reject', 'allow'])} incoming"]
        if self.maybe(0.15):
            out.insert(0, "sed -i 's/^IPV6=.*/IPV6=no/' /etc/default/ufw")
        families = [4] if len(out) > 1 else [4, 4, 6]
        limited = False
        for _ in range(self.random.randint(1, 5)):
            port = self.random.choice(PORTS)
            action = self.random.choice(["allow", "allow", "allow", "deny", "reject", "limit"])
            action = "allow" if action == "limit" and limited else action  # every one of them would count our few attempts
            limited = limited or action == "limit"
            protocol = "tcp" if action == "limit" else self.random.choice(["tcp", "tcp", "udp"])
            shape = self.random.random()
            if shape < 0.5:
                out.append(f"ufw {action} {port}/{protocol}")
            elif shape < 0.85:
                out.append(f"ufw {action} from {self.random.choice(NAMED[self.random.choice(families)])} to any port {port} proto {protocol}")
            else:
                out.append(f"ufw {action} proto {protocol} to any port {port},{port + 1000}:{port + 1100}")
        return [*out, "ufw --force enable"]

    def make_docker(self):
        """As Docker writes them for a published port."""
        out = []
        if not self.maybe(0.5):
            return out
        out += ["iptables -t nat -N DOCKER", "iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
                "iptables -N DOCKER", "iptables -N DOCKER-USER", "iptables -A DOCKER-USER -j RETURN", "iptables -I FORWARD -o br-test -j DOCKER",
                "iptables -I FORWARD -o br-test -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
                "iptables -I FORWARD -i br-test ! -o br-test -j ACCEPT", "iptables -I FORWARD -j DOCKER-USER",
                "iptables -t nat -A POSTROUTING -s 172.19.0.0/16 ! -o br-test -j MASQUERADE"]
        for port in self.random.sample(PORTS, self.random.randint(1, 2)):
            bound = self.random.choice(["", "", "-d 127.0.0.1/32 ", f"-d {HOST4}/32 "])
            out += [f"iptables -t nat -A DOCKER {bound}! -i br-test -p tcp -m tcp --dport {port} -j DNAT --to-destination {BOX4}:7000",
                    f"iptables -A DOCKER -d {BOX4}/32 ! -i br-test -o br-test -p tcp -m tcp --dport 7000 -j ACCEPT"]
            if self.maybe(0.3):
                out.append(f"iptables -I DOCKER-USER -i wan0 -p tcp -m conntrack --ctorigdstport {port} --ctdir ORIGINAL -j DROP")
        return out

    def make_raw(self):
        out = []
        for number in range(self.random.choice([0, 0, 1, 2, 3])):
            port, family = self.random.choice(PORTS), self.random.choice([4, 4, 6])
            tables = "iptables" if family == 4 else "ip6tables"
            named = self.random.choice(NAMED[family])
            verdict = self.random.choice(["ACCEPT", "ACCEPT", "DROP", "REJECT"])
            out += self.random.choice([
                [f"{tables} -I INPUT -p tcp --dport {port} -j {verdict}"],
                [f"{tables} -A INPUT -p tcp --dport {port} -j {verdict}"],
                [f"{tables} -I INPUT -s {named} -p tcp -m multiport --dports {port},22 -j {verdict}"],
                [f"{tables} -I INPUT ! -s {named} -p tcp --dport {port} -j DROP"],
                [f"{tables} -I INPUT -i lo -j ACCEPT", f"{tables} -I INPUT ! -i wan0 -p tcp --dport {port} -j ACCEPT"],
                [f"{tables} -I INPUT -p tcp --syn -m connlimit --connlimit-above 50 -j DROP"],
                [f"{tables} -t raw -I PREROUTING -p tcp --dport {port} -j DROP"],
                [f"{tables} -t mangle -A PREROUTING -s {named} -p tcp --dport {port} -j DROP"],
                [f"{tables} -N own{number}", f"{tables} -A own{number} -p tcp --dport {port} -j RETURN", f"{tables} -A own{number} -p tcp -j {verdict}",
                 f"{tables} -I INPUT 1 -i wan0 -p tcp {self.random.choice(['-g', '-j'])} own{number}"],
                [f"{tables} -I OUTPUT -o wan0 -p tcp --sport {port} -j DROP"],
                [f"{tables} -P INPUT ACCEPT", f"{tables} -F INPUT"],
                [f"{tables} -P OUTPUT DROP", f"{tables} -I OUTPUT -m conntrack --ctstate ESTABLISHED -p tcp -j ACCEPT"],
                [f"{tables}-legacy -A INPUT -p tcp --dport {port} -j DROP"],
                [f"{tables} -t nat -A PREROUTING -i wan0 -p tcp --dport {port} -j REDIRECT --to-ports {self.random.choice(PORTS)}"],
                [f"{tables} -I INPUT -p tcp --dport {port} -m limit --limit 100/s -j {verdict}"],
            ])
        return out

    def make_switches(self):
        out = []
        if self.maybe(0.15):
            out.append("sysctl -q -w net.ipv4.ip_forward=0")
        if self.maybe(0.2):
            out.append(f"iptables -t nat -A PREROUTING -i wan0 -p tcp --dport {self.random.choice(PORTS)} -j DNAT --to-destination 127.0.0.1")
            if self.maybe(0.5):
                out.append("sysctl -q -w net.ipv4.conf.all.route_localnet=1")
        return out

    def told(self):
        return "\n".join([f"seed {self.seed}", f"sockets {json.dumps(self.sockets)}", *self.commands])


def predicted(reach, protocol, source, destination, port):
    """Whether a prediction says that this sender gets an answer: the longest prefix that holds it decides."""
    sender, best, answer = ipaddress.ip_address(source), -1, False
    for one in reach:
        if one["protocol"] != protocol or one["port"] != port or destination not in one["addresses"] or not one["answered"]:
            continue
        for name, gets_in in [*((name, True) for name in one["sources"]), *((name, False) for name in one["except"])]:
            network = ipaddress.ip_network("0.0.0.0/0" if name == "anywhere" and sender.version == 4 else "::/0" if name == "anywhere" else name)
            if sender in network and network.prefixlen > best:
                best, answer = network.prefixlen, gets_in
    return answer


class Exposure(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host("bookworm").start()
        cls.addClassCleanup(cls.host.destroy)
        cls.host.run(["sh", "-ec", "apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install ufw iptables"], timeout=300)
        cls.shell(NETWORK)
        for source, name in ((BUILD / "tests/e2e/exposure_probe", "predict"), (HERE / "exposure/answering.py", "answering"),
                             (HERE / "exposure/knocking.py", "knocking")):
            target = Path(f"/proc/{cls.host.pid}/root/root/{name}")
            shutil.copy(source, target)
            target.chmod(0o755)

    @classmethod
    def shell(cls, script):
        return cls.host.run(["sh", "-ec", script], timeout=120)

    def answering(self, sockets, *enter):
        """Starts what listens; it ends with the test."""
        process = subprocess.Popen(["nsenter", "--target", str(self.host.pid), "--all", "--", "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                    *enter, "/root/answering"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        def end():
            process.stdin.close()
            process.wait(timeout=10)
            process.stdout.close()
        self.addCleanup(end)
        process.stdin.write(json.dumps(sockets) + "\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), "ready\n")
        return end

    def differences(self, case):
        self.shell(CLEAN)
        self.shell("\n".join(case.commands))
        reach = json.loads(self.host.run(["/root/predict"]).stdout)
        doors = [[protocol, source, HOST4 if family == 4 else HOST6, port]
                 for family, sources in SENDERS.items() for source in sources for protocol in ("tcp", "udp") for port in PORTS]
        self.shell("for list in /proc/net/xt_recent/*; do [ ! -e $list ] || echo / >$list; done")
        seen = json.loads(container.enter(self.host.pid, ["ip", "netns", "exec", "world", "/root/knocking"], input=json.dumps(doors), text=True,
                                          capture_output=True, check=True, timeout=60).stdout)
        self.open += sum(seen)
        self.tried += len(seen)
        return [f"{' '.join(map(str, door))}: predicted {'open' if predicted(reach, *door) else 'shut'}, seen {'open' if really else 'shut'}"
                for door, really in zip(doors, seen) if predicted(reach, *door) != really]

    def test_predicted_equals_observed(self):
        self.open = self.tried = 0
        self.answering([["tcp", "0.0.0.0", 7000, False]], "ip", "netns", "exec", "box")
        for seed in SEEDS:
            case = Case(seed)
            with self.subTest(seed=seed):
                end = self.answering(case.sockets)
                try:
                    wrong = self.differences(case)
                finally:
                    end()
                self.assertEqual(wrong, [], case.told())
        print(f"{len(SEEDS)} combinations, {self.tried} doors tried, {self.open} of them open", file=sys.stderr)
        self.assertGreater(self.open, self.tried // 20, "a prediction that all is shut proves nothing")


if __name__ == "__main__":
    unittest.main()
