# SPDX-License-Identifier: Apache-2.0
"""An operator at work, for end-to-end tests: a home directory, a project, and the real sentinelctl against real hosts.

The programs come from the build directory named by SENTINEL_BUILD (ctest sets it; default: build/dev)."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SENTINEL_BUILD", ROOT / "build" / "dev"))
SENTINELCTL = BUILD / "cli" / "sentinelctl"
AGENT = BUILD / "agent" / "sentinel-agent"
CAMPAIGN = os.environ.get("SENTINEL_CAMPAIGN") == "1"


def program_inputs():
    """What a prepared host depends on: see hosts.prepared."""
    return [SENTINELCTL, AGENT, ROOT / "playbooks", ROOT / "templates"]


class Operator:
    """A person with a machine of their own: HOME, keys, a project directory. Close it, or use `with`."""

    def __init__(self):
        self.home = Path(tempfile.mkdtemp(prefix="sentinel-operator-"))
        self.directory = self.home / "project"
        self.directory.mkdir()
        (self.home / ".ssh").mkdir(mode=0o700)

    def close(self):
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def know(self, *hosts):
        """Takes over the hosts' keys into known_hosts, as an operator who checked them has."""
        lines = "".join(Path(host.known_hosts).read_text() for host in hosts)
        with open(self.home / ".ssh" / "known_hosts", "a", encoding="ascii") as file:
            file.write(lines)

    def project(self, hosts, variables=None, secrets=None, **more):
        """Writes sentinel.yaml for {name: Host}. JSON is YAML, so nothing needs quoting."""
        entries = {}
        for name, host in hosts.items():
            entries[name] = {"address": host.address, "user": "root", "identity": str(host.key)}
        document = {"version": 1, "project": "sentinel", "stack": "sentinel-vps", "hosts": entries}
        document["vars"] = variables or {}
        document["secrets"] = secrets or {}
        document.update(more)
        (self.directory / "sentinel.yaml").write_text(json.dumps(document, indent=2))
        return self

    def own_stack(self, name, resources, variables=None):
        """A stack of the project's own with one role of the same name; use it by project(..., stack=name)."""
        for kind in ("roles", "stacks"):
            (self.directory / "playbooks" / kind).mkdir(parents=True, exist_ok=True)
        stack = {"stack": name, "vars": variables or {}, "roles": [name]}
        (self.directory / "playbooks" / "stacks" / f"{name}.yaml").write_text(json.dumps(stack))
        role = {"role": name, "resources": resources}
        (self.directory / "playbooks" / "roles" / f"{name}.yaml").write_text(json.dumps(role, indent=1))
        return name

    def environment(self, extra=None):
        keep = {name: os.environ[name] for name in ("PATH", "LANG", "TERM") if name in os.environ}
        return {**keep, "HOME": str(self.home), "USER": "operator", "NO_COLOR": "1", **(extra or {})}

    def command(self, *arguments):
        return [str(SENTINELCTL), *map(str, arguments)]

    def run(self, *arguments, exit=None, environment=None, timeout=600, input=None):
        """Runs sentinelctl; with `exit` set any other exit code is an assertion with everything it said."""
        done = subprocess.run(self.command(*arguments), cwd=self.directory, env=self.environment(environment), text=True,
                              input=input, stdin=subprocess.DEVNULL if input is None else None, capture_output=True, timeout=timeout)
        if exit is not None and done.returncode != exit:
            raise AssertionError(f"sentinelctl {' '.join(map(str, arguments))}: exit {done.returncode}, expected {exit}\n"
                                 f"--- stdout\n{done.stdout[-6000:]}\n--- stderr\n{done.stderr[-6000:]}")
        return done

    def start(self, *arguments, environment=None):
        """The same, in the background. A shell's background jobs ignore SIGINT; a person's sentinelctl does not."""
        return subprocess.Popen(self.command(*arguments), cwd=self.directory, env=self.environment(environment), text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))

    def json(self, *arguments, exit=None, **more):
        return json.loads(self.run(*arguments, "--json", exit=exit, **more).stdout)

    def bootstrap(self, **more):
        return self.json("bootstrap", "--yes", exit=0, **more)


def bootstrapped(suite="bookworm", **more):
    """A host that was bootstrapped with the built-in defaults; paid for once for all tests (see hosts.prepared)."""
    from hosts import Host, prepared

    def build(host):
        with Operator() as operator:
            operator.know(host)
            operator.project({"web-1": host}).bootstrap()

    return Host(on=prepared("bootstrapped-" + suite, Host(suite), program_inputs(), build=build), login="deploy", **more)


def wait_until(condition, timeout, what):
    """Polls a condition; the only way tests here wait."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(0.1)


def only(report):
    """The one host of a report."""
    hosts = report["hosts"]
    assert len(hosts) == 1, report
    return hosts[0]
