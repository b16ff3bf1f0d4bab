#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden tests: each case is one text file that holds a command, the files it finds, and what it must print.

    # why this case is here
    $ sentinelctl validate
    exit 2
    env NAME=VALUE          (optional, repeated)
    bytes NAME HEX          (optional: a file that is not text)
    size NAME BYTES         (optional: a file of so many zero bytes)
    memory BYTES            (optional: the program gets no more for its data than this)
    -- sentinel.yaml --
    ...
    -- stdout --
    ...
    -- stderr --
    ...

Sections but stdout and stderr are files of the directory the command runs in; a missing stdout or stderr section means
that nothing may be printed there. `<DIR>` in the expected text stands for that directory. SENTINEL_ACCEPT=1 writes what
was printed into the cases, and fails: an accepted case has not passed.
"""

import argparse
import difflib
import os
import pathlib
import re
import resource
import shlex
import subprocess
import sys
import tempfile

SECTION = re.compile(r"^-- (\S+) --$")
TIMEOUT = 60


class Case:
    def __init__(self, path):
        self.path = path
        self.header = []
        self.files = {}
        self.expected = {"stdout": "", "stderr": ""}
        self.command = None
        self.exit = 0
        self.environment = {}
        self.made = []
        self.memory = resource.RLIM_INFINITY
        self.parse(path.read_text(encoding="utf-8"))

    def parse(self, text):
        name, lines = None, []
        for line in text.splitlines(keepends=True):
            found = SECTION.match(line.rstrip("\n"))
            if found:
                self.keep(name, lines)
                name, lines = found.group(1), []
            else:
                lines.append(line)
        self.keep(name, lines)
        for line in self.header:
            self.parse_header(line.rstrip("\n"))
        if self.command is None:
            raise SystemExit(f"{self.path}: no '$ command' line")

    def keep(self, name, lines):
        if name is None:
            self.header = lines
        elif name in self.expected:
            self.expected[name] = "".join(lines)
        else:
            self.files[name] = "".join(lines)

    def parse_header(self, line):
        word, _, rest = line.partition(" ")
        if word == "$":
            self.command = shlex.split(rest)
        elif word == "exit":
            self.exit = int(rest)
        elif word == "env":
            key, _, value = rest.partition("=")
            self.environment[key] = value
        elif word in ("bytes", "size"):
            name, _, value = rest.partition(" ")
            self.made.append((word, name, value))
        elif word == "memory":
            self.memory = int(rest)
        elif line and not line.startswith("#"):
            raise SystemExit(f"{self.path}: unknown line {line!r}")

    def lay_out(self, directory):
        for name, text in self.files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for kind, name, value in self.made:
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind == "bytes":
                path.write_bytes(bytes.fromhex(value))
            else:
                with open(path, "wb") as file:
                    file.truncate(int(value))

    def limit_memory(self):
        resource.setrlimit(resource.RLIMIT_DATA, (self.memory, self.memory))

    def run(self, programs):
        with tempfile.TemporaryDirectory(prefix="sentinel-golden-") as name:
            directory = pathlib.Path(name) / "project"
            directory.mkdir()
            self.lay_out(directory)
            folders = [str(pathlib.Path(program[0]).resolve().parent) for program in programs.values()]
            environment = {"PATH": ":".join([*folders, "/usr/bin", "/bin"]), "HOME": name, "LC_ALL": "C.UTF-8", **self.environment}
            command = programs.get(self.command[0], [self.command[0]]) + self.command[1:]
            result = subprocess.run(command, cwd=directory, env=environment, stdin=subprocess.DEVNULL,
                                    capture_output=True, timeout=TIMEOUT, check=False, preexec_fn=self.limit_memory)
            shown = {}
            for stream in ("stdout", "stderr"):
                text = getattr(result, stream).decode("utf-8", "backslashreplace")
                shown[stream] = text.replace(str(directory), "<DIR>").replace(name, "<HOME>")
            return result.returncode, shown

    def text_with(self, code, shown):
        lines = [f"exit {code}\n" if line.startswith("exit ") else line for line in self.header]
        if code != 0 and not any(line.startswith("exit ") for line in lines):
            lines.append(f"exit {code}\n")
        text = "".join(lines)
        for name, content in self.files.items():
            text += f"-- {name} --\n{content}"
        for stream in ("stdout", "stderr"):
            if shown[stream]:
                text += f"-- {stream} --\n{shown[stream]}"
        return text


def difference(case, code, shown):
    out = ""
    if code != case.exit:
        out += f"  exit status {code}, expected {case.exit}\n"
    for stream in ("stdout", "stderr"):
        if shown[stream] != case.expected[stream]:
            out += "".join("  " + line for line in difflib.unified_diff(
                case.expected[stream].splitlines(keepends=True), shown[stream].splitlines(keepends=True),
                f"{stream} expected", f"{stream} printed"))
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--at-least", type=int, default=1, help="fail when fewer cases are found")
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("cases", nargs="*", help="names of cases; all without")
    arguments = parser.parse_args()
    programs = {name: shlex.split(path) for name, _, path in (entry.partition("=") for entry in arguments.program)}
    accept = os.environ.get("SENTINEL_ACCEPT") == "1"
    paths = sorted(arguments.directory.glob("*.txt"))
    if arguments.cases:
        paths = [path for path in paths if path.stem in arguments.cases]
    failed, accepted = 0, 0
    for path in paths:
        case = Case(path)
        code, shown = case.run(programs)
        problems = difference(case, code, shown)
        if problems and accept:
            path.write_text(case.text_with(code, shown), encoding="utf-8")
            accepted += 1
        elif problems:
            failed += 1
            print(f"FAILED {path.stem}\n{problems}")
    print(f"{len(paths)} cases, {failed} failed, {accepted} accepted")
    enough = len(paths) >= (1 if arguments.cases else arguments.at_least)
    if not enough:
        print(f"expected at least {arguments.at_least} cases")
    return 0 if enough and not failed and not accepted else 1


if __name__ == "__main__":
    sys.exit(main())
