#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`check` from outside, on a real host: what its site, its doors and a stand-in for Cloudflare's API say, all in one audit."""

import shutil
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "support" / "proxy")]
from certificates import Authority  # noqa: E402
from cloudflare_api import TOKEN, CloudflareApi, good_zone  # noqa: E402
from sentinel import Operator, bootstrapped, only, wait_until  # noqa: E402

# A program that listens on 9100 of every address, and a port that is published past ufw as Docker does it.
LISTENER = "systemd-run --quiet --unit=loud nc -lk -p 9093"
PUBLISHED = """
ip netns add box; ip link add br-box type bridge; ip addr add 172.19.0.1/16 dev br-box; ip link set br-box up
ip link add box0 type veth peer name box1 netns box; ip link set box0 master br-box up
ip -n box addr add 172.19.0.2/16 dev box1; ip -n box link set box1 up; ip -n box route add default via 172.19.0.1
sysctl -q -w net.ipv4.ip_forward=1
iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -p tcp --dport 4222 -j DNAT --to-destination 172.19.0.2:4222
iptables -I FORWARD -o br-box -j ACCEPT; iptables -I FORWARD -i br-box -j ACCEPT
systemd-run --quiet --unit=box ip netns exec box nc -lk -p 4222
"""

EDGE = {"000-16", "000-17", "000-18", "000-19", "000-28"}


def rule(**parameters):
    return [{"id": "o1", "enabled": True, "action": "set_config", "expression": "true", "action_parameters": parameters}]


def page_rule(setting, value):
    return [{"id": "p1", "status": "active", "targets": [{"target": "url", "constraint": {"operator": "matches", "value": "*example.com/*"}}],
             "actions": [{"id": setting, "value": value}]}]


# The controls that must say so, and one thing of the zone that is otherwise: where it is in the stand-in's state, and what is there.
FAULTS = [({"000-16"}, ("records", 0, "proxied"), False), ({"000-16"}, ("records", 0, "content"), "203.0.113.99"),
          ({"000-16"}, ("records", 0, "name"), "www.example.com"), ({"000-16"}, ("zone", "status"), "pending"), ({"000-16", "000-17"}, ("zone", "paused"), True),
          ({"000-17"}, ("settings", "ssl"), "full"), ({"000-17"}, ("settings", "always_use_https"), "off"), ({"000-17"}, ("settings", "min_tls_version"), "1.1"),
          ({"000-17"}, ("rulesets", "http_config_settings"), rule(ssl="flexible")), ({"000-17"}, ("page_rules",), page_rule("ssl", "off")),
          ({"000-18"}, ("settings", "websockets"), "off"), ({"000-18"}, ("settings", "http2"), "off"), ({"000-18"}, ("settings", "http3"), "off"),
          ({"000-19"}, ("rulesets",), {}), ({"000-19"}, ("rulesets", "http_request_cache_settings", 0, "enabled"), False),
          ({"000-19"}, ("rulesets", "http_request_cache_settings", 0, "action_parameters"), {"cache": True}),
          ({"000-28"}, ("settings", "security_level"), "essentially_off"), ({"000-28"}, ("settings", "challenge_ttl"), 300),
          ({"000-28"}, ("settings", "browser_check"), "off"), ({"000-28"}, ("rulesets", "http_config_settings"), rule(bic=False)),
          ({"000-28"}, ("page_rules",), page_rule("disable_security", True))]


