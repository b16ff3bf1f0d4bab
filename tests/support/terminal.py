# SPDX-License-Identifier: Apache-2.0
"""A person's terminal: sentinelctl with a pseudo-terminal, and what then stands on the screen."""

import os
import pty
import re
import select
import subprocess
import time


class Terminal:
    """sentinelctl (or `argv`) with a pseudo-terminal as its three streams."""

    def __init__(self, operator, *arguments, environment=None, argv=None):
        self.master, slave = pty.openpty()
        variables = {**operator.environment(environment), "TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
        self.process = subprocess.Popen(argv or operator.command(*arguments), cwd=operator.directory, env=variables,
                                        stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.text = ""

    def read(self, timeout):
        ready, _, _ = select.select([self.master], [], [], timeout)
        if not ready:
            return False
        try:
            piece = os.read(self.master, 65536)
        except OSError:  # the other side has closed
            return False
        self.text += piece.decode("utf-8", "replace")
        return bool(piece)

    def expect(self, pattern, timeout=60):
        """Reads until the pattern stands in what came since the last expect."""
        end = time.monotonic() + timeout
        while not (found := re.search(pattern, self.text)):
            if time.monotonic() > end or (not self.read(1) and self.process.poll() is not None):
                raise AssertionError(f"{pattern!r} never came; the terminal shows:\n{self.text}")
        seen, self.text = self.text[:found.end()], self.text[found.end():]
        return seen

    def answer(self, text):
        os.write(self.master, (text + "\n").encode())

    def end(self, timeout=120):
        """Everything until the end, and the exit code."""
        end = time.monotonic() + timeout
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.2)
        while self.read(0.2):
            pass
        code = self.process.wait(timeout=max(end - time.monotonic(), 1))
        os.close(self.master)
        return code, self.text


def screen(text):
    """What stands on the terminal: knows newline, carriage return, "up" and "erase line", which is all we use."""
    rows, row = [""], 0
    for piece in re.findall(r"\x1b\[1A|\x1b\[2K|\x1b\[[0-9;]*m|\r|\n|[^\x1b\r\n]+|\x1b", text):
        if piece == "\x1b[1A":
            row -= 1
        elif piece == "\x1b[2K":
            rows[row] = ""
        elif piece == "\n":
            row += 1
            if row == len(rows):
                rows.append("")
        elif piece != "\r" and not piece.startswith("\x1b"):
            rows[row] += piece
    return rows
