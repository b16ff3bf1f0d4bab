# SPDX-License-Identifier: Apache-2.0
"""What the stack makes of a host, taken from sentinelctl itself (a saved plan holds every resource), so that the peers of tools/bench
are measured at the same packages, files, services and rules, without a second list that drifts."""

import base64
import json


class Description:
    def __init__(self, operator):
        """From a plan of `operator`'s project, whose one host is still bare."""
        operator.run("plan", "--out", "bench.plan", exit=3)
        (host,) = json.loads((operator.directory / "bench.plan").read_text())["hosts"]
        self._contents = host["contents"]
        self._steps = host["plan"]["steps"]
        self._resources = host["request"]["resources"]

    @property
    def roles(self):
        """Names in the stack's order."""
        return list(dict.fromkeys(resource["id"].split("/")[0] for resource in self._resources))

    def of_kind(self, kind):
        return [(resource["id"].split("/")[0], resource["body"][kind]) for resource in self._resources if kind in resource["body"]]

    def packages_to_install(self):
        """Exactly the names a bootstrap gives to apt-get."""
        return [name for step in self._steps for action in step["actions"] for name in action.get("install_packages", {}).get("names", [])]

    def variables(self, directory):
        """The description as variables of the peer's playbook (role -> what it has of each kind); contents are written below `directory`."""
        every = {role: {"packages": [], "files": [], "directories": [], "units": []} for role in self.roles}
        for role, package in self.of_kind("package"):
            every[role]["packages"] += package["names"]
        for role, file in self.of_kind("file") + self.of_kind("sshd"):
            every[role]["files"].append(self._file(file, directory))
        for role, entry in self.of_kind("directory"):
            every[role]["directories"].append({"path": entry["path"], "owner": entry["owner"], "group": entry["group"], "mode": f"{entry['mode']:04o}"})
        for role, service in self.of_kind("service"):
            every[role]["units"].append(service["unit"])
        ((_, keys),) = self.of_kind("authorized_keys")
        ((_, firewall),) = self.of_kind("firewall")
        ((_, sysctl),) = self.of_kind("sysctl")
        lines = "".join(f"{key} = {value}\n" for key, value in sysctl["values"].items())
        return {"described": every, "login_users": [user for role, user in self.of_kind("user") if role == "users"],
                "system_users": [user for role, user in self.of_kind("user") if role != "users"],
                "groups_wanted": [group for _, group in self.of_kind("group")], "keys": keys, "firewall": firewall,
                "sysctl": {"path": sysctl["path"], "text": lines}}

    def _file(self, file, directory):
        source = directory / file["path"].lstrip("/").replace("/", "_")
        source.write_bytes(base64.b64decode(self._contents[file["content"]["digest"]]))
        return {"src": str(source), "path": file["path"], "owner": file.get("owner", "root"), "group": file.get("group", "root"),
                "mode": f"{file.get('mode', 0o644):04o}"}