class CheckOutside(unittest.TestCase):
    def results(self, operator, environment=None, exit=None):
        return {result["control"]: result for result in only(operator.json("check", exit=exit, environment=environment))["results"]}

    def test_doors(self):
        with bootstrapped() as host, Operator() as operator:
            operator.know(host)
            operator.project({"web-1": host})
            before = self.results(operator)
            for control in ("000-30", "002-05", "003-08"):
                self.assertEqual(before[control]["status"], "pass", before[control])
            for control in ("000-16", "000-24", "004-01"):
                self.assertEqual(before[control]["status"], "not-applicable", before[control])
            host.run(["sh", "-ec", "DEBIAN_FRONTEND=noninteractive apt-get -q -y install netcat-openbsd && " + LISTENER])
            closed = self.results(operator)
            self.assertEqual(closed["000-30"]["status"], "pass", closed["000-30"])  # ufw keeps it shut
            host.run(["ufw", "allow", "9093/tcp"])
            opened = self.results(operator, exit=4)
            self.assertEqual((opened["000-30"]["status"], opened["002-05"]["status"], opened["003-08"]["status"]), ("fail", "fail", "pass"))
            self.assertIn("is open", " ".join(one["value"] for one in opened["000-30"]["evidence"]))
            host.run(["ufw", "delete", "allow", "9093/tcp"])
            host.run(["sh", "-ec", PUBLISHED])
            published = self.results(operator, exit=4)
            self.assertEqual((published["003-08"]["status"], published["000-30"]["status"]), ("fail", "pass"))
            self.assertIn("docker-publishes-past-ufw", [trap["name"] for trap in published["002-05"]["traps"]])

    def test_a_site_behind_cloudflare(self):
        directory = Path(tempfile.mkdtemp(prefix="sentinel-check-outside-"))
        self.addCleanup(shutil.rmtree, directory)
        authority = Authority(directory)
        certificate, key = authority.leaf("api")
        with bootstrapped() as host, Operator() as operator, CloudflareApi(certificate, key, good_zone(address=host.address)) as api:
            operator.know(host)
            operator.project({"web-1": host}, {"domain": "api.example.com", "tls": {"mode": "internal"}, "check": {"cloudflare": True}})
            operator.bootstrap()
            environment = {"CLOUDFLARE_API_TOKEN": TOKEN, "SENTINEL_CLOUDFLARE_API": api.base, "SENTINEL_CLOUDFLARE_CA": str(authority.file)}
            seen = self.results(operator, environment)
            self.assertEqual(seen["000-16"]["status"], "pass", seen["000-16"])
            self.assertIn(seen["000-28"]["status"], ("pass", "warn"), seen["000-28"])
            # Nobody resolves the name here: what needs an answer of the edge can't be told, and is no pass.
            for control in ("000-24", "004-01"):
                self.assertIn(seen[control]["status"], ("unknown", "fail"), seen[control])
            for control in ("000-17", "000-18", "000-19"):
                self.assertEqual(seen[control]["status"], "unknown", seen[control])
            good = {control: seen[control]["status"] for control in EDGE}
            for controls, path, value in FAULTS:
                with self.subTest(path, value=value):
                    api.state = good_zone(address=host.address)
                    inner = api.state
                    for step in path[:-1]:
                        inner = inner[step]
                    inner[path[-1]] = value
                    found = self.results(operator, environment)
                    self.assertEqual({control: found[control]["status"] for control in EDGE}, {**good, **dict.fromkeys(controls, "fail")})
            api.state = good_zone(address=host.address)
            # A zone that is paused, and a rule that says otherwise than the setting, which both look right.
            api.state["zone"]["paused"] = True
            rule = {"id": "s1", "enabled": True, "action": "set_config", "expression": '(http.host eq "api.example.com")', "action_parameters": {"ssl": "flexible"}}
            api.state["rulesets"]["http_config_settings"] = [rule]
            self.assertEqual((api.state["settings"]["ssl"], api.state["zone"]["status"]), ("strict", "active"))
            strict = self.results(operator, environment)["000-17"]
            self.assertEqual(strict["status"], "fail", strict)
            self.assertEqual({trap["name"] for trap in strict["traps"]}, {"zone-paused", "ssl-overridden"})
            unset = self.results(operator)
            self.assertEqual(unset["000-16"]["status"], "unknown")
            self.assertIn("cloudflare.no-token", unset["000-16"]["reason"])
            # The host's own TLS, by its address, when no edge is declared.
            operator.project({"web-1": host}, {"domain": "api.example.com", "tls": {"mode": "internal"}})
            alone = self.results(operator)
            for control in ("002-01", "004-01", "004-02", "004-03"):
                self.assertEqual(alone[control]["status"], "pass", alone[control])

    def test_the_certificate_that_is_shown_is_the_one_in_the_file(self):
        directory = Path(tempfile.mkdtemp(prefix="sentinel-check-outside-"))
        self.addCleanup(shutil.rmtree, directory)
        authority = Authority(directory)
        (first, key), (second, other) = (authority.leaf(name, ("DNS:api.example.com",)) for name in ("first", "second"))
        environment = {"ORIGIN_CERT": first.read_text().strip(), "ORIGIN_KEY": key.read_text().strip(), "SSL_CERT_FILE": str(authority.file)}
        with bootstrapped() as host, Operator() as operator:
            operator.know(host)
            operator.project({"web-1": host}, {"domain": "api.example.com", "tls": {"mode": "origin"}}, {name: {"env": name} for name in ("ORIGIN_CERT", "ORIGIN_KEY")})
            operator.bootstrap(environment=environment)

            def row(trap=None):
                result = self.results(operator, environment)["000-13"]
                self.assertEqual({each["name"] for each in result["traps"]}, {trap} if trap else set(), result)
                return result["status"], result["persistence"]
            wait_until(lambda: row() == ("pass", "runtime-only"), 30, "Caddy shows it")
            # A new one, not loaded: what runs is the former, and the key in the file is not the new one's.
            host.write("/etc/caddy/tls/origin.pem", second.read_text())
            self.assertEqual(row("certificate-not-reloaded"), ("fail", "both"))
            host.write("/etc/caddy/tls/origin.key", other.read_text(), 0o600)
            host.run(["chown", "caddy:", "/etc/caddy/tls/origin.key"])
            self.assertEqual(row("certificate-not-reloaded"), ("fail", "runtime-only"))
            host.run(["systemctl", "reload", "caddy"])
            wait_until(lambda: row() == ("pass", "runtime-only"), 30, "Caddy shows the new one")
            host.run(["chmod", "0644", "/etc/caddy/tls/origin.key"])
            self.assertEqual(row()[0], "fail")
            host.run(["chmod", "0600", "/etc/caddy/tls/origin.key"])
            host.write("/etc/caddy/tls/origin.pem", "nothing\n")
            self.assertEqual(row(), ("fail", "boot-only"))


if __name__ == "__main__":
    unittest.main()
