#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sixty-four secrets of awkward shapes go to a host: each ends up in its file, and nowhere else."""

import base64
import json
import random
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from sentinel import Operator, bootstrapped, only  # noqa: E402

AWKWARD = ["'", '"', "\\", "$HOME", "`id`", "x$(id)", "%s%n", "{{ x }}", "{% if %}", "#", ";", "|", "&", "<tag>", "\t", "é✓", "line\nbreak", " lead", "trail ",
           "\x01\x7f", "-n", "--option", "../..", "null", "0x10", "!tag", "*a", "&b", "a: b", "- x", "{}", "[]"]


def make_secrets():
    seeded = random.Random(20261121)
    values = {}
    for index in range(64):
        mark = base64.b32encode(seeded.randbytes(15)).decode()
        values[f"PLANTED_{index:02}"] = AWKWARD[index % len(AWKWARD)] + mark + AWKWARD[(index * 7 + 3) % len(AWKWARD)]
    return values


class Secrets(unittest.TestCase):
    def test_no_planted_secret_appears_anywhere_but_in_its_file(self):
        values = make_secrets()
        marks = {name: value for name, value in values.items()}
        with bootstrapped() as host, Operator() as operator:
            operator.know(host)
            resources = []
            declared = {}
            environment = {}
            for index, name in enumerate(values):
                if index % 3 == 0:
                    declared[name] = {"env": "VALUE_OF_" + name}
                    environment["VALUE_OF_" + name] = values[name]
                elif index % 3 == 1:
                    path = operator.directory / f"{name}.secret"
                    path.write_text(values[name])
                    path.chmod(0o600)
                    declared[name] = {"file": path.name}
                else:
                    path = operator.directory / f"{name}.value"
                    path.write_text(values[name])
                    path.chmod(0o600)
                    declared[name] = {"command": ["cat", path.name]}
                resources.append({"file": {"path": f"/root/{name}", "mode": "0600", "content": "{{ secrets.%s | b64encode }}" % name}, "id": name})
            operator.own_stack("planted", resources)
            operator.project({"web-1": host}, {"deploy_user": "deploy"}, declared, stack="planted")
            host.run(["sh", "-c", "cat > /usr/local/bin/watch-processes; chmod 755 /usr/local/bin/watch-processes"],
                     input="#!/bin/sh\nwhile [ ! -e /run/enough ]; do cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; done > /run/seen\n")
            host.run(["systemctl", "start", "--no-block", "cron"], check=False)
            host.run(["sh", "-c", "setsid /usr/local/bin/watch-processes >/dev/null 2>&1 &"])
            said = []
            for arguments in (["validate"], ["render", "--out", "rendered"], ["plan"], ["plan", "--out", "saved.plan"],
                              ["apply", "--yes", "-v"], ["plan", "--json"], ["history"], ["status", "--json"]):
                done = operator.run(*arguments, environment=environment)
                said.append(done.stdout + done.stderr)
            # A failure's texts too: the file's directory is missing, after the holes were filled.
            operator.own_stack("planted", [*resources, {"file": {"path": "/no/such/directory/x", "content": "{{ secrets.PLANTED_00 | b64encode }}"}, "id": "bad"}])
            done = operator.run("apply", "--yes", "-v", exit=1, environment=environment)
            said.append(done.stdout + done.stderr)
            host.write("/run/enough", "")
            for name, value in values.items():
                self.assertEqual(base64.b64decode(host.read(f"/root/{name}")), value.encode(), name)
            where = {
                "what sentinelctl said": "\n".join(said).encode(),
                "the saved plan": (operator.directory / "saved.plan").read_bytes(),
                "rendered files": b"".join(path.read_bytes() for path in (operator.directory / "rendered").rglob("*") if path.is_file()),
                "sentinelctl's memory": b"".join(path.read_bytes() for path in (operator.directory / ".sentinel").rglob("*") if path.is_file()),
                "processes of the host": host.run(["cat", "/run/seen"], text=False).stdout,
                "journals and generations": host.run(["sh", "-c", "cat /var/lib/sentinel/journal/*/* /var/lib/sentinel/generations/* "
                                                      "/var/lib/sentinel/audit.log /var/lib/sentinel/lease"], text=False, check=False).stdout,
                "the system's journal": host.run(["journalctl", "--no-pager", "-o", "export"], text=False).stdout,
                "core files": host.run(["sh", "-c", "find / -xdev -name 'core*' -size +100k -type f -exec cat {} +"], text=False, check=False).stdout,
            }
            for place, text in where.items():
                self.assertTrue(text or place == "core files" or place == "sentinelctl's memory", f"{place} is empty: the search proves nothing")
                for name, value in marks.items():
                    for shape in (value.encode(), base64.b64encode(value.encode()), json.dumps(value)[1:-1].encode()):
                        self.assertNotIn(shape, text, f"{name} appears in {place}")

    def test_a_generated_secret_is_made_once_and_stays(self):
        with bootstrapped() as host, Operator() as operator:
            operator.know(host)
            operator.own_stack("made", [{"file": {"path": "/root/made", "mode": "0600", "content": "{{ secrets.MADE }}"}, "id": "made"}])
            operator.project({"web-1": host}, {"deploy_user": "deploy"}, {"MADE": {"generate": "hex", "bytes": 32}}, stack="made")
            operator.run("apply", "--yes", exit=0)
            value = host.read("/root/made").decode()
            self.assertRegex(value, r"^[0-9a-f]{64}$")
            self.assertEqual(only(operator.json("apply", "--yes", exit=0))["outcome"], "unchanged")
            self.assertEqual(host.read("/root/made").decode(), value)
            self.assertEqual(host.run(["stat", "-c", "%a %U", "/var/lib/sentinel/secrets/MADE"]).stdout.strip(), "600 root")


if __name__ == "__main__":
    unittest.main()
