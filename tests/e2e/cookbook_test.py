#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The README's five lines and the cookbook, as printed: every command is typed at a terminal in the order of the page, on a
host that was bare before, and every piece of configuration is one that `validate` accepts."""

import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from hosts import Host  # noqa: E402
from sentinel import ROOT, SENTINELCTL, Operator, wait_until  # noqa: E402
from terminal import Terminal  # noqa: E402

# What each section supposes; everything else that stands on the page is typed as it is.
BY_HAND = {"What changed by hand?": "echo '# by hand' >> /etc/caddy/Caddyfile", "Plan now, apply later": "chmod 600 /etc/docker/daemon.json",
           "An audit, and what it leads to": "systemctl disable --now caddy.service"}


def blocks(page):
    """(section, lines) of every indented block of a page."""
    section, block = "", []
    for line in [*(ROOT / page).read_text().splitlines(), "# end"]:
        if line.startswith("    "):
            block.append(line[4:])
        elif line or not block:
            if block:
                yield section, block
            block = []
            section = line.lstrip("# ") if line.startswith("#") else section
        else:
            block.append("")


class Cookbook(unittest.TestCase):
    def setUp(self):
        self.operator = Operator()
        self.addCleanup(self.operator.close)

    def type(self, line):
        """One line of the page in a shell at a terminal; questions are answered with yes."""
        environment = {"PATH": f"{SENTINELCTL.parent}:/usr/bin:/bin"}
        terminal = Terminal(self.operator, environment=environment, argv=["bash", "-ec", line])
        if re.match(r"sentinelctl (apply|bootstrap|rollback)(?!.*--yes)", line):
            question = r"Go on\? \[yes/no\] "
            wait_until(lambda: (terminal.read(0.5), terminal.process.poll() is not None or re.search(question, terminal.text))[1], 120, line)
            if terminal.process.poll() is None:
                terminal.answer("yes")
        code, text = terminal.end(timeout=400)
        # What a plan or an audit found is a code of its own.
        found = (3,) if line.startswith("sentinelctl plan") else (4, 11) if line.startswith("sentinelctl check") else ()
        self.assertIn(code, (0, *found), f"{line}: exit {code}\n{text}")
        return text

    def test_the_commands(self):
        with Host("bookworm") as host:
            self.operator.know(host)
            for section, block in blocks("docs/cookbook.md"):
                commands = [line.split(" #")[0].strip() for line in block if line.startswith("sentinelctl ")]
                if section in BY_HAND:
                    host.run(["sh", "-c", BY_HAND[section]])
                for command in commands:
                    with self.subTest(command):
                        self.type(command)
                    if " init " in command:
                        self.operator.directory = self.operator.directory / "my-project"
                        project = self.operator.directory / "sentinel.yaml"
                        project.write_text(project.read_text().replace("203.0.113.10", host.address)
                                           .replace("# identity: ~/.ssh/id_ed25519", f"identity: {host.key}"))
            # The last thing that was typed took the host back to what it was before the first.
            self.assertEqual(host.ssh("true", user="root").returncode, 0)
            self.assertEqual(host.run(["getent", "passwd", "deploy"], check=False).stdout, "")
            self.assertEqual(host.run(["sh", "-c", "dpkg -l caddy redis-server fail2ban 2>/dev/null | grep -c ^ii"], check=False).stdout, "0\n")
            for section, block in blocks("docs/cookbook.md"):
                for line in block:
                    if line.startswith("sentinel-agent "):
                        self.assertEqual(host.run(line.split(" #")[0].split(), check=False).returncode, 0, line)

    def test_the_pieces_of_configuration(self):
        """Each piece in a project of its own, with the files and variables it names."""
        count = 0
        for section, block in blocks("docs/cookbook.md"):
            if not re.match(r"(secrets|vars|hosts|waivers):", block[0]):
                continue
            count += 1
            with self.subTest(section):
                text = "\n".join(block)
                hosts = "" if "hosts:" in text else "hosts: {prod-1: {address: 203.0.113.10}}\n"
                for name in re.findall(r"\b(?:secrets|keys)/[\w.]+", text):
                    (self.operator.directory / name).parent.mkdir(exist_ok=True)
                    (self.operator.directory / name).write_text("-----BEGIN X-----\nAAAA\n-----END X-----\n")
                (self.operator.directory / "sentinel.yaml").write_text(f"version: 1\nproject: sentinel\n{hosts}{text}\n")
                self.operator.run("validate", exit=0)
        self.assertGreaterEqual(count, 4)


if __name__ == "__main__":
    unittest.main()
