# SPDX-License-Identifier: Apache-2.0
"""What `sentinelctl check` costs: a whole audit of a bootstrapped host against `ssh HOST true`, its round trips, the programs it starts on
the host, its memory, the scanners that Debian has beside it, and many hosts at once. Part of tools/bench."""

import json
import os
import re
import signal
import statistics
import subprocess
from pathlib import Path

import scanners
from hosts import Host, Relay, fleet as boot_fleet
from measuring import AgentMemory, Busy, Table, medians, seconds
from sentinel import Operator, bootstrapped
from series import at_relay, run, series, ssh_true, through_relay

# A finding of a host to which nothing was deployed yet, so the exit code says 4; what can't be judged would say 11.
CHECK, EXITS = ("check", "--json"), (0, 4)


def audit(operator, *arguments):
    """One check of every host; the reports, which must all be there."""
    done = operator.run(*CHECK, *arguments)
    assert done.returncode in EXITS, f"exit {done.returncode}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout)["hosts"]


def judged(report):
    return sum(result["status"] in ("pass", "fail", "warn") for result in report["results"])


class Started:
    """While the with statement lasts: the programs that the agents on `host` started, by strace at its sshd, and those of them that are scripts."""

    def __init__(self, host, directory):
        self._host, self._trace = host, Path(directory) / "execve"
        self.programs, self.scripts = [], []

    def __enter__(self):
        self._strace = subprocess.Popen(["strace", "-f", "-qq", "--pidns-translation", "-e", "trace=execve,clone,clone3,fork,vfork", "-e", "signal=none",
                                         "-o", self._trace, "-p", self._sshd()], stderr=subprocess.PIPE, text=True)
        while "TracerPid:\t0\n" in Path(f"/proc/{self._sshd()}/status").read_text():
            assert self._strace.poll() is None, self._strace.stderr.read()
        return self

    def __exit__(self, *_):
        self._strace.send_signal(signal.SIGINT)
        self._strace.wait(timeout=30)
        self._strace.stderr.close()
        calls = [line.split(maxsplit=1) for line in self._trace.read_text().splitlines()]
        # Whose child a process is can be said after its first call: a parent by vfork returns once the child has a program.
        born = r"(?:clone3?|v?fork|<\.\.\. (?:clone3?|v?fork) resumed).* = \d+ /\* (\d+) in strace's PID NS \*/"
        parents = {found[1]: pid for pid, call in calls if (found := re.match(born, call))}
        agents = set()

        def below_an_agent(pid):
            return pid in agents or (pid in parents and below_an_agent(parents[pid]))
        asked = {}  # the program each process wants to become: another's call may come in between
        for pid, call in calls:
            if wanted := re.match(r'execve\("([^"]+)"', call):
                asked[pid] = wanted[1]
            if re.match(r"(?:execve\(|<\.\.\. execve resumed).* = 0$", call):
                if asked[pid].endswith("/sentinel-agent"):
                    agents.add(pid)
                elif below_an_agent(pid):
                    self.programs.append(asked[pid])
        self.scripts = [program for program in self.programs if self._host.run(["head", "--bytes=2", program]).stdout == "#!"]

    def _sshd(self):
        """The host's listening sshd, as this machine counts its processes."""
        inside = self._host.run(["systemctl", "show", "--property=MainPID", "--value", "ssh.service"]).stdout.strip()
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                counted = re.search(r"NSpid:((?:\s\d+)+)", status.read_text())[1].split()
                if counted[-1] == inside and (status.parent / "ns/pid").readlink() == Path(f"/proc/{self._host.pid}/ns/pid").readlink():
                    return counted[0]
            except (OSError, TypeError):
                continue  # it has ended meanwhile
        raise AssertionError(f"no process {inside} on the host")


