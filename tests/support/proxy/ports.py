# SPDX-License-Identifier: Apache-2.0
"""A port for a server that has to be told one. None of those that the kernel gives to connections and to port 0: until its server
listens, or while it is down, one of the many connections of other tests would take it."""

import random
import socket


def free_port():
    while True:
        port = random.randrange(15_000, 32_000)  # below ip_local_port_range (ip(7))
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
