# SPDX-License-Identifier: Apache-2.0
"""What sentinel-proxy costs, in turn with Debian's nginx and HAProxy as plain relays to the same upstream: CPU time of one worker on
a core of its own by rounds that alternate, time to the first byte, and memory. Everything of the proxy is on: token cached, limits,
allow-list, usage, metrics, access log. Part of tools/bench."""

import hashlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

BUILD = Path(os.environ["SENTINEL_BUILD"])
PROXY = BUILD / "proxy" / "sentinel-proxy"
LOAD = BUILD / "tests" / "proxy" / "proxy_load"
LOAD_CORE, PROXY_CORE = "0", "1"
EVENTS = 51  # of a stream, [DONE] included
KEEP_ALIVE = 5  # seconds, where idle streams are watched
IDLE_STREAMS = 9_000

NGINX = """worker_processes 1; daemon off; pid {directory}/pid; error_log {directory}/error.log; worker_rlimit_nofile 20000;
events {{ worker_connections 20000; }}
http {{
  access_log {directory}/access.log; client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s; client_max_body_size 32m;
  client_body_buffer_size 1m; keepalive_requests 1000000000;
  upstream u {{ server 127.0.0.1:{upstream}; keepalive 1000; keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{port} backlog=4096;
    location / {{ proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
      proxy_read_timeout 600s; }} }} }}
"""

HAPROXY = """global
  maxconn 9500
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  http-reuse always
  option http-no-delay
frontend f
  bind 127.0.0.1:{port} backlog 4096
  default_backend b
backend b
  server u 127.0.0.1:{upstream} pool-max-conn 1000
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def pinned(core, argv, **options):
    return subprocess.Popen(["taskset", "-c", core, *map(str, argv)], **options)


class Peer:
    """A relay under measurement: its process with its children, and its port. Without a process: the upstream itself."""

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
        if self.process is None:
            return []
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False).stdout.split()
        return [str(self.process.pid), *children]

    def cpu(self):
        """Seconds of CPU so far, to the nanosecond."""
        return sum(int(task.read_text().split()[0]) for pid in self.processes() for task in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9

    def memory(self):
        """Bytes resident."""
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.processes()) * os.sysconf("SC_PAGE_SIZE")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=60)


def start_sentinel(directory, upstream, name="sentinel-proxy", **settings):
    keys = Path(directory) / "keys"
    keys.write_text(f"{hashlib.sha256(b'user-key-1').hexdigest()} user-1 user-1@example.com\n")
    port = free_port()
    environment = {"SENTINEL_HOST": "127.0.0.1", "SENTINEL_PORT": str(port), "SENTINEL_METRICS_PORT": "0", "SENTINEL_WORKERS": "1",
                   "SENTINEL_KEYS_FILE": str(keys), "OPENAI_API_URL": f"http://127.0.0.1:{upstream}/v1", "OPENAI_API_KEY": "k",
                   "SENTINEL_RATE_LIMIT": "1000000000", "SENTINEL_MODELS": "[m]", **settings}
    with open(Path(directory) / f"{name}.log", "w", encoding="utf-8") as log:
        return Peer(name, pinned(PROXY_CORE, [PROXY], env=environment, stdout=log, stderr=log), port)


def start_nginx(directory, upstream):
    port = free_port()
    configuration = Path(directory) / "nginx.conf"
    configuration.write_text(NGINX.format(directory=directory, upstream=upstream, port=port))
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    return Peer("nginx", pinned(PROXY_CORE, [nginx, "-c", configuration], stderr=subprocess.DEVNULL), port)


def start_haproxy(directory, upstream):
    port = free_port()
    configuration = Path(directory) / "haproxy.cfg"
    configuration.write_text(HAPROXY.format(upstream=upstream, port=port))
    return Peer("HAProxy", pinned(PROXY_CORE, ["/usr/sbin/haproxy", "-db", "-f", configuration], stderr=subprocess.DEVNULL), port)


@contextmanager
def upstream_of(size):
    process = pinned(LOAD_CORE, [LOAD, "upstream", size], stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(timeout=60)


@contextmanager
def redis():
    port = free_port()
    process = pinned(LOAD_CORE, ["/usr/bin/redis-server", "--port", port, "--save", "", "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL)
    try:
        Peer("redis", process, port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=60)


def ask(port, clients, requests, size, form):
    result = subprocess.run(["taskset", "-c", LOAD_CORE, LOAD, "ask", *map(str, (port, clients, requests, size)), form], check=True,
                            capture_output=True, text=True)
    answers = json.loads(result.stdout)
    if answers["failed"]:
        raise SystemExit(f"port {port}: {answers['failed']} requests failed")
    return answers


def measure(peers, rounds, clients, requests, size, form, per):
    """Per peer: medians of CPU microseconds per unit, p50 and p99 to the first byte in milliseconds."""
    seen = {peer.name: [] for peer in peers}
    for peer in peers:
        ask(peer.port, clients, max(clients, requests // 10), size, form)
    for number in range(rounds):
        for peer in peers if number % 2 == 0 else reversed(peers):
            before = peer.cpu()
            answers = ask(peer.port, clients, requests, size, form)
            seen[peer.name].append(((peer.cpu() - before) * 1e6 / (requests * per), answers["first_p50_ms"], answers["first_p99_ms"]))
    return {name: [statistics.median(column) for column in zip(*values)] for name, values in seen.items()}


def cost(rounds, requests=20_000, streams=500):
    """Prints a table; returns its rows as (load, relay, CPU, median, worst)."""
    rows = []
    print("| load | relay | CPU µs per request or event | of nginx's | first byte p50 ms | p99 ms | of nginx's |\n|---|---|---:|---:|---:|---:|---:|")
    for title, answer, clients, count, size, form, per in (
            ("whole, 1 KiB, 32 clients", 1261, 32, requests, 900, "whole", 1),
            ("whole, 1 KiB, 1 client", 1261, 1, requests // 4, 900, "whole", 1),
            ("whole, 100 KiB, 32 clients", 102_400, 32, requests // 4, 102_400, "whole", 1),
            (f"{streams} streams, an event of 200 B every 20 ms", 1261, streams, streams * 2, 900, "stream", EVENTS)):
        with tempfile.TemporaryDirectory(prefix="proxy-cost-") as directory, ExitStack() as ending:
            port = ending.enter_context(upstream_of(answer))
            peers = [start_nginx(directory, port), start_haproxy(directory, port), start_sentinel(directory, port)]
            if clients == 1:
                peers.insert(0, Peer("none", None, port))
            if size == 900 and clients == 32:
                shared = ending.enter_context(redis())
                peers.append(start_sentinel(directory, port, "sentinel-proxy, limits in Redis", REDIS_URL=f"redis://127.0.0.1:{shared}"))
            for peer in peers:
                ending.callback(peer.stop)
            for name, (cpu, median, worst) in (result := measure(peers, rounds, clients, count, size, form, per)).items():
                peer = result["nginx"]
                print(f"| {title} | {name} | {cpu:.1f} | {cpu / peer[0]:.2f} | {median:.3f} | {worst:.3f} | {worst / peer[2]:.2f} |", flush=True)
                rows.append((title, name, cpu, median, worst))
    return rows


def idle_streams(streams=IDLE_STREAMS, keep_alive=KEEP_ALIVE):
    """Memory each stream that says nothing adds, and when the keep-alive comments come. Returns what was held open of the proxy's streams."""
    print(f"\n| {streams} idle streams through | resident before MB | grown by, each, kB | failed |\n|---|---:|---:|---:|")
    heard = None
    for start in (start_nginx, start_haproxy, start_sentinel):
        with tempfile.TemporaryDirectory(prefix="proxy-idle-") as directory, upstream_of(1261) as port:
            settings = {"SENTINEL_KEEP_ALIVE_SECONDS": str(keep_alive)} if start is start_sentinel else {}
            peer = start(directory, port, **settings)
            try:
                ask(peer.port, 1, 20, 900, "whole")
                before = peer.memory()
                seconds = streams // 600 + keep_alive * 4
                holder = pinned(LOAD_CORE, [LOAD, "hold", peer.port, streams, seconds], stdout=subprocess.PIPE, text=True)
                if holder.stdout.readline().strip() != "open":
                    raise SystemExit(f"{peer.name}: not all streams were opened")
                time.sleep(keep_alive * 2)
                grown = peer.memory() - before
                held = json.loads(holder.communicate(timeout=120)[0])
                print(f"| {peer.name} | {before / 1e6:.1f} | {grown / streams / 1000:.1f} | {held['failed']} |", flush=True)
                heard = held if start is start_sentinel else heard
            finally:
                peer.stop()
    print(f"\nKeep-alive comments of these streams, {keep_alive} s after the last byte: {heard['heard']} silences, shortest percent up to "
          f"{heard['silence_p1_ms']:.0f} ms, median {heard['silence_p50_ms']:.0f} ms, 99 % within {heard['silence_p99_ms']:.0f} ms, longest "
          f"{heard['silence_longest_ms']:.0f} ms.")
    return heard