def alone(rounds):
    """One host. Returns what was counted: controls, round trips by delay, programs, scripts, the agent's megabytes."""
    with series("check: one host"), bootstrapped() as host, Operator() as operator:
        operator.know(host)
        operator.project({"web-1": host})
        (report,) = audit(operator)  # remembers the user that works
        table = Table(peer="`ssh HOST true`")
        got = medians(rounds, ours=lambda: audit(operator), peer=lambda: run(ssh_true(host)))
        table.row(f"{len(report['results'])} controls, {judged(report)} of them judged", got["ours"], got["peer"], "3")
        lines = through_relay(host, 0.1, max(1, rounds // 3), table, CHECK, EXITS, "3")
        after = {who: {len(sizes) - [size for _, size in sizes].index(line.login_request) - 1 for sizes in line.runs} for who, line in lines.items()}
        with Started(host, operator.directory) as started:
            audit(operator)
        with Relay(host.address, 22, delay=0.1) as relay, Operator() as distant:
            options = at_relay(distant, host, relay)
            with AgentMemory(host, every=0.02) as agent:
                audit(distant, *options)
        print(f"\nRound trips after the login: {sorted(after['ours'])} (ssh: {sorted(after['peer'])}). The agent started {len(started.programs)} programs "
              f"(bound 16), {len(started.scripts)} of them scripts, and had {agent.peak:.1f} MB resident at most (bound 20).\n\n"
              f"They are: {', '.join(Path(program).name for program in started.programs)}.", flush=True)
        return {"controls": len(report["results"]), "judged": judged(report), "round_trips": after["ours"], "programs": started.programs,
                "scripts": started.scripts, "megabytes": agent.peak}


def beside_scanners(rounds):
    """One host, scanned in turn by each scanner and by a check. Returns {scanner: what it looked at}."""
    with series("check: beside Debian's scanners"), bootstrapped() as host, Operator() as operator:
        operator.know(host)
        operator.project({"web-1": host})
        scanners.put_on(host)
        (report,) = audit(operator)
        looked = {}

        def scan(name):
            looked[name] = getattr(scanners, name.lower())(host)
        got = medians(rounds, ours=lambda: audit(operator), Lynis=lambda: scan("Lynis"), OpenSCAP=lambda: scan("OpenSCAP"))
        print(f"check: {len(report['results'])} controls, over SSH. The scanners run on the host itself.\n\n"
              "| scanner | looks at | takes | check | ratio |\n|---|---|---|---|---|")
        for name, items in looked.items():
            print(f"| {name} | {len(items)} {'tests' if name == 'Lynis' else 'rules'} | {got[name]:.1f} s | {got['ours']:.2f} s | {got['ours'] / got[name]:.3f} |", flush=True)
        return looked


def many(rounds, size):
    """`size` hosts at once: the whole run against the host that took longest in it, which is what queueing in sentinelctl would show in; against
    the slowest of them alone, which shows how many of them the machine below can carry at once; and against as many ssh."""
    with series(f"check: {size} hosts at once"), boot_fleet(size, on=bootstrapped().on, login="deploy") as hosts, Operator() as operator:
        operator.know(*hosts)
        operator.project({f"web-{index}": host for index, host in enumerate(hosts, 1)})
        audit(operator, "--parallel", str(size))
        together, longest, single, ours, machine = [], [], [], [], []
        for _ in range(rounds):
            single.append(max(seconds(lambda index=index: audit(operator, "--host", f"web-{index}")) for index in range(1, size + 1)))
            reports = []
            with Busy() as busy:
                together.append(seconds(lambda: reports.extend(audit(operator, "--parallel", str(size)))))
            longest.append(max(report["duration_ms"] for report in reports) / 1000)
            ours.append(busy.ours / size)
            machine.append(busy.machine / size)

        def all_ssh():
            running = [subprocess.Popen(ssh_true(host), stdin=subprocess.DEVNULL) for host in hosts]
            assert [process.wait() for process in running] == [0] * size
        logins = statistics.median(seconds(all_ssh) for _ in range(rounds))
        table = Table(peer="peer")
        table.row("against the host that took longest in it", statistics.median(together), statistics.median(longest), "1.5")
        table.row("against the slowest host alone", statistics.median(together), statistics.median(single), "-")
        table.row(f"against {size} `ssh HOST true` at once", statistics.median(together), logins, "-")
        print(f"\nProcessor time for each host: {statistics.median(machine):.3f} s, of which sentinelctl {statistics.median(ours):.3f} s; "
              f"this machine has {os.cpu_count()} processors for all of them and for sentinelctl.", flush=True)


def check(rounds, size):
    alone(rounds)
    beside_scanners(max(1, rounds // 5))
    many(max(1, rounds // 5), size)
