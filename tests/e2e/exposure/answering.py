#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Listens on the sockets of standard input (a JSON list of [protocol, address, port, v6_only]) and answers whatever comes. Prints
"ready" when all of them wait; ends when its input ends. Runs inside a test host, on its standard library alone."""

import json
import selectors
import socket
import sys

chosen = json.loads(sys.stdin.readline())
selector = selectors.DefaultSelector()
for protocol, address, port, v6_only in chosen:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    one = socket.socket(family, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(v6_only))
    one.bind((address, port))
    if protocol == "tcp":
        one.listen(64)
    selector.register(one, selectors.EVENT_READ, protocol)
selector.register(sys.stdin, selectors.EVENT_READ, "end")
print("ready", flush=True)
while True:
    for key, _ in selector.select():
        if key.data == "end":
            sys.exit(0)
        if key.data == "tcp":
            key.fileobj.accept()[0].close()
        else:
            data, sender = key.fileobj.recvfrom(64)
            try:
                key.fileobj.sendto(data, sender)
            except OSError:
                pass  # a packet filter may refuse the answer
