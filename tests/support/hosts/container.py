# SPDX-License-Identifier: Apache-2.0
"""One container as processes: starting it, finding its init, running commands in it, and what it leaves behind.

supervisor (supervise.sh) -> systemd-nspawn -> init of the host. Killing init is the host's power switch; the
supervisor's end takes all its mounts along.
"""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from . import network, state

SUPERVISE = Path(__file__).resolve().parent / "supervise.sh"
HIERARCHY = {"trixie": "unified"}  # systemd 257 refuses the older cgroup layouts
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}


def start(host):
    """Starts the supervisor of a host; returns its Popen. The caller waits for readiness."""
    home, name = host.directory, host.name
    command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", f"--directory={home / 'root'}", f"--machine={name}",
               f"--network-bridge={network.BRIDGE}", f"--bind-ro={host.image.repository}:/srv/repo", f"--bind={home / 'disk/docker'}:/var/lib/docker",
               "--capability=all", "--system-call-filter=@known", "--resolv-conf=off", "--timezone=off", "--link-journal=no",
               "--console=read-only", "--boot"]
    supervisor = ["unshare", "--mount", "--propagation=private", "--", str(SUPERVISE), str(home),
                  ":".join(map(str, host.lower)), HIERARCHY.get(host.suite, "machine"), name, *command]
    with open(home / "console.log", "ab") as console:
        process = subprocess.Popen(supervisor, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT,
                                   start_new_session=True, env=dict(os.environ, SYSTEMD_SECCOMP="0"))
    return process


def _children(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _is_init(pid):
    """True for a process that is number 1 of a pid namespace below ours and has started its own program."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        program = os.readlink(f"/proc/{pid}/exe")
    except (FileNotFoundError, ProcessLookupError):
        return False
    numbers = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:]
    return len(numbers) > 1 and numbers[-1] == "1" and program.endswith("/systemd")


def find_init(supervisor):
    """The pid of the host's init as this machine sees it, or None while there is none."""
    for nspawn in _children(supervisor):
        for child in _children(nspawn):
            if _is_init(child):
                return child
    return None


def enter(pid, argv, **options):
    """Runs `argv` in the host whose init is `pid`: works without its network and sshd."""
    assignments = [f"{key}={value}" for key, value in ENVIRONMENT.items()]
    return subprocess.run(["nsenter", "--target", str(pid), "--all", "--", "/usr/bin/env", "-i", *assignments, *argv], **options)


def kill(supervisor_identity):
    """Ends a host without notice, as pulling the plug does, and waits until its supervisor is gone."""
    if not state.identity_is_alive(supervisor_identity):
        return
    supervisor = int(supervisor_identity.split("/")[1])
    # Supervisor and nspawn first, else a reboot that is under way would bring the host back.
    doomed = [supervisor, *_children(supervisor)]
    doomed += [grandchild for nspawn in doomed[1:] for grandchild in _children(nspawn)]
    for pid in doomed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not state.identity_is_alive(supervisor_identity) and not any(state.process_identity(pid) for pid in doomed),
               10, "the processes of the host to end")


def _kill_members(trees):
    """Kills what runs in a host's cgroups: also a supervisor that was started and never recorded."""
    for tree in trees:
        for members in tree.rglob("cgroup.procs"):
            for pid in members.read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)


def wait_until(condition, seconds, what):
    """Polls `condition` with growing pauses until it holds; HostError after `seconds`."""
    deadline, pause = time.monotonic() + seconds, 0.01
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise state.HostError(f"waited {seconds} s in vain for {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)
    return value


def remove_cgroups(name):
    """Ends what still runs in the host's cgroups and removes them; the kernel needs a moment after the last process of one."""
    trees = [tree / f"sentinel-test-{name}" for tree in [Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").iterdir()] if tree.is_dir()]

    _kill_members(trees)

    def removed():
        for tree in trees:
            for directory, _, _ in os.walk(tree, topdown=False):
                try:
                    os.rmdir(directory)
                except OSError:
                    return False
        return True
    wait_until(removed, 10, f"the control groups of {name} to become empty")
