#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The test hosts themselves: every release boots and behaves like the real thing, and nothing of it stays behind."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock
from pathlib import Path

SUPPORT = Path(__file__).resolve().parents[1] / "support"
sys.path.insert(0, str(SUPPORT))

from hosts import Host, HostError, Relay, clean, container, fleet, network, prepared, relay, state  # noqa: E402

SYSTEMD = {"bullseye": "247", "bookworm": "252", "trixie": "257"}
SSHD = {"bullseye": "OpenSSH_8.4", "bookworm": "OpenSSH_9.2", "trixie": "OpenSSH_10.0"}
INSTALL = "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "


def traces(name):
    """What of a host is left on this machine, by name of the thing."""
    with state.lock("hosts"):
        # os.walk passes over groups that vanish while it reads; Path.glob raises.
        found = [group for group, _, _ in os.walk("/sys/fs/cgroup") if Path(group).name == f"sentinel-test-{name}"]
        found += [str(path) for path in state.CACHE.glob(f"trash/{name}-*")]
        found += [f"host {name}"] if name in state.names() else []
        found += [f"link {network.port(name)}"] if network.ip("link", "show", network.port(name), check=False).returncode == 0 else []
        found += [line for line in subprocess.run(["losetup", "--all"], capture_output=True, text=True).stdout.splitlines() if f"/{name}/" in line]
        found += [line for line in Path("/proc/mounts").read_text().splitlines() if f"/{name}/" in line]
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = process.read_text().split("\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            found += [f"process {process.parent.name}"] if f"--machine={name}" in command else []
        if not state.names() and network.ip("link", "show", network.BRIDGE, check=False).returncode == 0:
            found.append(f"bridge {network.BRIDGE} without a host")
    return found


class Case(unittest.TestCase):
    def assert_no_trace(self, name):
        try:
            container.wait_until(lambda: not traces(name), 60, "the last traces to vanish")
        except HostError:
            self.assertEqual(traces(name), [])


class EveryRelease(Case):
    def check_release(self, suite):
        with Host(suite) as host:
            self.assertEqual(host.system_state, "running", host.run(["systemctl", "--failed", "--no-pager"]).stdout)
            version = host.ssh("systemctl --version | head -1", check=True).stdout
            self.assertIn(f"systemd {SYSTEMD[suite]}", version)
            self.assertIn(SSHD[suite], host.ssh("ssh -V 2>&1", check=True).stdout)
            self.assertEqual(host.ssh("sudo id -u", user="debian", check=True).stdout, "0\n")
            self.assertEqual(host.run(["sh", "-c", "command -v python3"], check=False).stdout, "")
            self.assertIn("hosts: files myhostname dns", host.read("/etc/nsswitch.conf").decode())
            self.assertIn("passwordauthentication yes", host.run(["sshd", "-T"]).stdout)

            host.ssh(INSTALL + "ufw", check=True)
            host.run(["ufw", "allow", "22/tcp"])
            host.run(["ufw", "--force", "enable"])
            self.assertIn("Status: active", host.ssh("ufw status", check=True).stdout)
            host.reboot()
            self.assertIn("Status: active", host.ssh("ufw status", check=True).stdout)
            name = host.name
        self.assert_no_trace(name)

    def test_debian_11_boots_is_logged_in_to_and_keeps_a_firewall_over_a_reboot(self):
        self.check_release("bullseye")

    def test_debian_12_boots_is_logged_in_to_and_keeps_a_firewall_over_a_reboot(self):
        self.check_release("bookworm")

    def test_debian_13_boots_is_logged_in_to_and_keeps_a_firewall_over_a_reboot(self):
        self.check_release("trixie")


class Docker(Case):
    def check_docker(self, suite):
        with Host(suite) as host:
            host.ssh(INSTALL + "docker.io docker-cli" if suite == "trixie" else INSTALL + "docker.io", check=True, timeout=300)
            self.assertEqual(host.ssh("docker info --format '{{.Driver}}'", check=True).stdout, "overlay2\n")
            archive = subprocess.run(["tar", "-C", "/usr/bin", "-c", "busybox"], check=True, stdout=subprocess.PIPE).stdout
            host.run(["docker", "import", "-", "tiny"], input=archive, text=False)
            host.ssh("docker run -d --name web -p 8080:80 tiny /busybox httpd -f -p 80", check=True)
            self.assertEqual(host.ssh("docker exec web /busybox echo inside", check=True).stdout, "inside\n")
            with socket.create_connection((host.address, 8080), timeout=10) as published:
                published.sendall(b"GET / HTTP/1.0\r\n\r\n")
                self.assertTrue(published.recv(100).startswith(b"HTTP/1."))
            name = host.name
        self.assert_no_trace(name)

    def test_docker_runs_a_container_and_publishes_a_port_on_debian_12(self):
        self.check_docker("bookworm")

    def test_docker_runs_a_container_and_publishes_a_port_on_debian_13(self):
        self.check_docker("trixie")


class Network(Case):
    def test_a_cut_network_loses_packets_in_silence_until_it_is_restored(self):
        with Host() as host:
            host.cut_network()
            began = time.monotonic()
            with self.assertRaises(TimeoutError):
                # Longer than the three seconds after which a failed ARP would have said "no route to host".
                socket.create_connection((host.address, 22), timeout=4)
            self.assertGreaterEqual(time.monotonic() - began, 4)
            self.assertEqual(host.run(["cat", "/sys/class/net/host0/carrier"]).stdout, "1\n")
            host.restore_network()
            self.assertEqual(host.ssh("echo back", check=True).stdout, "back\n")

    def test_two_hosts_reach_each_other(self):
        with Host("bookworm") as first, Host("trixie") as second:
            self.assertNotEqual(first.address, second.address)
            self.assertNotEqual(first.known_hosts.read_text().split()[2], second.known_hosts.read_text().split()[2])
            first.write("/root/key", Path(first.key).read_bytes(), mode=0o600)
            command = f"ssh -i /root/key -o StrictHostKeyChecking=accept-new root@{second.address} hostname"
            self.assertEqual(first.ssh(command, check=True).stdout.strip(), second.name)

    def test_hosts_that_come_and_go_leave_the_address_of_the_bridge(self):
        """Else the packets of all other hosts are lost, until they have asked for the new one."""
        with Host():
            def address():
                return network.ip("-brief", "link", "show", network.BRIDGE).stdout.split()[2]
            before = address()
            network.ip("link", "add", "lowest", "address", "02:00:00:00:00:01", "type", "veth", "peer", "name", "lowest-end")
            try:
                network.ip("link", "set", "lowest", "master", network.BRIDGE, "up")
                self.assertEqual(address(), before)
            finally:
                network.ip("link", "delete", "lowest")
            self.assertEqual(address(), before)

    def test_a_fleet_boots_at_once_and_goes_at_once(self):
        with fleet(4) as hosts:
            self.assertEqual(len({host.address for host in hosts}), 4)
            self.assertEqual([host.ssh("hostname", check=True).stdout.strip() for host in hosts], [host.name for host in hosts])
        for host in hosts:
            self.assert_no_trace(host.name)


class Power(Case):
    def test_a_host_whose_plug_was_pulled_boots_again_from_its_disk(self):
        with Host() as host:
            host.write("/etc/marker", "kept")
            host.power_off()
            self.assertFalse(host.is_running())
            with self.assertRaises(HostError):
                host.run(["true"])
            host.boot()
            self.assertEqual(host.read("/etc/marker"), b"kept")
            host.shut_down()
            host.boot()
            self.assertEqual(host.read("/etc/marker"), b"kept")

    def test_a_reboot_asked_for_inside_comes_up_by_itself(self):
        with Host() as host:
            before = host.pid
            host.ssh("systemctl reboot --no-block")
            container.wait_until(lambda: state.process_identity(before) is None, 30, "the host to go down")
            host.wait_until_up()
            self.assertNotEqual(host.pid, before)

    def test_a_power_cut_loses_what_was_not_synced_and_keeps_what_was(self):
        with tempfile.TemporaryDirectory() as folder, Host(disk="image") as host:
            names, lost = [host.name], False
            host.run(["sh", "-c", "mkdir /etc/cut && cd /etc/cut && sync . /etc && echo synced >kept && sync kept ."])
            # Whoever else shuts a system down on this machine syncs every disk, this one too: then it is tried again.
            for _ in range(5):
                host.run(["sh", "-c", "cd /etc/cut && rm -f lost && sync . && echo unsynced >lost"])
                host.snapshot_disk(Path(folder) / "disk.img")
                self.assertEqual(host.read("/etc/cut/lost"), b"unsynced\n")
                with Host(from_disk=Path(folder) / "disk.img") as copy:
                    self.assertEqual(copy.system_state, "running")
                    self.assertEqual(copy.read("/etc/cut/kept"), b"synced\n")
                    self.assertNotEqual(copy.address, host.address)
                    names.append(copy.name)
                    lost = not (copy.exists("/etc/cut/lost") and copy.read("/etc/cut/lost"))
                if lost:
                    break
            self.assertTrue(lost)
        for name in names:
            self.assert_no_trace(name)

    def test_a_copy_taken_in_the_middle_of_writing_is_a_disk_that_boots(self):
        with tempfile.TemporaryDirectory() as folder, Host(disk="image") as host:
            writer = host.ssh_command() + ["i=0; while :; do i=$((i+1)); echo $i >/etc/n.new; sync /etc/n.new; mv /etc/n.new /etc/n; sync /etc; echo $i; done"]
            writing = subprocess.Popen(writer, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            try:
                for line in writing.stdout:
                    if int(line) == 50:
                        break
                host.snapshot_disk(Path(folder) / "disk.img")
                written = int(host.read("/etc/n"))
            finally:
                writing.kill()
                writing.communicate()
            with Host(from_disk=Path(folder) / "disk.img") as copy:
                self.assertTrue(50 <= int(copy.read("/etc/n")) <= written + 1, copy.read("/etc/n"))


class Bases(Case):
    def test_several_hosts_start_from_where_another_ended_and_do_not_touch_it(self):
        with Host() as origin:
            origin.write("/etc/origin", "1")
            base = origin.as_base()
            with Host(on=base) as first, Host(on=base, disk="image") as second:
                first.write("/etc/own", "2")
                self.assertEqual((first.read("/etc/origin"), second.read("/etc/origin")), (b"1", b"1"))
                self.assertFalse(second.exists("/etc/own"))
                with self.assertRaisesRegex(HostError, "base of a running host"):
                    origin.boot()
                with tempfile.TemporaryDirectory() as folder:
                    second.write("/etc/own", "3")
                    second.run(["sync"])
                    second.snapshot_disk(Path(folder) / "disk.img")
                    with Host(on=base, from_disk=Path(folder) / "disk.img") as copy:
                        self.assertEqual((copy.read("/etc/origin"), copy.read("/etc/own")), (b"1", b"3"))
                names = [origin.name, first.name, second.name, copy.name]
        for name in names:
            self.assert_no_trace(name)

    def test_a_prepared_host_is_made_once(self):
        made = []
        inputs = [Path(__file__), str(time.time_ns())]

        def build(host):
            made.append(host.name)
            host.write("/etc/prepared", "yes")
        for _ in range(2):
            base = prepared("hosts-selftest", Host("bookworm"), inputs, build)
            self.addCleanup(shutil.rmtree, base.docker.parent, ignore_errors=True)
        self.assertEqual(len(made), 1)
        with Host(on=base) as host:
            self.assertEqual(host.read("/etc/prepared"), b"yes")
        self.assert_no_trace(made[0])


class EndOfARun(Case):
    PROGRAM = "import sys, time; sys.path.insert(0, sys.argv[1])\nfrom hosts import Host\nh = Host().start()\nprint(h.name, flush=True)\ntime.sleep(300)\n"

    def end_by(self, number):
        process = subprocess.Popen(["/usr/bin/python3", "-c", self.PROGRAM, str(SUPPORT)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        with process:
            name = process.stdout.readline().strip()
            self.assertTrue(name)
            process.send_signal(number)
            process.wait(timeout=30)
        return name

    def test_an_interrupted_run_leaves_nothing(self):
        self.assert_no_trace(self.end_by(signal.SIGINT))

    def test_a_terminated_run_leaves_nothing(self):
        self.assert_no_trace(self.end_by(signal.SIGTERM))

    def test_a_run_whose_terminal_closed_leaves_nothing(self):
        self.assert_no_trace(self.end_by(signal.SIGHUP))

    def test_a_killed_run_is_cleaned_up_by_the_next(self):
        name = self.end_by(signal.SIGKILL)
        self.assertTrue(traces(name))
        clean()
        self.assert_no_trace(name)

    def test_a_host_that_does_not_boot_is_an_error_and_leaves_nothing(self):
        with Host() as host:
            host.power_off()
            init = host.directory / "disk/upper/usr/lib/systemd/systemd"
            init.parent.mkdir(parents=True, exist_ok=True)
            init.write_text("not a program")
            with self.assertRaisesRegex(HostError, "ended while booting.*console"):
                host.boot()
        self.assert_no_trace(host.name)


class SlowLink(Case):
    def echo_server(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)

        def serve():
            connection, _ = server.accept()
            with connection, contextlib.suppress(ConnectionResetError):
                while data := connection.recv(65536):
                    connection.sendall(data)
        threading.Thread(target=serve, daemon=True).start()
        return server.getsockname()

    def test_the_relay_delays_each_way_keeps_the_order_and_counts_round_trips(self):
        with Relay(*self.echo_server(), delay=0.1) as line, socket.create_connection(("127.0.0.1", line.port)) as client:
            began = time.monotonic()
            for number in range(3):
                client.sendall(b"%d" % number)
                self.assertEqual(client.recv(10), b"%d" % number)
            self.assertTrue(0.6 <= time.monotonic() - began < 1.5)
            self.assertEqual(line.connections[0].round_trips, 3)
            line.delay = 0
            data = os.urandom(3_000_000)
            sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
            sender.start()
            received = b""
            while chunk := client.recv(65536):
                received += chunk
            sender.join()
            self.assertEqual(received, data)

    def test_an_answer_in_two_pieces_begins_one_round_trip_and_a_greeting_none(self):
        for greets, first in ((False, 2), (True, 1)):
            with unittest.mock.patch.object(relay.time, "monotonic", return_value=100) as clock:
                connection = relay.Connection(delay=0.1, greets=greets)
                for seconds, direction, so_far in ((0, "sent", 1), (0.25, "delivered", 1), (0.25, "sent", first), (0.26, "delivered", first),
                                                   (0.26, "sent", 2), (0.46, "delivered", 2), (0.46, "sent", 3), (0.5, "delivered", 3), (0.5, "sent", 3)):
                    clock.return_value = 100 + seconds
                    connection.note(direction, 1)
                    self.assertEqual(connection.round_trips, so_far, (greets, seconds))

    def test_a_disconnected_relay_resets_its_client(self):
        with Relay(*self.echo_server()) as line, socket.create_connection(("127.0.0.1", line.port)) as client:
            client.sendall(b"x")
            self.assertEqual(client.recv(1), b"x")
            line.disconnect()
            with self.assertRaises(ConnectionResetError):
                client.recv(1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
