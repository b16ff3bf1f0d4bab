# SPDX-License-Identifier: Apache-2.0
"""The writable disk of a host: a directory, or an ext4 image that can be copied as a power cut would leave it.

Either holds upper/ and work/ of the overlay over the base image, and docker/. The image lies on an ext4 of its own
(outer.img) that is frozen for the moment of a copy: what the host has synced is on the inner device by then, what it has
not is in memory only, and nothing is written between the first and the last byte of the copy.
"""

import os
import secrets
import subprocess

from . import state

INNER_SIZE = "4G"
OUTER_SIZE = "5G"


def prepare(host, prefix, from_disk):
    """Makes the disk of a new host: a fresh one with the host's identity, an empty one on a base, or a copy of `from_disk`."""
    home = host.directory
    for folder in ("root", "outer", "disk/upper", "disk/work", "disk/docker"):
        (home / folder).mkdir(parents=True)
    interfaces = (f"auto host0\niface host0 inet static\n    address {host.address}/{prefix}\n    gateway {host.gateway}\n")
    (home / "interfaces").write_text(interfaces)
    upper = home / "disk/upper"
    if host.on:
        (upper / "etc/network/interfaces.d").mkdir(parents=True)
        (upper / "etc/network/interfaces.d/50-cloud-init").write_text(interfaces)
        subprocess.run(["cp", "-a", "--reflink=auto", "--", f"{host.on.docker}/.", str(home / "disk/docker")], check=True)
    elif from_disk is None:
        _give_identity(upper, host, interfaces)
    if host.disk_kind == "image":
        _make_image(home, from_disk)
    elif host.disk_kind != "directory":
        raise state.HostError(f"disk '{host.disk_kind}': 'directory' or 'image'")


def _give_identity(upper, host, interfaces):
    """What cloud-init writes on a first boot: name, keys, network; and a machine id, so no boot counts as the first."""
    key = host.key.with_suffix(".pub").read_text()
    files = {
        "etc/hostname": f"{host.name}\n",
        "etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 {host.name}\n::1 localhost ip6-localhost ip6-loopback\n",
        "etc/machine-id": secrets.token_hex(16) + "\n",
        "etc/network/interfaces.d/50-cloud-init": interfaces,
        "root/.ssh/authorized_keys": key,
        "home/debian/.ssh/authorized_keys": key,
    }
    for path, content in files.items():
        (upper / path).parent.mkdir(parents=True, exist_ok=True)
        (upper / path).write_text(content)
    for home, owner in (("root", 0), ("home/debian", 1000)):
        (upper / home).chmod(0o700)
        for path in (f"{home}/.ssh", f"{home}/.ssh/authorized_keys"):
            (upper / path).chmod(0o700 if path.endswith(".ssh") else 0o600)
            os.chown(upper / path, owner, owner)
        os.chown(upper / home, owner, owner)
    (upper / "etc/ssh").mkdir()
    for kind in ("ed25519", "ecdsa"):
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", f"root@{host.name}",
                        "-f", str(upper / f"etc/ssh/ssh_host_{kind}_key")], check=True)


def _make_image(home, from_disk):
    inner = home / "outer-content" / "disk.img"
    inner.parent.mkdir()
    if from_disk is None:
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(home / "disk"), str(inner), INNER_SIZE],
                       check=True, capture_output=True)
    else:
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", "--", str(from_disk), str(inner)], check=True)
    # No journal: this one is only a container that can be frozen.
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", str(inner.parent), str(home / "outer.img"), OUTER_SIZE],
                   check=True, capture_output=True)
    inner.unlink()
    inner.parent.rmdir()


def snapshot(host, path):
    """See Host.snapshot_disk."""
    if host.disk_kind != "image":
        raise state.HostError("a snapshot needs Host(disk=\"image\")")
    outer = host.directory / "outer"
    enter = ["nsenter", "--target", str(host.supervisor_pid()), "--mount", "--"]
    subprocess.run([*enter, "fsfreeze", "--freeze", str(outer)], check=True)
    try:
        subprocess.run(["cp", "--sparse=always", "--", f"/proc/{host.supervisor_pid()}/root{outer}/disk.img", str(path)], check=True)
    finally:
        subprocess.run([*enter, "fsfreeze", "--unfreeze", str(outer)], check=True)
