#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tries doors from where it runs: standard input is a JSON list of [protocol, source, destination, port], standard output a JSON
list of booleans in that order: something answered. All at once; a door that says nothing for a second is shut."""

import concurrent.futures
import json
import socket
import sys

SILENCE = 1.0


def answers(door):
    protocol, source, destination, port = door
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM) as one:
        one.settimeout(SILENCE)
        one.bind((source, 0))
        try:
            one.connect((destination, port))
            if protocol == "udp":
                one.send(b"anybody?")
                one.recv(64)
            return True
        except OSError:
            return False


doors = json.load(sys.stdin)
with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, len(doors))) as pool:
    json.dump(list(pool.map(answers, doors)), sys.stdout)
