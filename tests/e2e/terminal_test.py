#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A person at a terminal: questions, answers, Ctrl-C, passwords, and a display that leaves no rubbish behind."""

import signal
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from hosts import Host  # noqa: E402
from sentinel import Operator, bootstrapped, only  # noqa: E402
from terminal import Terminal, screen  # noqa: E402

MOTD = [{"file": {"path": "/etc/motd", "content": "from the terminal\n"}, "id": "motd"}]
PASSWORD = "correct horse battery staple"


class AtATerminal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host(suite="bookworm").start()
        cls.addClassCleanup(cls.host.destroy)

    def setUp(self):
        self.operator = Operator()
        self.addCleanup(self.operator.close)
        self.operator.own_stack("one", MOTD)
        self.host.write("/etc/motd", "as it was\n")

    def project(self, user="root"):
        self.operator.project({"web-1": self.host}, stack="one")
        text = (self.operator.directory / "sentinel.yaml").read_text()
        (self.operator.directory / "sentinel.yaml").write_text(text.replace('"user": "root"', f'"user": "{user}"'))

    def motd(self):
        return self.host.read("/etc/motd").decode()

    def test_no_changes_nothing(self):
        self.operator.know(self.host)
        self.project()
        terminal = Terminal(self.operator, "apply")
        terminal.expect(r"Go on\? \[yes/no\] ")
        terminal.answer("perhaps")
        terminal.expect(r"Go on\? \[yes/no\] ")
        terminal.answer("no")
        code, text = terminal.end()
        self.assertEqual(code, 0)
        self.assertIn("Nothing was changed", text)
        self.assertEqual(self.motd(), "as it was\n")

    def test_yes_goes_on_and_each_host_keeps_one_line(self):
        self.operator.know(self.host)
        self.project()
        terminal = Terminal(self.operator, "apply")
        before = terminal.expect(r"Go on\? \[yes/no\] ")
        self.assertIn("+from the terminal", before)
        terminal.answer("yes")
        code, text = terminal.end()
        self.assertEqual(code, 0, text)
        self.assertEqual(self.motd(), "from the terminal\n")
        lines = [line for line in screen(text) if "web-1" in line]
        self.assertEqual(len(lines), 2, lines)  # the display's line, and the result
        self.assertRegex(lines[0], r"✓ web-1 +changed \(1 step\)")
        self.assertNotRegex(before + text, r"\x1b\[3\dm", "NO_COLOR is set")

    def test_colours_are_there_unless_unwanted(self):
        self.operator.know(self.host)
        self.project()
        coloured = Terminal(self.operator, "plan", environment={"NO_COLOR": ""})
        self.assertRegex(coloured.end()[1], r"\x1b\[32m")
        plain = Terminal(self.operator, "plan", "--no-color", environment={"NO_COLOR": ""})
        self.assertNotRegex(plain.end()[1], r"\x1b\[3\dm")

    def test_ctrl_c_at_the_question_changes_nothing(self):
        self.operator.know(self.host)
        self.project()
        terminal = Terminal(self.operator, "apply")
        terminal.expect(r"Go on\? \[yes/no\] ")
        terminal.process.send_signal(signal.SIGINT)
        code, _ = terminal.end(timeout=20)
        self.assertEqual(code, 130)
        self.assertEqual(self.motd(), "as it was\n")

    def test_a_question_left_open_does_not_lose_the_connection(self):
        self.operator.know(self.host)
        self.host.run(["sh", "-c", "printf 'ClientAliveInterval 1\\nClientAliveCountMax 2\\n' > /etc/ssh/sshd_config.d/10-impatient.conf; systemctl reload ssh"])
        self.addCleanup(self.host.run, ["sh", "-c", "rm /etc/ssh/sshd_config.d/10-impatient.conf; systemctl reload ssh"])
        self.project()
        terminal = Terminal(self.operator, "apply")
        terminal.expect(r"Go on\? \[yes/no\] ")
        thinking = time.monotonic() + 6
        while time.monotonic() < thinking:
            terminal.read(0.5)
        terminal.answer("yes")
        code, text = terminal.end()
        self.assertEqual(code, 0, text)
        self.assertEqual(self.motd(), "from the terminal\n")

    def test_an_unknown_host_is_asked_about_and_remembered(self):
        self.project()
        fingerprint = self.host.run(["ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub"]).stdout.split()[1]
        terminal = Terminal(self.operator, "plan")
        seen = terminal.expect(r"Is that right\?.*\[yes/no\] ")
        self.assertIn(fingerprint, seen)
        terminal.answer("no")
        code, _ = terminal.end()
        self.assertEqual(code, 8)
        terminal = Terminal(self.operator, "plan")
        terminal.expect(r"Is that right\?.*\[yes/no\] ")
        terminal.answer("yes")
        code, text = terminal.end()
        self.assertEqual(code, 3, text)
        self.assertIn(self.host.address, (self.operator.home / ".ssh" / "known_hosts").read_text())
        code, text = Terminal(self.operator, "plan").end()
        self.assertEqual(code, 3, text)

    def test_an_unknown_host_is_refused_without_a_terminal(self):
        self.project()
        refused = self.operator.run("plan", exit=8)
        self.assertIn("ssh.host-key-unknown", refused.stderr)
        self.operator.run("plan", "--accept-new-host-key", exit=3)
        self.operator.run("plan", exit=3)

    def test_sudo_gets_its_password_and_nobody_else(self):
        self.host.run(["sh", "-c", f"id keeper || useradd --create-home --shell /bin/bash keeper; echo 'keeper:{PASSWORD}' | chpasswd; "
                       "echo 'keeper ALL=(ALL) ALL' > /etc/sudoers.d/keeper; install -d -m 700 -o keeper /home/keeper/.ssh; "
                       "install -m 600 -o keeper /root/.ssh/authorized_keys /home/keeper/.ssh/"])
        self.operator.know(self.host)
        self.project(user="keeper")
        without = self.operator.run("plan", exit=8)
        self.assertIn("--ask-sudo-password", without.stderr)
        wrong = Terminal(self.operator, "plan", "--ask-sudo-password")
        wrong.expect("sudo password")
        wrong.answer("not it")
        code, text = wrong.end()
        self.assertEqual(code, 8, text)
        self.assertIn("agent.sudo", text)
        right = Terminal(self.operator, "apply", "--ask-sudo-password", "--yes")
        right.expect("sudo password")
        right.answer(PASSWORD)
        code, text = right.end()
        self.assertEqual(code, 0, text)
        self.assertNotIn(PASSWORD, text)
        self.assertEqual(self.motd(), "from the terminal\n")
        found = self.host.run(["sh", "-c", f"grep -rslF '{PASSWORD}' /var/lib/sentinel /var/log /run/log /etc /tmp /home"], check=False)
        self.assertEqual(found.stdout, "")


