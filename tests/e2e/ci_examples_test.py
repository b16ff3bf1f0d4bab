#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pipelines of examples/ci as scripts against a real host: their commands are taken from the files and run as a runner
would, through a good deploy and through one that does not work from outside and is rolled back."""

import subprocess
import sys
import unittest
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from hosts import Host  # noqa: E402
from releases import SECRETS, ReleaseCase  # noqa: E402
from sentinel import AGENT, ROOT, SENTINELCTL, Operator  # noqa: E402

CI = ROOT / "examples" / "ci"


def github():
    """(name, commands, runs only after a failure) of each step."""
    (job,) = yaml.safe_load((CI / "github-actions.yml").read_text())["jobs"].values()
    return [(step.get("id", step["name"]), step["run"], "failure()" in step.get("if", "")) for step in job["steps"] if "run" in step]


def gitlab():
    document = yaml.safe_load((CI / "gitlab-ci.yml").read_text())
    jobs = [(name, job) for stage in document["stages"] for name, job in document.items() if isinstance(job, dict) and job.get("stage") == stage]
    steps = [("before", "\n".join(document["default"]["before_script"]), False)]
    return steps + [(name, "\n".join(job["script"]), job.get("when") == "on_failure") for name, job in jobs]


class Examples(ReleaseCase):
    def pipeline(self, steps, release, url):
        """The names of the steps that were run, and that of the one that failed."""
        key = self.operator.home / "key-of-ci"
        known = self.operator.home / "known-of-ci"
        key.write_text(self.host.key.read_text())
        known.write_text(self.host.known_hosts.read_text())
        files = steps[0][0] == "before"
        given = {"SSH_KEY": str(key) if files else key.read_text(), "KNOWN_HOSTS": str(known) if files else known.read_text(),
                 "API_URL": url, "RELEASE": release, **SECRETS, "PATH": f"{SENTINELCTL.parent}:{AGENT.parent}:/usr/bin:/bin"}
        ran, failed = [], None
        for name, commands, after_failure in steps:
            if after_failure != (failed is not None):
                continue
            done = subprocess.run(["bash", "-e", "-c", commands], cwd=self.operator.directory, env=self.operator.environment(given),
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
            ran.append(name)
            if done.returncode != 0:
                self.assertIsNone(failed, done.stderr)
                failed = (name, done.returncode, done.stderr)
            self.assertNotIn(SECRETS["UPSTREAM_KEY"], done.stdout + done.stderr)
        return ran, failed

    def test_each_deploys_verifies_and_rolls_back(self):
        with Host("bookworm") as host, Operator() as operator:
            self.prepared(host, operator)
            self.caddy(host)
            good, bad = f"http://{host.address}:8000", f"http://{host.address}:8000/not-here"

            def current():
                return host.run(["readlink", "/opt/sentinel/current"]).stdout.strip()

            for kind, steps in (("github", github()), ("gitlab", gitlab())):
                with self.subTest(kind):
                    self.project(settings={"SENTINEL_ATTEMPTS": 2 + (kind == "gitlab")})
                    _, failed = self.pipeline(steps, f"{kind}-1", good)
                    self.assertIsNone(failed)
                    self.assertEqual(current(), f"releases/{kind}-1")
                    self.assertIn("<testsuite", (operator.directory / "verify.xml").read_text())
                    self.project(settings={"SENTINEL_DEBUG": "true", "SENTINEL_ATTEMPTS": 4 + (kind == "gitlab")})
                    ran, failed = self.pipeline([(name, text.replace("--deadline 60", "--deadline 3"), late) for name, text, late in steps], f"{kind}-2", bad)
                    self.assertEqual(failed[:2], ("verify", 6), failed)
                    self.assertEqual(len(ran), len(steps))
                    self.assertEqual(current(), f"releases/{kind}-1")


if __name__ == "__main__":
    unittest.main()
