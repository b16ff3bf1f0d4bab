#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Quoted values read back on real hosts by what they are quoted for: systemd of three releases, fail2ban, Caddy.

A value must come back as it was, or be refused by the filter; tests/table/quote does the same for sh, YAML and INI.
"""

import json
import os
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "table" / "quote")]

from awkward_values import values  # noqa: E402
from hosts import Host  # noqa: E402
from quoted import quoted  # noqa: E402

ORACLE = Path(os.environ.get("SENTINEL_BUILD", HERE.parents[1] / "build" / "dev")) / "tests" / "table" / "quote_oracle"
RANDOM = 5000 if os.environ.get("SENTINEL_CAMPAIGN") else 400

FAIL2BAN_READER = """
import json, sys
from fail2ban.client.configparserinc import SafeConfigParserWithIncludes
parser = SafeConfigParserWithIncludes()
parser.read("/run/values.conf")
json.dump([parser.get("DEFAULT", "k%d" % index) for index in range(int(sys.argv[1]))], sys.stdout)
"""

BODY_READER = """
import http.client, json, sys
connection = http.client.HTTPConnection("127.0.0.1", 8123, timeout=10)
out = []
for index in range(int(sys.argv[1])):
    connection.request("GET", "/%d" % index)
    out.append(connection.getresponse().read().hex())
json.dump(out, sys.stdout)
"""


class Quoting(unittest.TestCase):
    def written(self, filter_name, most_refused):
        """(value, quoted) of all values the filter takes; it may refuse only a part of them."""
        every = list(values(RANDOM, 1))
        pairs = [(value, word) for value, word in zip(every, quoted(ORACLE, filter_name, every)) if word is not None]
        self.assertGreaterEqual(len(pairs), (1 - most_refused) * len(every))
        return pairs

    def compare(self, pairs, back):
        self.assertEqual(len(back), len(pairs))
        wrong = [(value, word, got) for (value, word), got in zip(pairs, back) if got != value]
        self.assertEqual(wrong, [])

    def put(self, host, path, content):
        host.run(["sh", "-c", f"cat > {path}"], input=content, text=False)

    def check_systemd(self, suite):
        words = self.written("systemd", 0.05)
        arguments = self.written("systemd_exec", 0.05)
        with Host(suite) as host:
            environment = b"".join(b"Environment=V%d=%b\n" % (index, word) for index, (_, word) in enumerate(words))
            unit = b"[Service]\nType=oneshot\n" + environment + b"ExecStart=/bin/cp /proc/self/environ /run/environment\n"
            unit += b"ExecStart=/usr/bin/printf '%%s\\\\0' " + b" ".join(word for _, word in arguments) + b"\nStandardOutput=file:/run/arguments\n"
            self.put(host, "/etc/systemd/system/values.service", unit)
            host.run(["systemctl", "daemon-reload"])
            host.run(["systemctl", "start", "values.service"])
            got = dict(entry.split(b"=", 1) for entry in host.run(["cat", "/run/environment"], text=False).stdout.split(b"\0") if entry)
            self.compare(words, [got.get(b"V%d" % index) for index in range(len(words))])
            printed = host.run(["cat", "/run/arguments"], text=False).stdout.split(b"\0")
            self.compare(arguments, printed[:len(arguments)])

    def test_systemd_of_debian_11(self):
        self.check_systemd("bullseye")

    def test_systemd_of_debian_12(self):
        self.check_systemd("bookworm")

    def test_systemd_of_debian_13(self):
        self.check_systemd("trixie")

    def test_fail2ban_and_caddy(self):
        with Host("bookworm") as host:
            host.run(["sh", "-c", "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "
                      "fail2ban caddy && systemctl stop caddy fail2ban"], timeout=300)
            pairs = self.written("ini", 0.75)
            content = b"[DEFAULT]\n" + b"".join(b"k%d = %b\n" % (index, word) for index, (_, word) in enumerate(pairs))
            self.put(host, "/run/values.conf", content)
            done = host.run(["python3", "-c", FAIL2BAN_READER, str(len(pairs))])
            self.compare(pairs, [value.encode() for value in json.loads(done.stdout)])

            # As bodies Caddy answers with: past its lexer, its adapter and its placeholders.
            pairs = self.written("caddy", 0.2)
            routes = b"".join(b"\thandle /%d {\n\t\trespond * %b 200\n\t}\n" % (index, word) for index, (_, word) in enumerate(pairs))
            self.put(host, "/etc/caddy/Caddyfile", b"{\n\tadmin off\n}\nhttp://127.0.0.1:8123 {\n" + routes + b"}\n")
            host.run(["systemctl", "start", "caddy"])
            done = host.run(["python3", "-c", BODY_READER, str(len(pairs))])
            self.compare(pairs, [bytes.fromhex(body) for body in json.loads(done.stdout)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
