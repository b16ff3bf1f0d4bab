# SPDX-License-Identifier: Apache-2.0
"""What the words of the stack sentinel-vps mean on a bootstrapped host, asked of the programs and the kernel that do the
work, never of the files that were written. Every look is a method; `all_of` runs those a host has."""

import json
import re
import subprocess

from sentinel import wait_until

PROXY_PORT = 8080
ALERTS = {"HostDown", "DiskAlmostFull", "MemoryAlmostFull", "SentinelDown", "SentinelHighErrorRate", "SentinelHighLatency"}
# fail2ban brings Python to the host, so the tests may use it there; Sentinel does not.
FETCH = """
import sys, urllib.request, urllib.error
request = urllib.request.Request(sys.argv[1])
try:
    answer = urllib.request.urlopen(request, timeout=10)
except urllib.error.HTTPError as refused:
    answer = refused
print(answer.status)
for name, value in answer.headers.items():
    print(name.lower() + ": " + value)
print()
sys.stdout.write(answer.read().decode())
"""


def fetch(host, url):
    """(status, headers, body) of a GET made on the host itself."""
    head, _, body = host.run(["python3", "-c", FETCH, url]).stdout.partition("\n\n")
    status, *lines = head.splitlines()
    return int(status), dict(line.split(": ", 1) for line in lines), body


