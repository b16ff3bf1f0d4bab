# SPDX-License-Identifier: Apache-2.0
"""What tools/bench measures, one function per series. Every figure is a ratio of two things measured in turn on the same hosts;
ratios carry over to other machines, seconds do not."""

import contextlib
import dataclasses
import json
import statistics
import subprocess

from ansible_peer import Playbook, install_python
from description import Description
from hosts import Host, Relay, fleet as boot_fleet
from measuring import AgentMemory, Table, load, login_time, medians, peak_memory, seconds, turns
from sentinel import AGENT, SENTINELCTL, Operator, bootstrapped

DELAYS = (0, 0.05, 0.2)


@contextlib.contextmanager
def series(title):
    """A heading, and how busy the machine was: read the ratios of a busy machine with care."""
    print(f"\n## {title}\n\nLoad at the start: {load()}\n", flush=True)
    yield
    print(f"\nLoad at the end: {load()}", flush=True)


def ssh_true(host, port=22, address=None):
    """`ssh HOST true` as the deploy user: nothing multiplexed, one key, the host's key known."""
    return ["ssh", "-F", "none", "-i", str(host.key), "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
            "-o", f"UserKnownHostsFile={host.known_hosts if address is None else '/dev/null'}", "-o", "LogLevel=ERROR", "-p", str(port),
            f"deploy@{address or host.address}", "true"]


def run(argv):
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)


# -- nothing to change

