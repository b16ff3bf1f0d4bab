# SPDX-License-Identifier: Apache-2.0
"""A disposable real Debian host for tests: boots in about two seconds, is thrown away in one.

    with Host(suite="bookworm") as host:
        host.ssh("uname -a", check=True)

Everything is gone after the with statement, also after an exception, SIGINT or SIGTERM; what a SIGKILL leaves is removed
when the next host is made (or by `tools/testhost clean`).
"""

import concurrent.futures
import contextlib
import functools
import os
import secrets
import subprocess
import time
from pathlib import Path

from . import container, disk, images, lifetime, limits, network, prepared, state
from .state import HostError


class Host:
    """One host. Attributes: name, suite, address, gateway (this machine as the host sees it), key, known_hosts, pid."""

    def __init__(self, suite="bookworm", name=None, *, disk="directory", from_disk=None, on=None, keep=False, login="root"):
        """`disk="image"` keeps the whole disk in an image file that snapshot_disk can copy as of a power cut;
        `from_disk` starts from such a copy, with the same `on`. `on` is a Base (Host.as_base, prepared) to start from instead of
        the bare image; name and keys of that host are kept. `keep` leaves the host running after this process. `login` is the user whose
        login over SSH ends a boot: root unless the base has turned root away."""
        self.suite = on.suite if on else suite
        self.name = name or "h" + secrets.token_hex(3)
        state.check_name(self.name)
        self.disk_kind = "image" if from_disk else disk
        self.on = on
        self._from_disk = from_disk
        self._keep = keep
        self._login = login
        self._process = None
        self._supervisor = None

    # -- making and throwing away

    def __enter__(self):
        try:
            self._create()
            self.boot()
        except BaseException:
            self.destroy()
            raise
        return self

    def __exit__(self, *_):
        if not self._keep:
            self.destroy()

    def start(self):
        """The with statement's entry for callers that have none; end with destroy()."""
        return self.__enter__()

    @classmethod
    def attach(cls, name):
        """A host that another process made with keep=True."""
        record = state.read_record(name)
        if record is None:
            raise HostError(f"there is no host '{name}'")
        host = cls(record["suite"], name, disk=record["disk"], keep=True)
        host.__dict__["image"] = images.Image(record["suite"], Path(record["image"]))
        host.on = prepared.Base(host.image, [Path(lower) for lower in record["lower"]], None)
        host._supervisor = record["supervisor"]
        host._set_address(record["address"], record["gateway"])
        return host

    def _set_address(self, address, gateway):
        self.address, self.gateway = address, gateway
        self.key = state.CACHE / "key"
        self.known_hosts = self.directory / "known_hosts"

    @property
    def directory(self):
        return state.HOSTS / self.name

    @functools.cached_property
    def image(self):
        """The image of its release; built now when it is missing."""
        return self.on.image if self.on else images.image(self.suite)

    @property
    def lower(self):
        """The read-only directories below its disk, topmost first."""
        return self.on.lower if self.on else [self.image.root]

    def _create(self):
        state.require_root()
        lifetime.clean()
        self.lower  # builds the image before the lock is taken
        with state.lock("hosts"):
            if self.directory.exists():
                raise HostError(f"there is already a host '{self.name}'")
            records = [record for record in map(state.read_record, state.names()) if record]
            limits.raise_for_hosts()
            address = network.take_address({record["address"] for record in records})
            gateway, prefix = network.ensure_bridge()
            self.directory.mkdir(parents=True, mode=0o755)
            if not self._keep:
                lifetime.register(self)
            self._set_address(address, gateway)
            self._write_record()
        ensure_key(self.key)
        disk.prepare(self, prefix, self._from_disk)

    def _write_record(self):
        state.write_record(self.name, {"name": self.name, "suite": self.suite, "address": self.address, "gateway": self.gateway,
                                       "disk": self.disk_kind, "keep": self._keep, "owner": state.process_identity(os.getpid()),
                                       "supervisor": self._supervisor, "image": str(self.image.directory),
                                       "lower": [str(path) for path in self.lower]})

    def destroy(self):
        """Removes the host without a trace. Harmless when it is gone already."""
        lifetime.unregister(self)
        if self.directory.exists() and hasattr(self, "address"):
            lifetime.remove(self.name, self._supervisor)
        if self._process:
            self._process.wait(timeout=10)

    # -- power

    def boot(self, timeout=120, wait_for_ssh=True):
        """Switches a host on that is off, and waits until its boot is over and a login over SSH works."""
        if self.is_running():
            raise HostError(f"{self.name} is running already")
        if any(str(self.directory / "disk/upper") in record["lower"] for record in map(state.read_record, state.names()) if record):
            raise HostError(f"{self.name} is the base of a running host, so it has to stay off")
        self._process = container.start(self)
        self._supervisor = state.process_identity(self._process.pid)
        self._write_record()
        self.wait_until_up(timeout, wait_for_ssh)

    def wait_until_up(self, timeout=120, wait_for_ssh=True):
        """Waits for the end of a boot that is under way. `system_state` is then what systemd says: running or degraded."""
        deadline = time.monotonic() + timeout

        def booted():
            if self._process and self._process.poll() is not None:
                raise HostError(f"{self.name} ended while booting; the last of its console:\n{self.console()[-2000:]}")
            pid = container.find_init(self.supervisor_pid())
            if not pid:
                return None
            said = container.enter(pid, ["systemctl", "is-system-running", "--wait"], capture_output=True, text=True,
                                   timeout=max(1, deadline - time.monotonic()))
            return said.stdout.strip() if said.stdout.strip() in ("running", "degraded") else None
        try:
            self.system_state = container.wait_until(booted, timeout, f"{self.name} to boot")
        except subprocess.TimeoutExpired:
            raise HostError(f"{self.name} did not finish its boot in {timeout} s; unfinished jobs:\n"
                            + self.run(["systemctl", "list-jobs", "--no-pager"], check=False).stdout) from None
        if not self.known_hosts.exists():
            self.known_hosts.write_text(f"{self.address} " + self.run(["cat", "/etc/ssh/ssh_host_ed25519_key.pub"]).stdout)
        if wait_for_ssh:
            self.wait_for_ssh(max(30, deadline - time.monotonic()))

    def wait_for_ssh(self, timeout=30, user=None):
        """Waits for a real login: OpenSSH 10 penalises addresses that connect and do not log in, fail2ban bans them."""
        user = user or self._login
        deadline, pause = time.monotonic() + timeout, 0.05
        while True:
            try:
                done = self.ssh("true", user=user, timeout=max(5, deadline - time.monotonic()))
                problem = done.stderr.strip() or f"exit {done.returncode}"
                if done.returncode == 0:
                    return
            except subprocess.TimeoutExpired:
                problem = "no answer"
            if time.monotonic() > deadline:
                raise HostError(f"no SSH login at {self.name} ({self.address}) in {timeout:.0f} s: {problem}")
            time.sleep(pause)
            pause = min(pause * 2, 2)

    def power_off(self):
        """Pulls the plug: every process is gone at once. What the machine had in its page cache survives; for the loss of
        unsynced data see snapshot_disk."""
        container.kill(self._supervisor)
        if self._process:
            self._process.wait(timeout=10)
            self._process = None

    def shut_down(self, timeout=120):
        """An orderly end (`systemctl poweroff`); boot() brings the host back."""
        supervisor = self._supervisor
        self.run(["systemctl", "poweroff", "--no-block"])
        container.wait_until(lambda: not state.identity_is_alive(supervisor), timeout, f"{self.name} to shut down")
        if self._process:
            self._process.wait(timeout=10)
            self._process = None

    def as_base(self):
        """Shuts the host down; returns what Host(on=...) starts from, for as long as this host is not destroyed."""
        if self.disk_kind != "directory":
            raise HostError("a host with an image for a disk can't be a base")
        self.shut_down()
        return prepared.Base(self.image, [self.directory / "disk/upper", *self.lower], self.directory / "disk/docker")

    def reboot(self, timeout=120):
        """An orderly reboot; returns when the host is up again."""
        before = self.pid
        self.run(["systemctl", "reboot", "--no-block"])
        container.wait_until(lambda: state.process_identity(before) is None, timeout, f"{self.name} to go down")
        self.wait_until_up(timeout)

    def is_running(self):
        return self._supervisor is not None and state.identity_is_alive(self._supervisor)

    def supervisor_pid(self):
        """The process whose mount namespace holds the host's disk."""
        if not self.is_running():
            raise HostError(f"{self.name} is off")
        return int(self._supervisor.split("/")[1])

    @property
    def pid(self):
        """The host's init, as a pid of this machine."""
        pid = container.find_init(self.supervisor_pid())
        if pid is None:
            raise HostError(f"{self.name} has no init at this moment (is it booting?)")
        return pid

    # -- looking and touching

    def ssh_command(self, user="root", options=()):
        """The argument vector of an ssh client for this host, without a command; strict about the host key, nothing multiplexed."""
        command = ["ssh", "-F", "none", "-i", str(self.key)]
        for option in (*options, "BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none", "ControlMaster=no", "ControlPath=none",
                       f"UserKnownHostsFile={self.known_hosts}", "GlobalKnownHostsFile=/dev/null", "StrictHostKeyChecking=yes",
                       "ConnectTimeout=10", "LogLevel=ERROR"):
            command += ["-o", option]
        return [*command, f"{user}@{self.address}"]

    def ssh(self, command, user="root", check=False, input=None, timeout=120, options=()):
        """Runs a shell command over SSH; CompletedProcess with text output. Exit 255: ssh itself failed."""
        given = {"stdin": subprocess.DEVNULL} if input is None else {"input": input}
        done = subprocess.run([*self.ssh_command(user, options), command], capture_output=True, text=True, timeout=timeout, **given)
        return _checked(done, check, f"ssh {user}@{self.name} {command!r}")

    def run(self, argv, check=True, input=None, timeout=120, text=True):
        """Runs a program inside as root, past network and sshd; CompletedProcess with its output."""
        given = {"stdin": subprocess.DEVNULL} if input is None else {"input": input}
        done = container.enter(self.pid, [str(word) for word in argv], capture_output=True, text=text, timeout=timeout, **given)
        return _checked(done, check, f"{argv!r} on {self.name}")

    def read(self, path):
        """The bytes of a file."""
        return self.run(["cat", "--", path], text=False).stdout

    def write(self, path, content, mode=0o644):
        """Replaces a file's content in place (str or bytes); makes its directory."""
        data = content.encode() if isinstance(content, str) else content
        self.run(["sh", "-c", 'mkdir -p -- "$(dirname -- "$1")" && cat >"$1" && chmod "$2" -- "$1"', "sh", path, f"{mode:o}"], input=data, text=False)

    def exists(self, path):
        return self.run(["test", "-e", path], check=False).returncode == 0

    def journal(self, unit=None):
        """The text of the host's journal since its boot, of one unit or of all."""
        return self.run(["journalctl", "--boot", "--no-pager", *(["--unit", unit] if unit else [])]).stdout

    def console(self):
        """What the host printed on its console, over all its boots."""
        return (self.directory / "console.log").read_text(errors="replace")

    # -- network and disk

    def cut_network(self):
        """From now on every packet to and from the host is lost, without any error to either side."""
        mac = self.run(["cat", "/sys/class/net/host0/address"]).stdout.strip()
        network.cut(self.name, self.address, mac, self.run)

    def restore_network(self):
        network.restore(self.name, self.address, self.run)

    def snapshot_disk(self, path):
        """Copies the disk as it would be found after a power cut at this instant: unsynced data is not in the copy."""
        disk.snapshot(self, path)


@contextlib.contextmanager
def fleet(count, **options):
    """`count` hosts at once, each Host(**options), for the time of a with statement; booted a few at a time."""
    lifetime.guard()
    hosts = [Host(**options) for _ in range(count)]
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        try:
            list(pool.map(Host.start, hosts))
            yield hosts
        finally:
            list(pool.map(Host.destroy, hosts))


def _checked(done, check, what):
    if check and done.returncode != 0:
        def shown(output):
            return (output if isinstance(output, str) else output.decode(errors="replace")).strip()
        raise HostError(f"{what}: exit {done.returncode}\n{shown(done.stdout)}\n{shown(done.stderr)}".rstrip())
    return done


def ensure_key(path):
    """The key pair every test host accepts for root and debian; one per machine, never used for anything else."""
    with state.lock("key"):
        if not path.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "sentinel-test", "-f", str(path)], check=True)
