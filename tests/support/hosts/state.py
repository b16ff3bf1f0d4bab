# SPDX-License-Identifier: Apache-2.0
"""Where hosts keep their state on this machine, who owns them, and the lock around it.

One directory per host under CACHE/hosts. Its record names the owning process by pid, start time and boot, so the
leftovers of a run that was killed can be told from a host in use.
"""

import contextlib
import fcntl
import json
import os
import re
import secrets
import subprocess
from pathlib import Path

CACHE = Path(os.environ.get("SENTINEL_TEST_CACHE", "/var/cache/sentinel-test"))
HOSTS = CACHE / "hosts"
TRASH = CACHE / "trash"


class HostError(Exception):
    """A host, or this machine as the place of hosts, is not as a test needs it."""


def require_root():
    """Everything here mounts, makes interfaces and boots containers."""
    if os.geteuid() != 0:
        raise HostError("test hosts need root on this machine (mounts, a network bridge, systemd-nspawn)")


@contextlib.contextmanager
def lock(name, waiting=None):
    """Holds the machine-wide lock `name`; prints `waiting` when another process has it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                print(waiting, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def process_identity(pid):
    """A value that no other process ever has, or None when there is no such process (or only its remains)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else f"{boot}/{pid}/{fields[19]}"


def identity_is_alive(identity):
    return identity is not None and process_identity(identity.split("/")[1]) == identity


def check_name(name):
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,10}", name):
        raise HostError(f"host name '{name}': 1 to 11 of a-z, 0-9 and '-', starting with a letter (it names a network interface)")


def record_path(name):
    return HOSTS / name / "state.json"


def read_record(name):
    """The record of a host, or None when there is none (or its making was interrupted)."""
    try:
        # The cache may be shared with another version of this package, whose records have less in them.
        return {"image": "", "lower": [], **json.loads(record_path(name).read_text())}
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def write_record(name, record):
    temporary = record_path(name).with_suffix(".new")
    temporary.write_text(json.dumps(record, indent=1))
    temporary.rename(record_path(name))


def names():
    return sorted(path.name for path in HOSTS.glob("*") if path.is_dir())


def is_leftover(name):
    """True for a host whose owner died; one that was to stay is left over when it is off."""
    record = read_record(name)
    if record is None:
        return True
    stays = record["keep"] and record["supervisor"]
    return not identity_is_alive(record["supervisor"] if stays else record["owner"])


def remove_directory(name):
    """Takes a host's state away at once; a process that outlives us deletes the thousands of files, which can take seconds."""
    doomed = TRASH / f"{name}-{secrets.token_hex(4)}"
    TRASH.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        (HOSTS / name).rename(doomed)
    empty_trash()


def empty_trash():
    """Deletes in the background what lies in the trash, also what an interrupted deletion has left there."""
    paths = [str(path) for path in TRASH.glob("*")]
    if paths:
        subprocess.run(["setsid", "--fork", "nice", "rm", "-rf", "--", *paths], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
