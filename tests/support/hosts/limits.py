# SPDX-License-Identifier: Apache-2.0
"""A limit of this machine that a dozen systemds exceed: inotify instances per user. Raised for the first host, put back after the last.

Call under state.lock("hosts").
"""

from pathlib import Path

from . import state

INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
ENOUGH = 8192


def _former():
    return state.CACHE / "former-max-user-instances"


def raise_for_hosts():
    value = INSTANCES.read_text().strip()
    if int(value) < ENOUGH:
        _former().write_text(value)
        INSTANCES.write_text(str(ENOUGH))


def put_back():
    if _former().exists():
        INSTANCES.write_text(_former().read_text())
        _former().unlink()
