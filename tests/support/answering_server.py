# SPDX-License-Identifier: Apache-2.0
"""A server that answers as a test wants, over TCP, TLS or a unix socket, and the probes that ask it."""

import socket
import threading

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready"
BAD = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


class Server:
    """Answers each connection with what `answer(number, connection, head)` returns or sends itself; ends with `with`."""

    def __init__(self, answer, family=socket.AF_INET, address=("127.0.0.1", 0), tls=None):
        self.answer = answer
        self.tls = tls
        self.heads = []
        self.ended = threading.Event()
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.bind(address)
        self.listener.listen()
        self.port = None if family == socket.AF_UNIX else self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        number = 0
        while not self.ended.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            number += 1
            threading.Thread(target=self.one, args=(number, connection), daemon=True).start()

    def one(self, number, connection):
        try:
            with connection:
                if self.tls:
                    with self.tls.wrap_socket(connection, server_side=True) as secured:
                        return self.talk(number, secured)
                self.talk(number, connection)
        except OSError:
            pass  # the client left, as it should

    def talk(self, number, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            got = connection.recv(65536)
            if not got:
                return
            head += got
        self.heads.append(head)
        said = self.answer(number, connection, head)
        if said:
            connection.sendall(said)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


def always(answer):
    return lambda number, connection, head: answer


def http_target(url, **more):
    return {"http": {"url": url, "socket": "", "method": "GET", "headers": {}, "body": "", "statuses": [], "contains": "", "ca_file": "", **more}}


def probe(name, target, kind="readiness", **more):
    return {"name": name, "kind": kind, "target": target, "interval_ms": 50, "timeout_ms": 500, "successes": 1, "failures": 3, **more}
