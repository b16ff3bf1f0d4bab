#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds docs/reference/errors.yaml against the error codes in the sources: each code is documented, each page has a code.
And the exit codes of the one enum against docs/errors.md and the manual page."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE = r'"([a-z][a-z0-9]*\.[A-Za-z0-9]+(?:-[a-z0-9]+)*)"'
# A code is the first string given to a function that makes or reports an error, or is assigned to `code`.
MAKERS = r"(?:Error|error|error_at|add|bad|broken|fail|fail_at|malformed|unreachable|warn)"
CALL = re.compile(r"\b" + MAKERS + r"\s*[({]\s*(?:[\w:.&*>()\[\]\-]+\s*,\s*){0,3}" + CODE)
ASSIGNED = re.compile(r"\bcode\s*=\s*" + CODE)
RETURNED = re.compile(r"\breturn\s*\{?" + CODE + r"\s*,")
# Codes that are put together, and pages for whole families.
FAMILIES = {"system.E", "usage"}
COMPOSED = {"playbook.unknown-role": '"playbook.unknown-{}"', "playbook.unknown-stack": '"playbook.unknown-{}"'}


def sources():
    for folder in ("core", "cli", "agent", "proxy"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".cc", ".h"):
                yield path, path.read_text(encoding="utf-8")


def main():
    pages = re.findall(r"^([a-z][\w.-]*):$", (ROOT / "docs/reference/errors.yaml").read_text(encoding="utf-8"), re.M)
    problems = []
    if pages != sorted(pages):
        problems.append("docs/reference/errors.yaml is not sorted by code")
    everything = ""
    for path, text in sources():
        everything += text
        for pattern in (CALL, ASSIGNED, RETURNED):
            for code in pattern.findall(text):
                if code not in pages and code.split(".")[0] not in FAMILIES and not code.startswith("system.E"):
                    problems.append(f"{path.relative_to(ROOT)}: the code {code} has no page in docs/reference/errors.yaml")
    for page in pages:
        if page not in FAMILIES and COMPOSED.get(page, f'"{page}"') not in everything:
            problems.append(f"docs/reference/errors.yaml: nothing in the sources says {page}")
    enum = dict(re.findall(r"(k\w+) = (\d+),", (ROOT / "core/base/exit_code.h").read_text(encoding="utf-8")))
    for place, pattern, wanted in (("docs/errors.md", r"^\| (\d+) \|", set(enum.values())), ("cli/man_page.cc", r"\{ExitCode::(k\w+), \"", set(enum))):
        named = set(re.findall(pattern, (ROOT / place).read_text(encoding="utf-8"), re.M))
        if named != wanted:
            problems.append(f"{place}: its exit codes are not those of core/base/exit_code.h: {sorted(named ^ wanted)}")
    print("\n".join(sorted(set(problems))) or f"{len(pages)} pages, each with its code")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
