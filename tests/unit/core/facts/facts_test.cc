// SPDX-License-Identifier: Apache-2.0
// Parsers of facts against texts of real hosts, and the collector against a fake machine and this one.

#include <algorithm>

#include <catch2/catch.hpp>

#include "core/facts/collect.h"
#include "core/facts/hardware_facts.h"
#include "core/facts/os_facts.h"
#include "core/facts/process_tree.h"
#include "core/facts/ssh_facts.h"
#include "core/system/local_system.h"
#include "tests/support/fake_system.h"

namespace sentinel {
namespace {

constexpr const char* kBookworm =
    "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n"
    "VERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n# comment=1\nODD='a "
    "\\b'\nESCAPED=\"a\\\"b\\$\"\n";

std::string stat_line(int pid, const std::string& name, int parent) {
  return std::to_string(pid) + " (" + name + ") S " + std::to_string(parent) +
         " 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 1 2 3\n";
}

/// listener 500 <- monitor 600 <- user's 601 <- sudo 602 <- agent 603
void put_session(FakeSystem& machine, const std::string& sshd_name) {
  const auto put = [&](int pid, const std::string& name, int parent, const std::string& environ) {
    const auto directory = "/proc/" + std::to_string(pid);
    machine.put_file(directory + "/stat", stat_line(pid, name, parent));
    machine.put_file(directory + "/environ", environ);
  };
  using namespace std::string_literals;
  put(500, "sshd", 1, "LANG=C\0"s);
  put(600, sshd_name, 500, "LANG=C\0"s);
  put(601, sshd_name, 600, "LANG=C\0"s);
  put(602, "sudo", 601, "LANG=C\0SSH_CONNECTION=192.0.2.7 50000 203.0.113.5 2222\0X=y\0"s);
  put(603, "sentinel-agent", 602, "PATH=/bin\0"s);
}

}  // namespace

TEST_CASE("os-release is read with its quotes") {
  const auto values = parse_os_release(kBookworm);
  CHECK(values.at("ID") == "debian");
  CHECK(values.at("VERSION_ID") == "12");
  CHECK(values.at("PRETTY_NAME") == "Debian GNU/Linux 12 (bookworm)");
  CHECK(values.at("ODD") == "a \\b");
  CHECK(values.at("ESCAPED") == "a\"b$");
  CHECK(values.count("# comment") == 0);
  CHECK(parse_os_release("").empty());
}

TEST_CASE("the packages of a release are a table, not what apt happens to have read") {
  const auto has = [](const std::string& codename, const std::string& name) {
    const auto names = packages_of_release("debian", codename);
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  CHECK_FALSE(has("bullseye", "caddy"));
  CHECK_FALSE(has("bullseye", "nats-server"));
  CHECK(has("bullseye", "docker-compose"));
  CHECK(has("bookworm", "caddy"));
  CHECK_FALSE(has("bookworm", "docker-cli"));
  CHECK(has("trixie", "docker-cli"));
  CHECK(has("forky", "caddy"));
  CHECK(packages_of_release("other", "bullseye").size() == packages_of_release("debian", "unheard-of").size());
}

TEST_CASE("numbers of kernel files") {
  CHECK(count_of_list("0-3,8") == 5);
  CHECK(count_of_list("0") == 1);
  CHECK(count_of_list("") == 0);
  CHECK(count_of_list("x") == 0);
  CHECK(count_of_list("3-1") == 0);
  CHECK(memory_of_meminfo("MemTotal:        2031616 kB\nMemFree: 1 kB\n") == 1984);
  CHECK(memory_of_meminfo("MemFree: 1 kB\n") == 0);
  CHECK(memory_of_meminfo("MemTotal:") == 0);
}

TEST_CASE("virtual machines by their DMI strings") {
  CHECK(virtualization_of_dmi("QEMU", "Standard PC (Q35 + ICH9, 2009)") == "kvm");
  CHECK(virtualization_of_dmi("Hetzner", "vServer") == "kvm");
  CHECK(virtualization_of_dmi("DigitalOcean", "Droplet") == "kvm");
  CHECK(virtualization_of_dmi("Microsoft Corporation", "Virtual Machine") == "microsoft");
  CHECK(virtualization_of_dmi("Microsoft Corporation", "Surface Pro") == "");
  CHECK(virtualization_of_dmi("Dell Inc.", "PowerEdge R640") == "");
}

TEST_CASE("a process's name may hold anything") {
  const auto entry = parse_process(stat_line(77, "a) S 9 (b", 12));
  REQUIRE(entry);
  CHECK(*entry == ProcessEntry{77, "a) S 9 (b", 12, 4242});
  CHECK_FALSE(parse_process(""));
  CHECK_FALSE(parse_process("77 (x) S 1"));
  CHECK_FALSE(parse_process("x (x) S 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 1 2 3\n"));
}

TEST_CASE("SSH_CONNECTION is four words, the first an address, the last a port") {
  CHECK(*parse_ssh_connection("192.0.2.7 50000 203.0.113.5 22") == SshConnection{"192.0.2.7", 22});
  CHECK(*parse_ssh_connection("2001:db8::7 50000 2001:db8::5 2222") == SshConnection{"2001:db8::7", 2222});
  CHECK(*parse_ssh_connection("fe80::1%eth0 50000 fe80::2%eth0 22") == SshConnection{"fe80::1%eth0", 22});
  CHECK(*parse_ssh_connection("::ffff:192.0.2.7 1 ::ffff:203.0.113.5 22") == SshConnection{"192.0.2.7", 22});
  for (const char* bad :
       {"", "192.0.2.7", "192.0.2.7 1 203.0.113.5 0", "192.0.2.7 1 203.0.113.5 65536", "host 1 203.0.113.5 22",
        "192.0.2.7 1 203.0.113.5 22x", "192.0.2.7 1 203.0.113.5 22 5", "$(x) 1 2 22"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_ssh_connection(bad));
  }
}

TEST_CASE("the session's connection is found through sudo") {
  FakeSystem machine;
  ProcessView process;
  process.pid = 603;
  CHECK_FALSE(find_ssh_connection(machine, process));
  for (const char* name : {"sshd", "sshd-session"}) {
    put_session(machine, name);
    CHECK(*find_ssh_connection(machine, process) == SshConnection{"192.0.2.7", 2222});
  }
  process.environment["SSH_CONNECTION"] = "192.0.2.8 1 203.0.113.5 22";
  CHECK(find_ssh_connection(machine, process)->client == "192.0.2.8");
}

TEST_CASE("a leftover variable without an sshd above is no session") {
  FakeSystem machine;
  put_session(machine, "tmux");
  machine.put_file("/proc/500/stat", stat_line(500, "tmux: server", 1));
  ProcessView process;
  process.pid = 603;
  CHECK_FALSE(find_ssh_connection(machine, process));
}

TEST_CASE("who owns the SSH port is told by links that enable units") {
  FakeSystem machine;
  CHECK(ssh_unit(machine).empty());
  machine.put_file("/usr/lib/systemd/system/sshd.service", "");
  CHECK(ssh_unit(machine) == "sshd.service");
  machine.put_file("/usr/lib/systemd/system/ssh.service", "");
  CHECK(ssh_unit(machine) == "ssh.service");
  CHECK_FALSE(ssh_socket_enabled(machine));
  machine.put_link("/etc/systemd/system/sockets.target.wants/ssh.socket", "/lib/systemd/system/ssh.socket");
  CHECK(ssh_socket_enabled(machine));
}

TEST_CASE("the collector fills every group, and an empty machine is no error") {
  FakeSystem machine;
  ProcessView process;
  process.pid = 603;
  process.architecture = "x86_64";
  const Facts nothing = collect_facts(machine, process);
  CHECK(nothing.os_id.empty());
  CHECK(nothing.systemd_version == 0);
  CHECK(nothing.virtualization == "none");

  put_session(machine, "sshd");
  machine.put_file("/etc/os-release", kBookworm);
  machine.put_file("/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-257.9-1~deb13u1.so", "");
  machine.put_file("/run/systemd/container", "systemd-nspawn");
  machine.put_file("/sys/devices/system/cpu/online", "0-1\n");
  machine.put_file("/proc/meminfo", "MemTotal: 1048576 kB\n");
  machine.put_file("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io pids\n");
  machine.put_file("/var/log/auth.log", "");
  const Facts facts = collect_facts(machine, process);
  CHECK(facts.os_codename == "bookworm");
  CHECK(facts.systemd_version == 257);
  CHECK(facts.virtualization == "systemd-nspawn");
  CHECK(facts.cpus == 2);
  CHECK(facts.memory_mb == 1024);
  CHECK_FALSE(facts.can_limit_memory);
  CHECK(facts.has_auth_log);
  CHECK(facts.ssh_port == 2222);
  CHECK(machine.commands().empty());
}

TEST_CASE("the facts of this machine make sense and start no process") {
  LocalSystem machine;
  const auto process = this_process();
  const Facts facts = collect_facts(machine, process);
  CHECK_FALSE(facts.architecture.empty());
  CHECK_FALSE(facts.kernel.empty());
  CHECK_FALSE(facts.os_id.empty());
  CHECK(facts.cpus > 0);
  CHECK(facts.memory_mb > 0);
}

}  // namespace sentinel
