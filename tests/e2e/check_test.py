#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `check` says about real hosts: a bare one fails the right rows, a bootstrapped one passes them, and each trap is first
shown and then found."""

import csv
import re
import sys
import unittest
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from hosts import Host  # noqa: E402
from releases import CHAT, KEYS, PROJECT_SECRETS, SECRETS, ReleaseCase  # noqa: E402
from sentinel import Operator, bootstrapped, only, wait_until  # noqa: E402

ROWS = {f"{document}-{row:02}" for document, rows in (("000", 32), ("001", 6), ("002", 19), ("003", 10), ("004", 14)) for row in range(1, rows + 1)}
# What a host that no release was deployed to can't pass.
NEED_A_RELEASE = {"000-07", "000-08", "000-29", "002-02", "004-08", "004-09", "004-10", "004-11", "004-12", "004-14"}


class Audit:
    """An operator with one host, and what check says of it."""

    def __init__(self, host, **more):
        self.host, self.operator = host, Operator()
        self.operator.know(host)
        self.operator.project({"web-1": host}, **more)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.operator.close()

    def report(self, *arguments, exit=None):
        return only(self.operator.json("check", *arguments, exit=exit))

    def results(self, *arguments, exit=None):
        return {result["control"]: result for result in self.report(*arguments, exit=exit)["results"]}

DATES = Path("/usr/share/distro-info")  # what Debian's distro-info-data says of its own releases and of Ubuntu's


class Dates(unittest.TestCase):
    def test_the_ends_of_support_are_those_that_the_distributions_publish(self):
        checklist = yaml.safe_load((Path(__file__).resolve().parents[2] / "playbooks/checklists/000.yaml").read_text())
        (supported,) = (control["with"]["supported"] for control in checklist["controls"] if control["judgement"] == "os-supported")
        published = {}
        # Debian hands a release to its LTS team, whose updates come by the same archive; Ubuntu's count as long as they are free of charge.
        for name, column in (("debian", "eol-lts"), ("ubuntu", "eol-server")):
            with (DATES / f"{name}.csv").open() as file:
                published.update({f"{name}-{row['version'].removesuffix(' LTS')}": row[column] for row in csv.DictReader(file)})
        self.assertEqual(supported, {release: published.get(release) for release in supported})


class Check(unittest.TestCase):
    maxDiff = None

    def expect(self, results, control, status, persistence=None, trap=None):
        result = results[control]
        self.assertEqual(result["status"], status, result)
        if persistence:
            self.assertEqual(result["persistence"], persistence, result)
        if trap:
            self.assertIn(trap, [each["name"] for each in result["traps"]], result)
        return result

    def test_a_bare_host_fails_and_is_left_as_it_was(self):
        with Host() as host, Audit(host) as audit:
            audit.results(exit=4)  # brings the agent to its own directory
            tree = "find /etc /usr /root /home /opt -xdev -printf '%p %y %m %u %g %s %T@\\n' | sort"
            before = host.run(["sh", "-c", tree]).stdout.splitlines()
            results = audit.results(exit=4)
            self.assertEqual(before, host.run(["sh", "-c", tree]).stdout.splitlines())
            ssh = self.expect(results, "000-02", "fail", "both", trap="cloud-init-password")
            self.assertIn("passwordauthentication yes", ssh["actual"])
            self.assertIn("50-cloud-init.conf", " ".join(item["origin"] or "" for item in ssh["evidence"]))
            self.expect(results, "000-03", "fail", "both")
            self.expect(results, "000-15", "fail", "both")
            self.assertIn(results["003-03"]["status"], ("fail", "warn"))
            human = audit.operator.run("check", exit=4).stdout
            self.assertIn("FAIL  000-02", human)
            self.assertIn("sentinelctl bootstrap", human)

    def test_a_bootstrapped_host_passes_what_needs_no_release(self):
        self.passes_what_needs_no_release("bookworm")

    def test_one_of_debian_13_does_so_too(self):
        self.passes_what_needs_no_release("trixie")

    def passes_what_needs_no_release(self, suite):
        with bootstrapped(suite) as host, Audit(host) as audit:
            def scraped():
                results = audit.results()
                return results if results["000-21"]["status"] == "pass" else None
            results = wait_until(scraped, 90, "Prometheus has scraped its targets")
            self.assertEqual(set(results), ROWS)
            for control, result in sorted(results.items()):
                with self.subTest(control):
                    if result["status"] == "not-applicable":
                        self.assertIn("stack: ", result["reason"])
                    elif control not in NEED_A_RELEASE:
                        # Redis has no password by default: it listens on loopback only, and that is a warning.
                        self.assertEqual(result["status"], "warn" if control == "002-04" else "pass", result)
            for control in ("000-02", "000-03", "000-15", "003-03", "003-07"):
                self.expect(results, control, "pass", "both")

    def test_a_stack_that_was_announced_and_is_not_there_is_unknown(self):
        other = {"other_certificate": "/etc/mtls/b.pem", "other_key": "/etc/mtls/b.key"}
        announced = {"grafana": {"enabled": True}, "jwt": {"enabled": True}, "kubernetes": {"enabled": True, "service": "api:8080"},
                     "log_aggregation": {"enabled": True, "kind": "loki", "url": "http://127.0.0.1:3100"},
                     "mtls": {"enabled": True, "address": "127.0.0.1:8443", "authority": "/etc/mtls/ca.pem", "certificate": "/etc/mtls/a.pem", "key": "/etc/mtls/a.key", **other}}
        rows = {"000-22", "000-27", "001-01", "001-02", "001-03", "001-04", "001-05", "001-06", "002-03", "002-06", "002-07", "002-08", "002-11", "002-13", "002-15", "002-17", "004-13"}
        with Host() as host, Audit(host, variables=announced) as audit:
            report = audit.report("--fail-on", "critical")
            results = {result["control"]: result for result in report["results"]}
            self.assertEqual({row: results[row]["status"] for row in rows}, dict.fromkeys(rows, "unknown"))
            for row in rows:
                self.assertNotIn("probe.unknown", results[row]["reason"], results[row])

    def test_sshd_sees_one_login_and_at_most_one_connection_without_one(self):
        with bootstrapped() as host, Audit(host, variables={"domain": "api.example.com", "tls": {"mode": "internal"}}) as audit:
            audit.results()  # remembers who gets in
            host.write("/etc/ssh/sshd_config.d/00-a.conf", "LogLevel VERBOSE\n")
            host.run(["systemctl", "reload", "ssh.service"])
            cursor = re.search(r"-- cursor: (.*)", host.run(["journalctl", "--lines=0", "--show-cursor"]).stdout)[1]
            results = audit.results()
            self.assertEqual(results["000-30"]["status"], "pass", results["000-30"])  # doors were tried from outside

            def told():
                text = host.run(["journalctl", "--quiet", "--identifier=sshd", f"--after-cursor={cursor}", "--output=cat"]).stdout
                return text if "session closed for user deploy" in text else None
            text = wait_until(told, 20, "sshd has noted the end")
            sources = re.findall(r"^Connection from (\S+) port", text, re.MULTILINE)
            self.assertEqual([source for source in sources if not source.startswith("127.83.")], [host.gateway], text)
            self.assertEqual(text.count("Accepted publickey for deploy"), 1, text)
            self.assertLessEqual(len(sources), 2, text)

    def test_mistakes_of_the_operator(self):
        with Host() as host, Audit(host) as audit:
            self.assertIn("did you mean", audit.operator.run("check", "--profile", "cys", exit=2).stderr)
            self.assertIn("hgih", audit.operator.run("check", "--fail-on", "hgih", exit=2).stderr)
        with Operator() as operator:
            operator.project({"gone": host})
            self.assertEqual(operator.run("check", "--connect-timeout", "2").returncode, 8)


class Deployed(ReleaseCase):
    def test_a_deployed_host_with_a_password_for_redis_passes_every_row_and_is_as_planned(self):
        environment = {**SECRETS, "REDIS_PASSWORD": "Kq3vTz8-mW5rXp2-Lc9nHd4", "REDIS_URL": "redis://:Kq3vTz8-mW5rXp2-Lc9nHd4@127.0.0.1:6379"}
        with bootstrapped() as host:
            self.give_keys(host)
            settings = {"SENTINEL_KEYS_FILE": KEYS, "OPENAI_API_URL": f"http://{host.gateway}:{self.upstream.port}/v1"}
            with Audit(host, variables={"redis": {"password": "REDIS_PASSWORD"}},
                       secrets={**PROJECT_SECRETS, **{name: {"env": name} for name in ("REDIS_PASSWORD", "REDIS_URL")}},
                       app={"artifact": str(self.bundle), "settings": settings},
                       health={"start": "10s", "bake": {"time": "1s"}, "verify": [CHAT]}) as audit:
                audit.operator.bootstrap(environment=environment)
                only(audit.operator.json("deploy", "--release", "one", "--yes", exit=0, environment=environment))
                audit.operator.run("plan", exit=0, environment=environment)

                def scraped():
                    report = only(audit.operator.json("check", environment=environment))
                    results = {result["control"]: result for result in report["results"]}
                    return results if results["000-21"]["status"] == "pass" else None
                results = wait_until(scraped, 90, "Prometheus has scraped its targets")
                left = {control: result["actual"] for control, result in results.items() if result["status"] not in ("pass", "not-applicable")}
                self.assertEqual(left, {})
                self.assertEqual({results[control]["status"] for control in NEED_A_RELEASE}, {"pass"})
                audit.operator.run("check", "--strict", exit=0, environment=environment)


if __name__ == "__main__":
    unittest.main()