class Effective:
    def __init__(self, case, host):
        self.case, self.host = case, host

    def out(self, *argv, check=True):
        return self.host.run(list(argv), check=check).stdout

    def all_of(self, *, caddy):
        looks = [self.sshd, self.users, self.firewall, self.fail2ban, self.updates, self.kernel, self.journal, self.docker, self.app,
                 self.redis, self.monitoring, self.logs, self.listeners]
        for look in looks + ([self.caddy] if caddy else []):
            with self.case.subTest(look.__name__):
                look()

    def sshd(self):
        effective = set(self.out("sshd", "-T").splitlines())
        for line in ("port 22", "permitrootlogin no", "passwordauthentication no", "pubkeyauthentication yes", "maxauthtries 3",
                     "logingracetime 30", "x11forwarding no"):
            self.case.assertIn(line, effective)
        self.case.assertTrue({"kbdinteractiveauthentication no", "challengeresponseauthentication no"} & effective)
        # The server that listens, not the file: what it offers to somebody it turns away.
        refused = self.host.ssh("true", user="root")
        self.case.assertEqual(refused.returncode, 255, "root can still log in")
        self.case.assertIn("Permission denied (publickey)", refused.stderr)

    def users(self):
        ask = lambda command: self.host.ssh(command, user="deploy")  # noqa: E731
        self.case.assertEqual(ask("sudo -n true").returncode, 1, "sudo is open for more than the agent")
        self.case.assertEqual(ask("sudo -n /usr/local/bin/sentinel-agent version").returncode, 0)
        self.case.assertNotIn("docker", ask("id -nG").stdout.split())
        self.case.assertEqual(self.out("passwd", "--status", "deploy").split()[1], "L")
        self.case.assertEqual(self.out("visudo", "-c", check=False).count("bad"), 0)

    def firewall(self):
        status = self.out("ufw", "status", "verbose")
        self.case.assertIn("Status: active", status)
        self.case.assertIn("Default: deny (incoming), allow (outgoing)", status)
        rules = re.findall(r"^(\S+)( \(v6\))? +ALLOW IN +Anywhere(?: \(v6\))?\s*$", status, re.M)
        self.case.assertEqual(sorted(rules), sorted((port, family) for port in ("22/tcp", "80/tcp", "443/tcp") for family in ("", " (v6)")))
        self.case.assertEqual(status.count("IN "), 6, status)
        for program, prefix in (("iptables", "ufw"), ("ip6tables", "ufw6")):
            chain = self.out(program, "-S", "INPUT").splitlines()
            self.case.assertEqual(chain[0], "-P INPUT DROP")
            self.case.assertIn(f"-A INPUT -j {prefix}-before-input", chain)
            self.case.assertIn(f"-A INPUT -j {prefix}-after-input", chain)
        self.case.assertEqual(self.out("systemctl", "is-enabled", "ufw").strip(), "enabled")

    def fail2ban(self):
        ask = lambda *words: self.out("fail2ban-client", *words)  # noqa: E731
        self.case.assertEqual(ask("get", "sshd", "maxretry").strip(), "3")
        self.case.assertEqual(ask("get", "sshd", "bantime").strip(), "86400")
        self.case.assertEqual(ask("get", "sshd", "findtime").strip(), "600")
        self.case.assertIn("_SYSTEMD_UNIT", ask("get", "sshd", "journalmatch"))
        self.case.assertIn("no file", ask("get", "sshd", "logpath").lower())
        self.case.assertEqual(self.out("systemctl", "is-enabled", "fail2ban").strip(), "enabled")
        # The operator is ignored at run time, around a transaction; the configuration knows nobody.
        self.case.assertEqual(self.out("grep", "-rlwF", self.host.gateway, "/etc/fail2ban", check=False), "")

    def updates(self):
        merged = self.out("apt-config", "dump")
        for line in ('APT::Periodic::Update-Package-Lists "1";', 'APT::Periodic::Unattended-Upgrade "1";',
                     'Unattended-Upgrade::Automatic-Reboot "false";'):
            self.case.assertIn(line, merged)
        for timer in ("apt-daily.timer", "apt-daily-upgrade.timer"):
            self.case.assertEqual(self.out("systemctl", "is-active", timer).strip(), "active")
            self.case.assertEqual(self.out("systemctl", "is-enabled", timer).strip(), "enabled")
        # What the program itself understands its origins to be, on this release.
        said = self.host.run(["sh", "-c", "unattended-upgrade --dry-run --debug 2>&1"], check=False).stdout
        self.case.assertRegex(said, r"Allowed origins are: .*(label=Debian-Security|origin=Ubuntu,archive=\w+-security)")

    def kernel(self):
        wanted = [line.split("=") for line in self.host.read("/etc/sysctl.d/60-sentinel.conf").decode().splitlines() if "=" in line]
        self.case.assertGreaterEqual(len(wanted), 17)
        for key, value in wanted:
            self.case.assertEqual(self.out("sysctl", "-n", key.strip()).split(), value.split(), key)

    def journal(self):
        self.case.assertRegex(self.out("journalctl", "--no-pager", "-u", "systemd-journald", "-o", "cat"), r"max 500(\.0)?M")
        self.case.assertNotEqual(self.out("sh", "-c", "ls /var/log/journal").strip(), "")

    def docker(self):
        info = json.loads(self.out("docker", "info", "--format", "{{json .}}"))
        self.case.assertTrue(info["LiveRestoreEnabled"])
        self.case.assertEqual(info["LoggingDriver"], "json-file")
        self.case.assertEqual(self.out("systemctl", "is-enabled", "docker").strip(), "enabled")
        compose = self.host.run(["sh", "-c", "docker compose version || docker-compose version"], check=False)
        self.case.assertEqual(compose.returncode, 0, compose.stderr)
        self.case.assertEqual(self.out("getent", "group", "docker").strip().split(":")[3], "")

    def app(self):
        account = self.out("getent", "passwd", "sentinel").strip().split(":")
        self.case.assertEqual(account[5:], ["/opt/sentinel", "/usr/sbin/nologin"])
        for path, expected in {"/opt/sentinel": "root sentinel 755", "/opt/sentinel/releases": "root sentinel 755",
                               "/etc/sentinel": "root sentinel 750",
                               "/var/log/sentinel": "sentinel sentinel 750"}.items():
            self.case.assertEqual(self.out("stat", "-c", "%U %G %a", path).strip(), expected, path)
        inside = self.out("systemd-run", "--quiet", "--wait", "--pipe", "--slice=sentinel.slice", "systemctl", "show", "--property=MemoryMax,TasksMax",
                          "sentinel.slice").split()
        self.case.assertEqual(sorted(inside), ["MemoryMax=1073741824", "TasksMax=4096"])

    def redis(self):
        for key, value in (("appendonly", "yes"), ("appendfsync", "everysec"), ("maxmemory", str(256 << 20)), ("maxmemory-policy", "noeviction")):
            self.case.assertEqual(self.out("redis-cli", "config", "get", key).split(), [key, value])
        persistence = self.out("redis-cli", "info", "persistence")
        self.case.assertIn("aof_enabled:1", persistence)
        self.case.assertIn("aof_last_write_status:ok", persistence)

    def monitoring(self):
        ask = lambda what: json.loads(fetch(self.host, "http://127.0.0.1:9090/api/v1/" + what)[2])["data"]  # noqa: E731
        flags = ask("status/flags")
        self.case.assertEqual(flags["storage.tsdb.retention.time"], "15d")
        self.case.assertEqual(flags["web.listen-address"], "127.0.0.1:9090")
        self.case.assertEqual(flags["web.enable-admin-api"], "false")
        rules = [rule for group in ask("rules")["groups"] for rule in group["rules"]]
        self.case.assertEqual({rule["name"] for rule in rules}, ALERTS)

        def scraped():
            targets = {target["labels"]["job"]: target["health"] for target in ask("targets?state=active")["activeTargets"]}
            return set(targets) == {"prometheus", "node", "sentinel"} and targets["prometheus"] == targets["node"] == "up"
        wait_until(scraped, 60, "Prometheus has scraped itself and the node exporter")

    def logs(self):
        self.host.run(["sh", "-c", "echo line > /var/log/sentinel/x.log && chown sentinel: /var/log/sentinel/x.log"])
        self.host.run(["logrotate", "--force", "/etc/logrotate.d/sentinel"])
        self.case.assertEqual(self.host.read("/var/log/sentinel/x.log.1"), b"line\n")
        self.case.assertEqual(self.out("stat", "-c", "%U %G %a %s", "/var/log/sentinel/x.log").split(), ["sentinel", "sentinel", "640", "0"])
        self.case.assertEqual(self.out("systemctl", "is-active", "logrotate.timer").strip(), "active")

    def caddy(self):
        adapted = json.loads(self.out("caddy", "adapt", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"))
        running = json.loads(fetch(self.host, "http://localhost:2019/config/")[2])
        self.case.assertEqual(running, adapted, "Caddy runs another configuration than the file's")
        proxies = [handler for handler in handlers(running) if handler["handler"] == "reverse_proxy"]
        self.case.assertEqual([handler.get("buffer_requests", False) for handler in proxies], [True, False], "for moderate bodies, and for others")
        for name in ("response_header_timeout", "read_timeout", "write_timeout"):
            self.case.assertEqual([handler["transport"][name] for handler in proxies], [300 * 10**9] * 2)
        self.case.assertNotIn("flush_interval", json.dumps(running))
        status, headers, _ = fetch(self.host, "http://127.0.0.1/metrics")
        self.case.assertEqual(status, 404)
        self.case.assertNotIn("server", headers)
        self.case.assertEqual((headers["x-content-type-options"], headers["x-frame-options"], headers["referrer-policy"]),
                              ("nosniff", "DENY", "strict-origin-when-cross-origin"))
        log = [json.loads(line) for line in self.host.read("/var/log/caddy/access.log").decode().splitlines()]
        self.case.assertEqual((log[-1]["request"]["uri"], log[-1]["status"]), ("/metrics", 404))

    def listeners(self):
        listening = self.out("ss", "-Hltnp")
        world = {line.split()[3].rsplit(":", 1)[1] for line in listening.splitlines() if not line.split()[3].startswith(("127.", "[::1]"))}
        self.case.assertLessEqual(world, {"22", "80", "443"}, listening)
        # From outside, a port that does listen and was not allowed is silence.
        self.host.run(["systemd-run", "--quiet", "--unit=open-door", "python3", "-m", "http.server", "4222"])
        wait_until(lambda: fetch_ok(self.host, 4222), 20, "the listener on port 4222 is up")
        knock = ["timeout", "3", "bash", "-c", f"</dev/tcp/{self.host.address}/4222"]
        self.case.assertEqual(subprocess.run(knock, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode, 124, "4222 answers")
        self.host.run(["systemctl", "stop", "open-door"])


def fetch_ok(host, port):
    return host.run(["bash", "-c", f"</dev/tcp/127.0.0.1/{port}"], check=False).returncode == 0


def handlers(config):
    """Every handler of a Caddy configuration, depth first."""
    if isinstance(config, dict):
        if "handler" in config:
            yield config
        for value in config.values():
            yield from handlers(value)
    elif isinstance(config, list):
        for value in config:
            yield from handlers(value)