class SudoWithAPassword(unittest.TestCase):
    def test_deploy_sudo_password_is_confirmed_with_the_password_and_reverted_without(self):
        with bootstrapped() as host, Operator() as operator:
            operator.know(host)
            host.run(["chpasswd"], input=f"deploy:{PASSWORD}\n")
            operator.project({"web-1": host}, {"deploy_sudo": "password"})
            reverted = only(operator.json("apply", "--yes", "--confirm-timeout", "8", exit=1))
            self.assertEqual(reverted["outcome"], "reverted")
            self.assertEqual(host.ssh("sudo -n /usr/local/bin/sentinel-agent version", user="deploy").returncode, 0)
            terminal = Terminal(operator, "apply", "--yes", "--ask-sudo-password")
            terminal.expect("sudo password")
            terminal.answer(PASSWORD)
            code, text = terminal.end()
            self.assertEqual(code, 0, text)
            self.assertEqual(host.ssh("sudo -n /usr/local/bin/sentinel-agent version", user="deploy").returncode, 1)
            again = Terminal(operator, "apply", "--ask-sudo-password")
            again.expect("sudo password")
            again.answer(PASSWORD)
            code, text = again.end()
            self.assertEqual(code, 0, text)
            self.assertIn("unchanged", text)


class Streams(unittest.TestCase):
    def test_data_and_talk_keep_apart(self):
        with Host(suite="bookworm") as host, Operator() as operator:
            operator.know(host)
            operator.own_stack("one", MOTD)
            operator.project({"web-1": host}, stack="one")
            refused = operator.run("apply", exit=2)
            self.assertIn("console.not-interactive", refused.stderr)
            self.assertEqual(refused.stdout, "")
            dry = only(operator.json("apply", "--dry-run", exit=3))
            self.assertEqual(dry["status"], "changes")
            streamed = operator.run("apply", "--yes", "--events", exit=0).stdout.splitlines()
            self.assertIn('"hosts"', streamed[-1])
            self.assertTrue(all('"type"' in line for line in streamed[:-1]))
            rotated = operator.run("secrets", "rotate", "NOTHING", exit=2)
            self.assertIn("secret.unknown", rotated.stderr)


if __name__ == "__main__":
    unittest.main()
