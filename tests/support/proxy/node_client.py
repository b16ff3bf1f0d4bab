# SPDX-License-Identifier: Apache-2.0
"""The official OpenAI client for Node against a proxy: runs cases of tests/proxy/node/client.mjs."""

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path

from proxy import BUILD, KEY

NODE = Path(__file__).resolve().parents[2] / "proxy" / "node"


def installed():
    """The folder with the client in it. Tests that run at the same time share it: one installs, the others wait."""
    home = BUILD / "tests" / "proxy-client"
    home.mkdir(parents=True, exist_ok=True)
    complete = home / "complete"  # written last, so that a broken installation is none
    lock = (NODE / "package-lock.json").read_text()
    with (home / "lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        shutil.copy(NODE / "client.mjs", home / "new.mjs")
        (home / "new.mjs").rename(home / "client.mjs")
        if not complete.exists() or complete.read_text() != lock:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(NODE / name, home / name)
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=home, check=True, timeout=120)
            complete.write_text(lock)
    return home


def node_client(base_url, cases, environment=None):
    """The client's own report of each case, in their order."""
    home = installed()
    ended = subprocess.run(["node", "client.mjs", base_url, KEY, *cases], cwd=home, env={**os.environ, **(environment or {})}, capture_output=True,
                           text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return {report.pop("case"): report for report in map(json.loads, ended.stdout.splitlines())}
