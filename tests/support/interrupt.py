# SPDX-License-Identifier: Apache-2.0
"""Transactions that are stopped, killed or cut off at an exact point, and what may be found afterwards.

A point is a system call of the transaction's process: strace, attached from this machine while a gate inside the host holds
the transaction back, acts right before the n-th call of a kind. The agent under test is the real one, unchanged."""

import itertools
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

from sentinel import Operator, only, wait_until

# What a crash can come between: everything that changes or syncs a file, starts a program or waits for one.
CALLS = ("write", "fsync", "fdatasync", "rename", "unlink", "mkdir", "rmdir", "symlink", "fchmod", "clone", "clone3", "fork", "vfork", "poll")
DROP_IN = "/etc/ssh/sshd_config.d/00-sentinel.conf"
UNIT = "[Unit]\nDescription=Beats\n[Service]\nExecStart=/bin/sleep {seconds}\n[Install]\nWantedBy=multi-user.target\n"

# What the resources below touch, as text that no code of ours produces.
LOOK = r"""
cat /etc/passwd /etc/group /etc/gshadow
sed 's/^\(worker:[^:]*\):[0-9]*:/\1:the day it was made:/' /etc/shadow
for path in /srv/crash /srv/crash/data /srv/crash/data/secret /srv/crash/current /srv/crash/file /srv/crash/big /srv/crash/marker \
    /home/worker /etc/sysctl.d/60-crash.conf /etc/systemd/system/beat.service /etc/systemd/system/new.service \
    /etc/ssh/sshd_config.d/00-sentinel.conf /usr/sbin/policy-rc.d; do
  stat -c '%n %F %U %G %a %s' $path 2>/dev/null || echo no $path
  test ! -L $path || readlink $path
  test ! -f $path || sha256sum $path
done
sysctl -n net.ipv4.conf.all.log_martians net.ipv4.tcp_rmem
sshd -T | sort
for unit in beat new; do
  echo $unit $(systemctl is-enabled $unit) $(systemctl is-active $unit) $(systemctl show --value -p ExecStart -p NeedDaemonReload $unit | sed 's/start_time.*//')
done
dpkg-query -W -f '${Package} ${db:Status-Status}\n' jq libjq1 libonig5 2>&1
dpkg --audit
ls /var/lib/sentinel/secrets
find /etc /srv /var/lib/sentinel /run/sentinel -name '.*.tmp' -o -name staged
cat /etc/ufw/user.rules /etc/ufw/user6.rules /etc/default/ufw
iptables -S ufw-user-input
"""


def resources(new):
    """The same host twice: as it was, and as it shall be. Every kind of undo occurs."""
    pick = (lambda old, wanted: wanted) if new else (lambda old, wanted: old)
    both = [
        {"directory": {"path": "/srv/crash", "mode": pick("0755", "0750")}, "id": "home"},
        {"file": {"path": "/srv/crash/file", "content": pick("old\n", "new\n"), "mode": pick("0644", "0600")}, "id": "file"},
        {"file": {"path": "/srv/crash/big", "content": pick("o", "n") * 200_000}, "id": "big"},
        {"link": {"path": "/srv/crash/current", "target": pick("file", "big")}, "id": "link"},
        {"sysctl": {"path": "/etc/sysctl.d/60-crash.conf", "values": {
            "net.ipv4.conf.all.log_martians": pick("0", "1"), "net.ipv4.tcp_rmem": f"4096 131072 {pick(6291456, 6291455)}"}}, "id": "sysctl"},
        {"systemd_unit": {"name": "beat.service", "content": UNIT.format(seconds=pick(1000001, 1000002))}, "id": "beat-unit",
         "notify": ["restart beat.service"]},
        {"service": {"unit": "beat.service", "enabled": True, "active": True}, "id": "beat"},
        {"sshd": {"path": DROP_IN, "content": f"PasswordAuthentication no\nMaxAuthTries {pick(3, 4)}\nPermitRootLogin prohibit-password\n"},
         "id": "sshd", "notify": ["reload ssh"]},
        {"firewall": {"rules": ["22/tcp", *pick(["80/tcp", "443/tcp"], ["443/tcp", {"port": "8443/tcp", "from": "192.0.2.0/24"}])]}, "id": "ufw"},
    ]
    if not new:
        return both
    return [
        {"group": {"name": "crew", "system": True}, "id": "crew"},
        {"user": {"name": "worker", "groups": ["crew"], "comment": "Works"}, "id": "worker"},
        *both,
        {"directory": {"path": "/srv/crash/data", "owner": "worker", "group": "crew", "mode": "0750"}, "id": "data"},
        {"file": {"path": "/srv/crash/data/secret", "content": "{{ secrets.word }}\n", "owner": "worker", "mode": "0600"}, "id": "secret"},
        {"command": {"argv": ["touch", "/srv/crash/marker"], "creates": "/srv/crash/marker", "undo": ["rm", "-f", "/srv/crash/marker"]},
         "id": "marker"},
        {"package": {"names": ["jq"]}, "id": "jq"},
        {"systemd_unit": {"name": "new.service", "content": UNIT.format(seconds=1000003)}, "id": "new-unit"},
        {"service": {"unit": "new.service", "enabled": True, "active": True}, "id": "new"},
    ]


