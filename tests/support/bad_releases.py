# SPDX-License-Identifier: Apache-2.0
"""Releases that must not stay, of every kind: those that show it before a user meets them, as services and as containers, and
those that only real traffic shows. Some need a program of their own: a bundle made from the project's with that changed."""

import json
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging" / "proxy"))
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


def of_any_runtime(case, ended):
    """`ended`: how the runtime says that a program gave up."""
    return [
        ("ready-then-502", {"settings": {"OPENAI_API_URL": "http://127.0.0.1:9/v1"}}, "chat has 0 of 1 successes in a row, last: status 50"),
        ("broken-config", {"settings": {"SENTINEL_WORKERS": "many"}}, ended),
        ("never-ready", {"health": {"start": "3s", "ready": {"path": "/health/nowhere", "successes": 2}}}, "ready has 0 of 2 successes in a row, last: status 404"),
        ("missing-secret", {"templates": {"environment.j2": "OPENAI_API_URL=\n"}, "settings": {"OPENAI_API_URL": None}}, ended),
        ("slow", {"settings": case.upstream_at("slow")}, "chat has 0 of 1 successes in a row, last: the answer took longer"),
    ]


def shown_before_the_switch(case):
    """[(name, what the project is changed by, a word of the reason)]. `case`: a ReleaseCase that is prepared."""
    ended = "ended: exit-code"
    own_port = "SENTINEL_LISTEN=127.0.0.1:8000\nOPENAI_API_KEY={{ secrets.OPENAI_API_KEY | shell }}\n"
    return [
        *of_any_runtime(case, ended),
        ("crash", {"templates": {"environment.j2": own_port.replace("127.0.0.1:8000", "fd:nothing")}}, ended),
        # It serves until it ends, so its gate must stay closed that long, however slow the machine is.
        ("leaks", {"artifact": leaking_bundle(case.bundle, case.operator.home), "health": {"start": "60s", "ready": {"successes": 100, "interval": "1s"}}}, "it ended: "),
        ("port-in-use", {"templates": {"environment.j2": own_port}}, ended),
    ]


def shown_by_containers(case):
    """The same with the compose runtime. Caddy has the port; what leaks is the host's shell, up to the container's limit, or to its own where
    the engine has no memory controller (a test host with cgroup v2 on a machine with v1)."""
    ended = "it ended: status "
    limits = case.host.run(["docker", "info", "--format", "{{.MemoryLimit}}"]).stdout.strip() == "true"
    file = (ROOT / "templates" / "app" / "compose.yaml.j2").read_text()
    own_port = file.replace("network_mode: bridge", "network_mode: host").replace("unix:/run/release/api.sock", "127.0.0.1:8000")
    shell = "".join(f"      - /usr/{name}:/{name}:ro\n" for name in ("bin", "lib", "lib64"))
    leaks = file.replace("    volumes:\n", '    entrypoint: ["/bin/sh", "-c", "leak=leak; while :; do leak=$$leak$$leak; done"]\n    volumes:\n' + shell)
    leaks = leaks.replace("ulimits: {core: 0}", "ulimits: {core: 0, data: 268435456}")
    return [
        *of_any_runtime(case, ended),
        ("crash", {"templates": {"compose.yaml.j2": file.replace("unix:/run/release/api.sock", "fd:nothing")}}, ended),
        ("leaks", {"templates": {"compose.yaml.j2": leaks}, "variables": {"app": {"memory_max": "64M"}}}, "out of memory" if limits else ended),
        ("port-in-use", {"templates": {"compose.yaml.j2": own_port}}, ended),
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
