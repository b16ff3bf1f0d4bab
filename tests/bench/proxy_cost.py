#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a request through sentinel-proxy costs, in turn with nginx as a plain relay to the same upstream: CPU time of one worker on a
core of its own, by rounds that alternate. Prints a Markdown table of medians. Build the targets sentinel-proxy and proxy_load
first, and run it on an otherwise idle machine.

    tests/bench/proxy_cost.py [--rounds 5] [--requests 20000] [--streams 500]"""

import argparse
import hashlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SENTINEL_BUILD", ROOT / "build" / "release"))
PROXY = BUILD / "proxy" / "sentinel-proxy"
LOAD = BUILD / "tests" / "proxy" / "proxy_load"
LOAD_CORE, PROXY_CORE = "0", "1"
EVENTS = 51

NGINX = """worker_processes 1; daemon off; pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 20000; }}
http {{
  access_log {directory}/access.log; client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/f;
  uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s; client_max_body_size 32m; client_body_buffer_size 1m; keepalive_requests 1000000000;
  upstream u {{ server 127.0.0.1:{upstream}; keepalive 1000; keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{port};
    location / {{ proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }} }} }}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def pinned(core, argv, **options):
    return subprocess.Popen(["taskset", "-c", core, *map(str, argv)], **options)


class Peer:
    """A proxy under measurement: its process with its children, and its port."""

    def __init__(self, name, process, port):
        self.name, self.process, self.port = name, process, port
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def processes(self):
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        return [str(self.process.pid), *children]

    def cpu(self):
        """Seconds of CPU so far, to the nanosecond."""
        return sum(int(task.read_text().split()[0]) for pid in self.processes() for task in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9

    def memory(self):
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.processes()) * os.sysconf("SC_PAGE_SIZE")


def start_proxy(directory, upstream):
    keys = Path(directory) / "keys"
    keys.write_text(f"{hashlib.sha256(b'user-key-1').hexdigest()} user-1 user-1@example.com\n")
    port = free_port()
    environment = {"SENTINEL_HOST": "127.0.0.1", "SENTINEL_PORT": str(port), "SENTINEL_METRICS_PORT": "0", "SENTINEL_WORKERS": "1",
                   "SENTINEL_KEYS_FILE": str(keys), "OPENAI_API_URL": f"http://127.0.0.1:{upstream}/v1", "OPENAI_API_KEY": "k",
                   "SENTINEL_RATE_LIMIT": "1000000000"}
    log = open(Path(directory) / "proxy.log", "w", encoding="utf-8")
    return Peer("sentinel-proxy", pinned(PROXY_CORE, [PROXY], env=environment, stdout=log), port)


def start_nginx(directory, upstream):
    port = free_port()
    configuration = Path(directory) / "nginx.conf"
    configuration.write_text(NGINX.format(directory=directory, upstream=upstream, port=port))
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    return Peer("nginx", pinned(PROXY_CORE, [nginx, "-c", configuration], stderr=subprocess.DEVNULL), port)


def ask(port, clients, requests, size, form):
    result = subprocess.run(["taskset", "-c", LOAD_CORE, LOAD, "ask", *map(str, (port, clients, requests, size)), form], check=True,
                            capture_output=True, text=True)
    return json.loads(result.stdout)


def measure(peers, rounds, clients, requests, size, form, per):
    """Per peer: medians of CPU microseconds per unit, p50 and p99 to the first byte."""
    seen = {peer.name: [] for peer in peers}
    for peer in peers:
        ask(peer.port, clients, max(clients, requests // 10), size, form)
    for number in range(rounds):
        for peer in peers if number % 2 == 0 else reversed(peers):
            before = peer.cpu()
            answers = ask(peer.port, clients, requests, size, form)
            if answers["failed"]:
                raise SystemExit(f"{peer.name}: {answers['failed']} requests failed")
            seen[peer.name].append(((peer.cpu() - before) * 1e6 / (requests * per), answers["first_p50_ms"], answers["first_p99_ms"]))
    return {name: [statistics.median(column) for column in zip(*values)] for name, values in seen.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--streams", type=int, default=500)
    arguments = parser.parse_args()
    print("| load | proxy | CPU µs per request or event | of nginx's | first byte p50 ms | p99 ms |\n|---|---|---:|---:|---:|---:|")
    for title, answer, clients, requests, size, form, per in (
            ("whole, 1 KiB, 32 clients", 1261, 32, arguments.requests, 900, "whole", 1),
            ("whole, 1 KiB, 1 client", 1261, 1, arguments.requests // 4, 900, "whole", 1),
            ("whole, 100 KiB, 32 clients", 102_400, 32, arguments.requests // 4, 102_400, "whole", 1),
            (f"{arguments.streams} streams, an event of 200 B every 20 ms", 1261, arguments.streams, arguments.streams * 2, 900, "stream", EVENTS)):
        with tempfile.TemporaryDirectory(prefix="proxy-cost-") as directory:
            upstream = pinned(LOAD_CORE, [LOAD, "upstream", answer], stdout=subprocess.PIPE, text=True)
            port = int(upstream.stdout.readline())
            peers = [start_nginx(directory, port), start_proxy(directory, port)]
            try:
                result = measure(peers, arguments.rounds, clients, requests, size, form, per)
            finally:
                for process in [*(peer.process for peer in peers), upstream]:
                    process.terminate()
                    process.wait(timeout=60)
            for name, (cpu, median, worst) in result.items():
                print(f"| {title} | {name} | {cpu:.1f} | {cpu / result['nginx'][0]:.2f} | {median:.3f} | {worst:.3f} |", flush=True)
    print(f"\nload average {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