def first_answer(directory, upstream):
    """Milliseconds from the start of the program to its first 200."""
    port = free_port()
    keys = Path(directory) / "keys"
    request = b"GET /health/live HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n"
    environment = {"SENTINEL_HOST": "127.0.0.1", "SENTINEL_PORT": str(port), "SENTINEL_METRICS_PORT": "0", "SENTINEL_WORKERS": "1",
                   "SENTINEL_KEYS_FILE": str(keys), "OPENAI_API_URL": f"http://127.0.0.1:{upstream}/v1", "OPENAI_API_KEY": "k"}
    begun = time.monotonic()
    with subprocess.Popen([PROXY], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
                    client.sendall(request)
                    if client.recv(64).startswith(b"HTTP/1.1 200"):
                        taken = (time.monotonic() - begun) * 1000
                        process.terminate()
                        return taken
            except OSError:
                if time.monotonic() - begun > 10:
                    raise
                time.sleep(0.0005)


def start_and_memory(rounds, clients=500, settle=60):
    """Memory from the start until so many seconds after a burst, in bytes, and the milliseconds of the first answer; prints them, returns them."""
    with tempfile.TemporaryDirectory(prefix="proxy-memory-") as directory, upstream_of(102_400) as port:
        peer = start_sentinel(directory, port)
        try:
            idle = peer.memory()
            ask(peer.port, 1, 50, 900, "whole")
            warm = peer.memory()
            ask(peer.port, clients, clients * 20, 102_400, "whole")
            loaded = peer.memory()
            time.sleep(settle)
            after = peer.memory()
        finally:
            peer.stop()
        starts = statistics.median(first_answer(directory, port) for _ in range(rounds))
    print(f"\nResident: {idle / 1e6:.1f} MB at the start (bound 12), {warm / 1e6:.1f} MB after 50 requests, {loaded / 1e6:.1f} MB under {clients} clients with "
          f"bodies of 100 KiB, {after / 1e6:.1f} MB {settle} s later, {after / warm:.2f} of the 50 requests' (bound 1.10). From the start of the program to "
          f"its first 200: {starts:.0f} ms (bound 50).")
    return {"idle": idle, "warm": warm, "loaded": loaded, "after": after, "starts": starts}


def run(rounds):
    cost(rounds)
    idle_streams()
    start_and_memory(rounds)
    print(f"\nLoad at the end: {os.getloadavg()[0]:.2f}\n")
