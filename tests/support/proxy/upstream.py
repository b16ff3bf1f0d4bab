# SPDX-License-Identifier: Apache-2.0
"""A scripted upstream: a plain-HTTP server whose every answer is a function the test gives. It can stall, break off, drip
and lie, because a script writes the raw bytes itself.

    upstream = Upstream()
    upstream.script = lambda exchange: exchange.send_json({"ok": True})

A script gets an Exchange: the request as it arrived, and send(bytes), wait(event), closed(). When it returns, the connection is
kept if exchange.keep is true, and closed otherwise."""

import json
import select
import socket
import ssl
import threading
import time


class Exchange:
    """One request and the connection it came on."""

    def __init__(self, connection, method, target, headers, body):
        self.connection = connection
        self.method = method
        self.target = target
        self.headers = headers  # list of (name in lower case, value)
        self.body = body
        self.keep = True

    def header(self, name):
        found = [value for key, value in self.headers if key == name]
        return found[0] if found else None

    def json(self):
        return json.loads(self.body)

    def send(self, data):
        self.connection.sendall(data)

    def head(self, status=200, content_type="application/json", length=None, chunked=False, extra=()):
        lines = [f"HTTP/1.1 {status} Scripted", f"Content-Type: {content_type}", *extra]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        if chunked:
            lines.append("Transfer-Encoding: chunked")
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode())

    def chunk(self, data):
        """One chunk of a chunked body; an empty one ends it."""
        self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def send_json(self, value, status=200, extra=()):
        body = json.dumps(value).encode()
        self.head(status, length=len(body), extra=extra)
        self.send(body)

    def stream(self, pieces):
        """A whole SSE answer, one chunk per piece."""
        self.head(content_type="text/event-stream", chunked=True)
        for piece in pieces:
            self.chunk(piece)
        self.chunk(b"")

    def closed(self, seconds=5):
        """Whether the other side closes within that time."""
        ready, _, _ = select.select([self.connection], [], [], seconds)
        if not ready:
            return False
        try:
            return self.connection.recv(1) == b""
        except OSError:
            return True


class Upstream:
    def __init__(self, tls=None, address="127.0.0.1"):
        """`tls`: (certificate, key), for https by the name localhost. `address`: where it listens."""
        self.listener = socket.create_server((address, 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.url = f"https://localhost:{self.port}/v1" if tls else f"http://{address}:{self.port}/v1"
        self.tls = None
        self.names = []  # the server names that clients asked for
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*tls)
            self.tls.set_alpn_protocols(["h2", "http/1.1"])
            self.tls.sni_callback = lambda connection, name, context: self.names.append(name)
        self.script = lambda exchange: exchange.send_json({"error": {"message": "no script"}}, status=500)
        self.exchanges = []
        self.connections = 0
        self.failures = []
        self.sockets = set()
        self.closing = False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        if self.closing:
            return
        self.closing = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in list(self.sockets):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def wait_for(self, count, seconds=10):
        """Waits until so many requests have arrived."""
        end = time.monotonic() + seconds
        while len(self.exchanges) < count:
            if time.monotonic() > end:
                raise AssertionError(f"only {len(self.exchanges)} of {count} requests reached the upstream")
            time.sleep(0.005)
        return self.exchanges[count - 1]

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self.sockets.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
        except OSError:  # a client that doesn't trust us
            connection.close()
            return
        reader = connection.makefile("rb")
        try:
            while True:
                line = reader.readline()
                if not line:
                    return
                method, target, _ = line.decode("latin-1").split(" ", 2)
                headers = []
                while (line := reader.readline()) not in (b"\r\n", b""):
                    name, value = line.decode("latin-1").split(":", 1)
                    headers.append((name.lower(), value.strip()))
                length = next((int(value) for name, value in headers if name == "content-length"), 0)
                exchange = Exchange(connection, method, target, headers, reader.read(length))
                self.exchanges.append(exchange)
                self.script(exchange)
                if not exchange.keep:
                    return
        except OSError:
            pass  # the proxy cut the connection: what the tests look at is what the proxy then did
        except Exception as failure:  # a script that fails must fail its test
            self.failures.append(failure)
        finally:
            self.sockets.discard(connection)
            reader.close()
            connection.close()
