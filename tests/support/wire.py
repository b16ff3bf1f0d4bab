# SPDX-License-Identifier: Apache-2.0
"""The wire by hand (docs/formats/wire.md), for tests that speak to an agent as no honest sentinelctl would."""

import json
import select
import struct
import subprocess
import time

PREAMBLE = b"\0SNTL/1\n"
HELLO, NEED, PLAN, EVENTS, END, FAILED, ANSWER, ACCEPTED, RECORD, LOGS = range(1, 11)
INSTALL, REQUEST, SECRETS, CONTENT, BEGIN, ATTACH, CONFIRM, EXTEND, ABORT, ASK, GENERATION, AUDIT, READ_LOGS = range(16, 29)


def frame(kind, payload=b""):
    if not isinstance(payload, bytes):
        payload = json.dumps(payload).encode()
    return struct.pack(">IB", len(payload), kind) + payload


class AgentSession:
    """One `sentinel-agent serve` at the other end of an ssh command line."""

    def __init__(self, ssh_command, agent="/usr/local/bin/sentinel-agent", sudo=False):
        command = f"exec {'sudo -n ' if sudo else ''}{agent} serve"
        self.process = subprocess.Popen([*ssh_command, command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.buffer = b""
        self.expect_preamble()
        self.hello = json.loads(self.receive(HELLO))

    def expect_preamble(self):
        while PREAMBLE not in self.buffer:
            self.read_some(30)
        self.buffer = self.buffer.split(PREAMBLE, 1)[1]

    def read_some(self, timeout):
        ready, _, _ = select.select([self.process.stdout], [], [], timeout)
        if not ready:
            raise TimeoutError("the agent is silent")
        got = self.process.stdout.read1(65536)
        if not got:
            raise EOFError(self.process.stderr.read().decode(errors="replace"))
        self.buffer += got

    def send(self, kind, payload=b""):
        self.send_raw(frame(kind, payload))

    def send_raw(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def next(self, timeout=30):
        end = time.monotonic() + timeout
        while True:
            if len(self.buffer) >= 5:
                size, kind = struct.unpack(">IB", self.buffer[:5])
                if len(self.buffer) >= 5 + size:
                    payload, self.buffer = self.buffer[5:5 + size], self.buffer[5 + size:]
                    return kind, payload
            self.read_some(max(0.01, end - time.monotonic()))

    def receive(self, kind, timeout=30):
        got, payload = self.next(timeout)
        if got != kind:
            raise AssertionError(f"expected frame {kind}, got {got}: {payload[:400]!r}")
        return payload

    def error(self, timeout=30):
        return json.loads(self.receive(FAILED, timeout))

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