def in_sync(rounds):
    """One fully bootstrapped host, nothing to change, against `ssh HOST true`: directly, and through a relay that delays. Returns what
    count() and memory() do."""
    with series("Nothing to change"), bootstrapped() as host, Operator() as operator:
        operator.know(host)
        operator.project({"web-1": host})
        operator.run("apply", "--yes", exit=0)  # remembers the user that works
        table = Table(peer="`ssh HOST true`")
        got = medians(rounds, ours=lambda: operator.run("apply", "--yes", exit=0), peer=lambda: run(ssh_true(host)))
        table.row("directly", got["ours"], got["peer"], "1.0, stretch 0.6")
        lines = {delay: through_relay(host, delay, max(1, rounds // 3), table) for delay in DELAYS}
        counted = count(lines)
        cost = {who: (lines[DELAYS[-1]][who].seconds - lines[DELAYS[0]][who].seconds) / DELAYS[-1] for who in ("ours", "peer")}
        print(f"By the clock, (time at 200 ms - time at 0 ms) / 200 ms: sentinelctl {cost['ours']:.1f}, ssh {cost['peer']:.1f} round trips.")
        return counted, memory(host, operator)


@dataclasses.dataclass
class Line:
    """One program over one line: the median time, the turns() of every timed run, and the size of the request that logged in."""
    seconds: float
    runs: list
    login_request: int


def through_relay(host, delay, rounds, table, command=("apply", "--yes"), exits=(0,), bound="1.0"):
    """{who: Line} of `command`, which may end with one of `exits`, with `delay` seconds of round-trip time."""
    with Relay(host.address, 22, delay=delay / 2) as relay, Operator() as distant:
        options = at_relay(distant, host, relay)
        runs = {"ours": [], "peer": []}

        def watched(who, command):
            def measured():
                command()
                runs[who].append(relay.connections[-1])
            return measured

        def ours():
            done = distant.run(*command, *options)
            assert done.returncode in exits, done.stderr
        commands = {"ours": watched("ours", ours),
                    "peer": watched("peer", lambda: run(ssh_true(host, relay.port, "127.0.0.1")))}
        commands["ours"]()  # remembers the port and the user that work
        runs["ours"].clear()
        got = medians(rounds, **commands)
        table.row(f"with {delay * 1000:.0f} ms of round-trip time, through the relay", got["ours"], got["peer"], bound)
        lines = {}
        for who, once in commands.items():
            timed = [turns(connection) for connection in runs[who]]
            once()  # apart from the timed runs, because asking the host's journal takes time, too
            authenticated = login_time(host)
            before = [size for start, size in turns(relay.connections[-1]) if start < authenticated]
            lines[who] = Line(got[who], timed, before[-1])
        return lines


def count(lines):
    """Prints the round trips; returns {delay: {who: {numbers after the login}}}. Which request logs in is learnt on the slowest line: on a
    fast one the client's next word can be as early as sshd's record of the login."""
    print("\n| round-trip time | sentinelctl | ssh |\n|---|---|---|")
    after = {}
    for delay, both in lines.items():
        cells, after[delay] = [], {}
        for who, line in both.items():
            sizes = [[size for _, size in run] for run in line.runs]
            to_log_in = [run.index(lines[DELAYS[-1]][who].login_request) + 1 for run in sizes]
            after[delay][who] = {len(run) - login for run, login in zip(sizes, to_log_in)}
            cells.append(f"{either(to_log_in)} to log in, then {either(after[delay][who])}")
        print(f"| {delay * 1000:.0f} ms | {cells[0]} | {cells[1]} |")
    print(flush=True)
    return after


def either(numbers):
    return " or ".join(map(str, sorted(set(numbers))))


def at_relay(operator, host, relay):
    """Makes `operator`'s project reach `host` through `relay`; the options its commands need. The host's own port stays 22."""
    entry = {"address": "127.0.0.1", "port": relay.port, "user": "deploy", "identity": str(host.key)}
    document = {"version": 1, "project": "sentinel", "stack": "sentinel-vps", "hosts": {"web-1": entry}}
    (operator.directory / "sentinel.yaml").write_text(json.dumps(document))
    return "--accept-new-host-key", "--set", "ssh.port=22"


def memory(host, operator):
    """Prints what the programs need; returns the agent's peak in MB."""
    with Relay(host.address, 22, delay=0.1) as relay, Operator() as distant:
        options = at_relay(distant, host, relay)
        with AgentMemory(host, every=0.02) as agent:  # the slow line keeps the agent waiting after its answer, long enough to be looked at
            distant.run("plan", *options, exit=0)
    ours = peak_memory(operator.command("apply", "--yes"), cwd=operator.directory, env=operator.environment())
    print(f"\nMost memory resident: agent {agent.peak:.1f} MB (bound 30), sentinelctl {ours:.1f} MB. "
          f"Files: agent {AGENT.stat().st_size / 1e6:.1f} MB, sentinelctl {SENTINELCTL.stat().st_size / 1e6:.1f} MB.", flush=True)
    return agent.peak


# -- first bootstrap

POLICY = "#!/bin/sh\nexit 101\n"


def installed(host):
    return set(host.run(["dpkg-query", "--show", "--showformat=${Package} ${Version} ${db:Status-Status}\n"]).stdout.splitlines())


def described(host, variables=None):
    """The Description of a bare host, which is no longer quite bare then: the agent is there."""
    with Operator() as operator:
        operator.know(host)
        operator.project({"web-1": host}, variables)
        return Description(operator)


def bootstrap_once(suite):
    """A first contact: (seconds, packages on the host afterwards, the agent's peak in MB)."""
    with Host(suite) as host, Operator() as operator:
        operator.know(host)
        operator.project({"web-1": host})
        with AgentMemory(host, every=2) as agent:  # seldom, since looking costs, too
            took = seconds(lambda: operator.run("bootstrap", "--yes", exit=0))
        return took, installed(host), agent.peak


def install_once(suite, names, starts=True):
    """The bare apt-get of the same packages on a host of its own: (seconds, packages on the host afterwards)."""
    with Host(suite) as host:
        if not starts:
            host.write("/usr/sbin/policy-rc.d", POLICY, 0o755)

        def apt():
            host.run(["apt-get", "update", "-q"])
            host.run(["sh", "-c", 'DEBIAN_FRONTEND=noninteractive exec apt-get install -y -q "$@"', "sh", *names], timeout=1200)
        return seconds(apt), installed(host)


def bootstrap(rounds, suite="bookworm"):
    """A bare host each: the whole bootstrap against nothing but apt-get installing its packages."""
    with series("First bootstrap"):
        with Host(suite) as host:
            names = described(host).packages_to_install()
        ours, peers = [], []
        for number in range(rounds):
            took, packages, agent = bootstrap_once(suite)
            ours.append(took)
            took, same = install_once(suite, names)
            assert packages == same, f"not the same packages: {sorted(packages ^ same)}"
            peers.append(took)
            print(f"<!-- round {number + 1}: bootstrap {ours[-1]:.1f} s, apt-get {peers[-1]:.1f} s, load {load()} -->", flush=True)
        table = Table(peer="apt-get update, apt-get install")
        mine, peer = statistics.median(ours), statistics.median(peers)
        table.row("first bootstrap", mine, peer, f"1.2 and 2 s: {1.2 * peer + 2:.1f} s")
        quiet, _ = install_once(suite, names, starts=False)
        print(f"\napt-get lets the packages start their services; once under a policy-rc.d that forbids it: {quiet:.1f} s.\n"
              f"Packages named: {' '.join(names)}; {len(packages)} installed afterwards on both. Agent: {agent:.1f} MB resident at most.", flush=True)


# -- many hosts

def fleet(rounds, size):
    """`size` bootstrapped hosts at once, nothing to change, against as many ssh started together."""
    with series(f"{size} hosts at once"), boot_fleet(size, on=bootstrapped().on, login="deploy") as hosts, Operator() as operator:
        operator.know(*hosts)
        operator.project({f"web-{index}": host for index, host in enumerate(hosts, 1)})
        apply = ("apply", "--yes", "--parallel", str(size))
        operator.run(*apply, exit=0)

        def all_ssh():
            running = [subprocess.Popen(ssh_true(host), stdin=subprocess.DEVNULL) for host in hosts]
            assert [process.wait() for process in running] == [0] * size

        table = Table(peer=f"{size} ssh in parallel")
        got = medians(rounds, ours=lambda: operator.run(*apply, exit=0), peer=all_ssh)
        table.row("nothing to change", got["ours"], got["peer"], "1.5")
        peak = peak_memory(operator.command(*apply), cwd=operator.directory, env=operator.environment())
        print(f"\nsentinelctl with {size} hosts: {peak:.1f} MB resident at most.", flush=True)


# -- Ansible

def ansible(rounds, suite="bookworm"):
    """The same description by Ansible: first run on a bare host each, then runs with nothing to change."""
    variables = {"deploy_sudo": "nopasswd"}  # Ansible's modules are programs of their own, so its user may run any
    with series("Ansible"), Host(suite) as mine, Host(suite) as theirs, Operator() as operator:
        operator.know(mine)
        operator.project({"web-1": mine}, variables)
        playbook = Playbook(theirs, described(theirs, variables), operator.home / "ansible")
        install_python(theirs)
        table = Table(peer="Ansible")
        first = {"peer": seconds(lambda: playbook.run("root")), "ours": seconds(lambda: operator.run("bootstrap", "--yes", exit=0))}
        table.row("first run", first["ours"], first["peer"], "-")
        operator.run("apply", "--yes", exit=0)
        assert playbook.run("deploy") == 0, "the playbook's second run changed something"
        got = medians(rounds, ours=lambda: operator.run("apply", "--yes", exit=0), peer=lambda: playbook.run("deploy"), ssh=lambda: run(ssh_true(mine)))
        table.row("nothing to change", got["ours"], got["peer"], "-")
        print(f"\n`ssh HOST true` beside them: {got['ssh']:.3f} s.", flush=True)
