# SPDX-License-Identifier: Apache-2.0
"""Releases that must not stay, of every kind, for the systemd runtime: those that show it before a user meets them, and those
that only real traffic shows. Some need a program of their own: a bundle made from the project's with that changed."""

import json
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "packaging" / "proxy"))
from archive import digest, tar  # noqa: E402

# A process whose memory grows until its limit ends it. What serves is its child, so the limit takes that along. Two variables
# of systemd name a process, and the child is another one.
LEAKS = """#!/bin/sh
sh -c 'export LISTEN_PID=$$ WATCHDOG_PID=$$; exec "$@"' sh "${{0%/*}}/served" "$@" &
{wait}
leak=leak
while :; do leak=$leak$leak; done
"""
MEMORY = "LimitDATA=256M\nNotifyAccess=all\n"
GO = "/etc/sentinel-go-bad"  # a release that turns bad under traffic does so when this file is there


def leaking_bundle(bundle, folder, wait=":"):
    """The bundle with a program that leaks, once `wait` has ended."""
    with tarfile.open(bundle) as archive:
        files = {each.name: (archive.extractfile(each).read(), each.mode) for each in archive.getmembers() if each.isfile()}
    manifest = json.loads(files.pop("manifest.json")[0])
    files["bin/served"] = files["bin/sentinel-proxy"]
    files["bin/sentinel-proxy"] = (LEAKS.format(wait=wait).encode(), 0o755)
    unit = "templates/release.service.j2"
    files[unit] = (files[unit][0].replace(b"[Service]\n", b"[Service]\n" + MEMORY.encode()), files[unit][1])
    manifest["files"] = {name: {"sha256": digest(data), "size": len(data), "mode": f"{mode:04o}"} for name, (data, mode) in sorted(files.items())}
    files["manifest.json"] = (json.dumps(manifest).encode(), 0o644)
    path = Path(folder) / f"leaks-{len(wait)}.tar"
    path.write_bytes(tar(files))
    return path


def shown_before_the_switch(case):
    """[(name, what the project is changed by, a word of the reason)]. `case`: a ReleaseCase that is prepared."""
    own_port = "SENTINEL_LISTEN=127.0.0.1:8000\nOPENAI_API_KEY={{ secrets.OPENAI_API_KEY | shell }}\n"
    return [
        ("ready-then-502", {"settings": {"OPENAI_API_URL": "http://127.0.0.1:9/v1"}}, "chat has 0 of 1 successes in a row, last: status 502"),
        ("broken-config", {"settings": {"SENTINEL_WORKERS": "many"}}, "ended: exit-code"),
        ("never-ready", {"health": {"start": "2s", "ready": {"path": "/health/nowhere", "successes": 2}}}, "ready has 0 of 2 successes in a row, last: status 404"),
        ("crash", {"environment_template": own_port.replace("127.0.0.1:8000", "fd:nothing")}, "ended: exit-code"),
        ("missing-secret", {"environment_template": "OPENAI_API_URL=\n", "settings": {"OPENAI_API_URL": None}}, "ended: exit-code"),
        ("slow", {"settings": case.upstream_at("slow")}, "chat has 0 of 1 successes in a row, last: the answer took longer"),
        ("leaks", {"artifact": leaking_bundle(case.bundle, case.operator.home)}, "it ended: "),
        ("port-in-use", {"environment_template": own_port}, "ended: exit-code"),
    ]


def shown_by_traffic(case):
    """[(name, what the project is changed by, what happens to it once it has the traffic, a word of the reason)]."""
    go = ["touch", GO]
    leaks = leaking_bundle(case.bundle, case.operator.home, f"until [ -e {GO} ]; do sleep 0.1; done")
    return [
        ("fails-users", {"settings": case.upstream_at("fails-users")}, ["true"], "requests failed"),
        ("leaks-later", {"artifact": leaks}, go, "ended while it had the traffic"),
        ("killed", {}, ["systemctl", "kill", "--signal=KILL", "sentinel-killed.service"], "ended while it had the traffic"),
        ("restarted", {}, ["systemctl", "restart", "--no-block", "sentinel-restarted.service"], "was started anew"),
        ("hangs", {}, ["systemctl", "kill", "--signal=STOP", "sentinel-hangs.service"], "not healthy any more"),
    ]
