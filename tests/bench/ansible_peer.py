# SPDX-License-Identifier: Apache-2.0
"""The same host by Ansible: writes inventory and variables for tests/bench/ansible/site.yaml and runs it.

Ansible needs Python on a host, which a bare one has not; install_python puts it there. That isn't part of what is measured."""

import json
import os
import re
import subprocess
from pathlib import Path

PLAYBOOK = Path(__file__).resolve().parent / "ansible" / "site.yaml"


def install_python(host):
    host.run(["sh", "-c", "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q python3 python3-apt"], timeout=600)


class Playbook:
    """The playbook for one host, with its files in `directory`."""

    def __init__(self, host, description, directory):
        self._directory = directory
        files = directory / "files"
        files.mkdir(parents=True)
        self.variables = description.variables(files)
        (directory / "variables.json").write_text(json.dumps(self.variables))
        (directory / "inventory.json").write_text(json.dumps({"all": {"hosts": {"web-1": {
            "ansible_host": host.address, "ansible_ssh_private_key_file": str(host.key),
            "ansible_ssh_common_args": f"-o IdentitiesOnly=yes -o UserKnownHostsFile={host.known_hosts}",
            "ansible_ssh_args": f"-F none -o ControlMaster=auto -o ControlPersist=60s -o ControlPath={directory}/%C"}}}}))

    def environment(self):
        return {**os.environ, "ANSIBLE_CONFIG": str(PLAYBOOK.parent / "ansible.cfg"), "ANSIBLE_LOCAL_TEMP": str(self._directory / "local"),
                "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"}

    def run(self, user, *options):
        """Runs it to its good end; how many tasks changed something."""
        done = subprocess.run(["ansible-playbook", "-i", self._directory / "inventory.json", "-e", f"@{self._directory / 'variables.json'}",
                               "-e", f"ansible_user={user}", *options, PLAYBOOK], env=self.environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=1200)
        if done.returncode != 0:
            raise AssertionError(f"ansible-playbook: exit {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}")
        changed = re.search(r"changed=(\d+)", done.stdout)
        return int(changed.group(1)) if changed else 0
