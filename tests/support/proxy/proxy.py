# SPDX-License-Identifier: Apache-2.0
"""The real sentinel-proxy as a child process on free ports, and a raw client that sees every byte."""

import hashlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("SENTINEL_BUILD", ROOT / "build" / "dev"))
PROXY = BUILD / "proxy" / "sentinel-proxy"
KEY = "user-key-1"
UPSTREAM_KEY = "upstream-key-that-nobody-may-see"


# Becomes the program with the given descriptors as 3, 4, …, as the service manager hands over sockets.
ACTIVATE = """
import fcntl, os, sys
names, numbers, program = sys.argv[1], sys.argv[2].split(","), sys.argv[3]
kept = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 100) for number in numbers]
for place, descriptor in enumerate(kept, 3):
    os.dup2(descriptor, place, inheritable=True)
    os.close(descriptor)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(kept)), LISTEN_FDNAMES=names)
os.execv(program, [program])
"""


def port_of(address):
    """None for a unix socket."""
    return None if address.startswith("unix:") else int(address.rsplit(":", 1)[1])


class Proxy:
    """Starts with the given settings; `with` ends it with SIGTERM and looks at its exit code. `inherited`: name -> listening
    socket that it gets as a service manager would hand it over."""

    def __init__(self, upstream_url, inherited=None, config=None, **settings):
        self.directory = tempfile.TemporaryDirectory(prefix="sentinel-proxy-")
        keys = Path(self.directory.name) / "keys"
        keys.write_text("".join(f"{hashlib.sha256(key.encode()).hexdigest()} {name} {name}@example.com\n"
                                for key, name in ((KEY, "user-1"), ("user-key-2", "user-2"))))
        environment = {"SENTINEL_HOST": "127.0.0.1", "SENTINEL_PORT": "0", "SENTINEL_METRICS_PORT": "0", "SENTINEL_WORKERS": "2",
                       "SENTINEL_KEYS_FILE": str(keys), "OPENAI_API_URL": upstream_url, "OPENAI_API_KEY": UPSTREAM_KEY,
                       "SENTINEL_DRAIN_SECONDS": "10", **{name: str(value) for name, value in settings.items()}}
        environment = {name: value for name, value in environment.items() if value}  # an empty setting is left out
        command = [PROXY, *(["--config", config] if config else [])]
        descriptors = [listener.fileno() for listener in (inherited or {}).values()]
        if inherited:
            command = [sys.executable, "-c", ACTIVATE, ":".join(inherited), ",".join(map(str, descriptors)), PROXY]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=descriptors)
        self.expected = 0
        self.lines = []
        self.news = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.port = port_of(self.event("listening", purpose="api")["address"])
        self.operator_port = port_of(self.event("listening", purpose="operator")["address"])

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.decode(errors="replace"))
            self.news.put(None)
        self.news.put(None)

    def event(self, name, seconds=10, after=0, **fields):
        """Waits for a log line of that event with those fields, behind the first `after` lines."""
        end = time.monotonic() + seconds
        seen = after
        while True:
            while seen < len(self.lines):
                line = self.lines[seen]
                seen += 1
                try:
                    record = json.loads(line)
                except ValueError as failure:
                    raise AssertionError(f"not a line of JSON: {line!r}") from failure
                if record["event"] == name and all(record.get(key) == value for key, value in fields.items()):
                    return record
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError(f"no event {name} {fields} in: {''.join(self.lines)}")
            try:
                self.news.get(timeout=left)
            except queue.Empty:
                pass

    def metrics(self):
        """Series -> value, as scraped."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.operator_port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line and not line.startswith("#")}

    def client(self):
        return Client(self.port)

    def operator(self):
        """A client of the operator's port."""
        return Client(self.operator_port)

    def memory(self):
        """Resident bytes of the process."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def refuses(self, seconds=10):
        """Waits until new connections are refused."""
        end = time.monotonic() + seconds
        while True:
            try:
                self.client().socket.close()
            except ConnectionRefusedError:
                return
            if time.monotonic() > end:
                raise AssertionError("connections are still accepted")

    def at(self, path):
        """A client of one of its unix sockets."""
        return Client(str(path))

    def until(self, condition, what, seconds=10):
        """Waits until something outside is as it should be."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {what}\n{''.join(self.lines)}")
            time.sleep(0.01)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.expected = -signal.SIGKILL

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def close(self):
        if self.process.stdout.closed:
            return
        if self.process.poll() is None:
            self.terminate()
        try:
            code = self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.reader.join(timeout=5)
            self.process.stdout.close()
            self.directory.cleanup()
        assert code == self.expected, f"sentinel-proxy ended with {code}:\n{''.join(self.lines)}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # name in lower case -> value
        self.body = body

    def json(self):
        return json.loads(self.body)


class Client:
    """One connection, byte by byte."""

    def __init__(self, where):
        """`where`: a port, or the path of a unix socket."""
        if isinstance(where, str):
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.settimeout(15)
            self.socket.connect(where)
        else:
            self.socket = socket.create_connection(("127.0.0.1", where), timeout=15)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def request(self, method="POST", path="/v1/chat/completions", body=b"", key=KEY, headers=()):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: proxy", f"Content-Length: {len(body)}", *headers]
        if key is not None:
            lines.append(f"Authorization: Bearer {key}")
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode() + body)

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError(f"closed after {self.buffer!r}")
        self.buffer += data

    def read_until(self, mark):
        while mark not in self.buffer:
            self._more()
        found, self.buffer = self.buffer.split(mark, 1)
        return found + mark

    def read_exactly(self, count):
        while len(self.buffer) < count:
            self._more()
        found, self.buffer = self.buffer[:count], self.buffer[count:]
        return found

    def read_head(self):
        lines = self.read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in lines[1:] if line}
        return int(lines[0].split(" ")[1]), headers

    def read_chunk(self):
        """One chunk's bytes; empty for the last."""
        size = int(self.read_until(b"\r\n"), 16)
        data = self.read_exactly(size)
        assert self.read_exactly(2) == b"\r\n"
        return data

    def answer(self):
        status, headers = self.read_head()
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while chunk := self.read_chunk():
                body += chunk
        else:
            body = self.read_exactly(int(headers.get("content-length", 0)))
        return Answer(status, headers, body)

    def ask(self, *arguments, **named):
        self.request(*arguments, **named)
        return self.answer()

    def at_end(self):
        """Whether the proxy closes the connection now."""
        try:
            return self.buffer == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
