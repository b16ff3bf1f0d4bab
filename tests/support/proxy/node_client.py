# SPDX-License-Identifier: Apache-2.0
"""The official OpenAI client for Node against a proxy: runs cases of tests/proxy/node/client.mjs."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from proxy import BUILD, KEY

NODE = Path(__file__).resolve().parents[2] / "proxy" / "node"


def node_client(base_url, cases, environment=None):
    """The client's own report of each case, in their order."""
    home = BUILD / "tests" / "proxy-client"
    home.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "client.mjs"):
        shutil.copy(NODE / name, home / name)
    if not (home / "node_modules" / "openai").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=home, check=True, timeout=120)
    ended = subprocess.run(["node", "client.mjs", base_url, KEY, *cases], cwd=home, env={**os.environ, **(environment or {})}, capture_output=True,
                           text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return {report.pop("case"): report for report in map(json.loads, ended.stdout.splitlines())}