class Change:
    """A host in its old state, an operator with the old and the new project, and how to tell which of the two a host is in."""

    def __init__(self):
        self.operators = {}
        for name in ("old", "new"):
            operator = Operator()
            operator.own_stack("crash", resources(name == "new"))
            self.operators[name] = operator

    def close(self):
        for operator in self.operators.values():
            operator.close()

    def at(self, host, name):
        """The operator with that project, who knows the host."""
        operator = self.operators[name]
        operator.know(host)
        return operator.project({"web-1": host}, {"deploy_user": "deploy"}, {"word": {"command": ["printf", "a word"]}} if name == "new" else None,
                                stack="crash")

    def prepare(self, host):
        """Brings a bootstrapped host into the old state, for use as a base."""
        self.at(host, "old").run("apply", "--yes", exit=0)
        # The package lists are fetched by the first installation; they are not what is tested.
        host.run(["apt-get", "update", "-q"])

    def remember_old(self, host):
        """To be called on a host in the old state, before the first interruption."""
        self.old_look = look(host)
        self.old_steps = self.plan(host, "new")["steps"]
        self.generation = status(host)["generation"]

    def plan(self, host, name):
        done = self.at(host, name).run("plan", "--json")
        if done.returncode not in (0, 3):
            raise AssertionError(f"plan of the {name} state: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return only(json.loads(done.stdout))

    def judge(self, host, transaction):
        """"old" or "new" when the host is exactly that and its history says so; else an assertion that names the damage."""
        now = status(host)
        last = now["last_transaction"]
        outcome = last["outcome"] if last["transaction"] == transaction else None
        towards_new = self.plan(host, "new")
        if towards_new["status"] == "in-sync":
            self.expect(outcome == "changed" and now["generation"] == self.generation + 1, f"new state, but {now}")
            if not hasattr(self, "new_look"):
                self.new_look = look(host)
            self.expect_same(look(host), self.new_look, "the new state")
            return "new"
        self.expect(outcome in ("reverted", None) and now["generation"] == self.generation, f"not the new state, and {now}: {[step['id'] for step in towards_new['steps']]}")
        self.expect_same([json.dumps(step) for step in towards_new["steps"]], [json.dumps(step) for step in self.old_steps],
                         "the plan of the old state")
        towards_old = self.plan(host, "old")
        self.expect(towards_old["status"] == "in-sync", f"left over: {towards_old['steps']}")
        self.expect_same(look(host), self.old_look, "the old state")
        return "old"

    @staticmethod
    def expect(truth, otherwise):
        if not truth:
            raise AssertionError(otherwise)

    @staticmethod
    def expect_same(found, expected, what):
        if found != expected:
            extra = [line for line in found if line not in expected]
            missing = [line for line in expected if line not in found]
            raise AssertionError(f"not {what}:\nfound    {extra}\nexpected {missing}")


def look(host):
    return host.run(["sh", "-c", LOOK], check=False).stdout.splitlines()


def status(host):
    return json.loads(host.run(["sentinel-agent", "status", "--json"]).stdout)


def settled(host):
    """Nothing runs, and nothing is left for a recovery."""
    now = status(host)
    return now["running"] is None and not now["interrupted"]


def recoveries(host):
    """How many deaths of transactions this boot has recovered from, with success."""
    return len(re.findall("^Finished", host.run(["journalctl", "--boot", "--output=cat", "--unit=sentinel-recover-now"]).stdout, re.MULTILINE))


class Gate:
    """Holds every transaction of a host back, between the start of its process and its first word, until open() is called.
    Systemd's watchdog is off there: a stopped process must not be killed."""

    FOLDER = "/run/systemd/system/sentinel-transaction@.service.d"

    def __init__(self, host):
        self.host = host
        host.write(f"{self.FOLDER}/gate.conf", "[Service]\nWatchdogSec=0\nExecStartPost=/bin/sh -c 'until [ -e /run/gate/%i ]; do sleep 0.02; done'\n")
        host.run(["sh", "-c", "mkdir -p /run/gate && systemctl daemon-reload"])
        self.seen = set()

    def waiting_transaction(self, timeout=60):
        """(pid on this machine, id) of the transaction that has come to the gate."""
        namespace = os.readlink(f"/proc/{self.host.pid}/ns/pid")

        def find():
            for entry in Path("/proc").iterdir():
                if not entry.name.isdigit():
                    continue
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                    if words[1:2] != [b"transaction"] or os.readlink(entry / "ns/pid") != namespace:
                        continue
                except OSError:
                    continue
                transaction = words[2].decode()
                if transaction not in self.seen:
                    return int(entry.name), transaction
            return None

        pid, transaction = wait_until(find, timeout, "a transaction comes to the gate")
        self.seen.add(transaction)
        return pid, transaction

    def open(self, transaction):
        self.host.run(["touch", f"/run/gate/{transaction}"])

    def remove(self):
        self.host.run(["sh", "-c", f"rm -rf {self.FOLDER} && systemctl daemon-reload"])


class Tracer:
    """strace on the main thread of a process, with injections (strace's own syntax, without -e inject=)."""

    def __init__(self, pid, *injections, calls=CALLS):
        self.pid = pid
        self.log = tempfile.NamedTemporaryFile(prefix="sentinel-strace-", mode="r")
        command = ["strace", "-q", "-y", "-p", str(pid), "-o", self.log.name, "-e", "trace=" + ",".join(f"?{call}" for call in calls)]
        for injection in injections:
            command += ["-e", "inject=" + injection]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        wait_until(self.attached, 10, "strace is attached")

    def attached(self):
        if self.process.poll() is not None:
            raise AssertionError(self.process.stderr.read())
        return process_field(self.pid, "TracerPid") not in (None, "0")

    def calls(self):
        """The calls so far, in order, each "name(arguments) = result"."""
        return [line for line in self.text().splitlines() if re.match(r"\w+\(", line)]

    def text(self):
        return Path(self.log.name).read_text()

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=10)
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def process_field(pid, name):
    """A field of /proc/PID/status; None when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    return re.search(rf"^{name}:\s*(\S*)", text, re.MULTILINE).group(1)


class Run:
    """The calls of a whole run, as names with their numbers; `start` is where the journal begins."""

    def __init__(self, calls):
        counters = {}
        self.points = []
        self.start = None
        for call in calls:
            name = call.partition("(")[0]
            counters[name] = counters.get(name, 0) + 1
            if self.start is None and name == "fdatasync" and "/log>" in call:
                self.start = len(self.points)
            self.points.append((name, counters[name]))

    def sample(self, count, random):
        """`count` points spread over the run, one in eight before the journal begins; (name, n): before the n-th call of that name."""
        before = (count + 7) // 8
        return spread(self.points[:self.start], before, random) + spread(self.points[self.start:], count - before, random)

    def numbers(self, name):
        """The numbers of the calls of that name since the journal began."""
        return [n for called, n in self.points[self.start:] if called == name]


def spread(points, count, random):
    """`count` of the points, evenly. A program that runs is one long row of polls: such a row counts like one call."""
    rows = [list(row) for _, row in itertools.groupby(points, key=lambda point: point[0] if point[0] == "poll" else point)]
    picked = []
    for i in range(count):
        first, last = len(rows) * i // count, len(rows) * (i + 1) // count
        picked.append(random.choice(random.choice(rows[first:max(last, first + 1)])))
    return picked


def finish(process, timeout=180):
    """What sentinelctl said, once it has ended."""
    try:
        return process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
