# SPDX-License-Identifier: Apache-2.0
"""A real redis-server of the test's own on a free port, that can be killed, frozen, filled and started again; and a client
of a few lines."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time

from ports import free_port


class RedisServer:
    def __init__(self, *arguments):
        self.directory = tempfile.mkdtemp(prefix="sentinel-redis-")
        self.arguments = arguments
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.directory,
             *self.arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise AssertionError("redis-server did not start") from None
                time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def fill(self):
        """From now on every command that needs memory is refused."""
        self.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
        self.ask("CONFIG", "SET", "maxmemory", "1")

    def close(self):
        if self.process.poll() is None:
            self.thaw()
            self.kill()
        shutil.rmtree(self.directory)

    def ask(self, *words):
        """One command; the reply as str, int, list or None. An error of Redis is raised."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            out = f"*{len(words)}\r\n".encode()
            for word in words:
                data = str(word).encode()
                out += f"${len(data)}\r\n".encode() + data + b"\r\n"
            connection.sendall(out)
            with connection.makefile("rb") as reader:
                return self._reply(reader)

    def _reply(self, reader):
        line = reader.readline().decode().rstrip("\r\n")
        kind, rest = line[0], line[1:]
        if kind == "+":
            return rest
        if kind == "-":
            raise RuntimeError(rest)
        if kind == ":":
            return int(rest)
        if kind == "$":
            if int(rest) < 0:
                return None
            return reader.read(int(rest) + 2)[:-2].decode()
        return None if int(rest) < 0 else [self._reply(reader) for _ in range(int(rest))]
