# SPDX-License-Identifier: Apache-2.0
"""Stopwatches of tools/bench: rounds that alternate, so that whatever else the machine does falls on all alike; what a program's
memory came to; when a connection's round trips began, and when it was logged in."""

import os
import re
import resource
import statistics
import subprocess
import threading
import time
from pathlib import Path


def seconds(function):
    start = time.monotonic()
    function()
    return time.monotonic() - start


def medians(rounds, **functions):
    """Median seconds of each. Every round runs all of them; each second round in the opposite order."""
    times = {name: [] for name in functions}
    for number in range(rounds):
        for name in list(functions)[::1 if number % 2 == 0 else -1]:
            times[name].append(seconds(functions[name]))
    return {name: statistics.median(values) for name, values in times.items()}


class Busy:
    """While the with statement lasts: processor seconds of the programs that were started and waited for here (`ours`), and of the whole
    machine (`machine`)."""

    def __enter__(self):
        self._before = self._now()
        return self

    def __exit__(self, *_):
        self.ours, self.machine = (after - before for before, after in zip(self._before, self._now()))

    @staticmethod
    def _now():
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        user, nice, system, _, _, interrupts, soft = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:8])
        return children.ru_utime + children.ru_stime, (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")


def load():
    return Path("/proc/loadavg").read_text().split()[0]


class Table:
    """Prints a Markdown table row by row."""

    def __init__(self, peer):
        print(f"| what | sentinelctl | {peer} | ratio | bound |\n|---|---|---|---|---|", flush=True)

    def row(self, what, ours, peer, bound):
        print(f"| {what} | {ours:.3f} s | {peer:.3f} s | {ours / peer:.2f} | {bound} |", flush=True)


def peak_memory(argv, **options):
    """Runs a program to its good end; the most memory it had resident, in MB."""
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise AssertionError(f"{argv} ended with {process.returncode}")
    return usage.ru_maxrss / 1000


class AgentMemory:
    """While the with statement lasts: the most memory any agent on `host` had resident, by the kernel's own high-water mark (VmHWM), in MB,
    looked at every so many seconds. An agent that ends in between is missed, so let it wait for its operator."""

    def __init__(self, host, every):
        self._every = every
        self._namespace = os.readlink(f"/proc/{host.pid}/ns/pid")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.peak = 0.0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _watch(self):
        while not self._over.wait(self._every):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    if (process / "comm").read_text() == "sentinel-agent\n" and os.readlink(process / "ns/pid") == self._namespace:
                        found = re.search(r"VmHWM:\s+(\d+) kB", (process / "status").read_text())
                        self.peak = max(self.peak, int(found.group(1)) / 1000)
                except (OSError, AttributeError):
                    continue  # it has ended meanwhile


def turns(connection):
    """The round trips of one Connection of a Relay, as (when the client began it in time.monotonic() seconds, bytes it sent). Not counted
    are the greetings, which cross each other (either may come first), and the client's last word: nobody waits for an answer to
    the goodbye."""
    out = []
    previous = "sent"
    for event in connection.timeline:
        if event.direction == "sent" and previous == "delivered":
            out.append((connection.opened + event.seconds, 0))
        if event.direction == "sent" and out:
            out[-1] = (out[-1][0], out[-1][1] + event.size)
        previous = event.direction
    return out[:-1]


def login_time(host):
    """When sshd on `host` let the last login in, in time.monotonic() seconds of this machine (host and machine share their clocks)."""
    lines = host.run(["journalctl", "--boot", "--quiet", "--unit=ssh.service", "--grep=^Accepted publickey", "--reverse", "--lines=1",
                      "--output=json", "--output-fields=_SOURCE_REALTIME_TIMESTAMP"]).stdout
    stamp = int(re.search(r'"_SOURCE_REALTIME_TIMESTAMP"\s*:\s*"(\d+)"', lines).group(1)) / 1e6
    return stamp - time.time() + time.monotonic()
