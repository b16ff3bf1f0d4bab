# SPDX-License-Identifier: Apache-2.0
"""The scanners that Debian has, on a test host: Lynis, and OpenSCAP with the content of ComplianceAsCode. They come from Debian's mirrors
by way of this machine, so the hosts' images need not hold what only the bench wants."""

import re
import subprocess
import tempfile
from pathlib import Path

from hosts import images

PACKAGES = ["lynis", "openscap-scanner", "ssg-debderived"]
# Debian 12 has no content for itself: Debian 11's has no CIS profile, Ubuntu 22.04's has, and its rules are about the same programs and files.
# It refuses hosts of another release, so the line that says for which it is goes.
CONTENT, FREED = "/usr/share/xml/scap/ssg/content/ssg-ubuntu2204-ds.xml", "/root/content.xml"
PROFILE = "xccdf_org.ssgproject.content_profile_cis_level1_server"
LYNIS_REPORT = "/var/log/lynis-report.dat"
FEWEST = 100  # a scanner that looked at less has not done its work


def put_on(host):
    """Installs them on a running Debian 12 host."""
    with tempfile.TemporaryDirectory() as directory:
        store = Path(directory)
        images.download(host.suite, host.read("/var/lib/dpkg/status"), PACKAGES, store)
        host.run(["mkdir", "-p", "/root/scanners"])
        archives = sorted(store.glob("*.deb"))
        packed = subprocess.run(["tar", "-C", directory, "-c", *(archive.name for archive in archives)], check=True, capture_output=True).stdout
        host.run(["tar", "-C", "/root/scanners", "-x"], input=packed, text=False)
    host.run(["sh", "-c", "dpkg --install /root/scanners/*.deb"], timeout=600)
    host.run(["sh", "-c", f"sed '/platform idref=\"cpe:/d' {CONTENT} >{FREED}"])


def lynis(host):
    """A whole audit by Lynis; the ids of the tests that were run."""
    host.run(["lynis", "audit", "system", "--quick", "--quiet", "--no-colors"], check=False, timeout=600)  # its exit code counts warnings
    report = host.read(LYNIS_REPORT).decode(errors="replace")
    ids = re.search(r"^tests_executed=(.*)$", report, re.MULTILINE)[1].strip("|").split("|")
    assert "finish=true" in report and len(ids) >= FEWEST, f"Lynis ran {len(ids)} tests"
    return ids


def openscap(host):
    """The CIS profile by OpenSCAP; {rule: "pass", "fail"...} of the rules that apply."""
    done = host.run(["oscap", "xccdf", "eval", "--profile", PROFILE, FREED], check=False, timeout=600)
    assert done.returncode in (0, 2), f"oscap: exit {done.returncode}: {done.stderr}"  # 2: there are findings
    found = dict(re.findall(r"^Rule\s+\S*?rule_(\S+)\s+Result\s+(\S+)$", done.stdout, re.MULTILINE))
    applied = {rule: result for rule, result in found.items() if result not in ("notapplicable", "notselected")}
    assert len(applied) >= FEWEST, f"{len(applied)} of {len(found)} rules apply: {done.stdout[:600]}"
    return applied
