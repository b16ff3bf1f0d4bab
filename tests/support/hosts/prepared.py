# SPDX-License-Identifier: Apache-2.0
"""Hosts that start from where another one ended, so that a test need not pay for what is not its subject.

A base is the disk of a host that is off, used read-only below the disks of any number of new hosts. It comes from
Host.as_base() and lives as long as that host, or from prepared(), which keeps it in the cache for other programs.
"""

import hashlib
import re
import shutil
import time
from pathlib import Path

from . import state

KEEP_UNUSED_SECONDS = 24 * 3600


class Base:
    """What a new host stands on: `lower` are the directories of its overlay, topmost first; `docker` is copied."""

    def __init__(self, image, lower, docker):
        self.suite = image.suite
        self.image = image
        self.lower = lower
        self.docker = docker


def _digest(image, inputs):
    digest = hashlib.sha256(str(image.directory).encode())
    for item in inputs:
        paths = sorted(path for path in item.rglob("*") if path.is_file()) if isinstance(item, Path) and item.is_dir() else [item]
        for path in paths:
            content = path.read_bytes() if isinstance(path, Path) else str(path).encode()
            digest.update(f"\n{path.name if isinstance(path, Path) else ''} {hashlib.sha256(content).hexdigest()}".encode())
    return digest.hexdigest()[:16]


def prepared(family, host, inputs, build):
    """The Base named by `family` and the content of `inputs` (files, folders, strings); made when it is not in the cache.

    Making it boots `host` (a Host that was not started), calls build(host), and shuts it down. Programs that ask for the
    same one at the same time wait for the first. What nobody has used for a day makes room."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", family):
        raise state.HostError(f"family of prepared hosts '{family}': a-z, 0-9 and '-'")
    image = host.image
    directory = state.CACHE / "prepared" / f"{family}-{host.suite}-{_digest(image, inputs)}"
    if not directory.exists():
        with state.lock(f"prepared-{family}-{host.suite}", waiting=f"another process prepares {family} on {host.suite}; waiting"):
            if not directory.exists():
                _remove_unused(f"{family}-{host.suite}-*")
                with host:
                    build(host)
                    host.shut_down()
                    directory.parent.mkdir(parents=True, exist_ok=True)
                    (host.directory / "disk").rename(directory)
    (directory / "work").touch()  # when it was last used
    return Base(image, [directory / "upper", image.root], directory / "docker")


def _remove_unused(pattern):
    for path in (state.CACHE / "prepared").glob(pattern):
        used = {lower for record in map(state.read_record, state.names()) if record for lower in record["lower"]}
        if str(path / "upper") not in used and time.time() - (path / "work").stat().st_mtime > KEEP_UNUSED_SECONDS:
            shutil.rmtree(path)
