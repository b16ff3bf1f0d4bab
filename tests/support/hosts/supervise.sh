#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs one host, in a mount namespace of its own (so its mounts vanish with it), until the host is off or gets killed.
# A reboot asked for inside the host starts it again on the same disk, as a machine would.
# Arguments: STATE LOWER HIERARCHY NAME, then the command that boots the container. LOWER are the read-only directories of the
# overlay, topmost first, with colons between; HIERARCHY is "machine" or "unified".
set -eu
state=$1 lower=$2 hierarchy=$3 name=$4
shift 4

# A cgroup of its own in every hierarchy: two hosts in one would share, and stop, each other's units.
join_cgroup() {
    mkdir -p "$1/sentinel-test-$name"
    if [ -f "$1/cpuset.cpus" ] && [ -f "$1/sentinel-test-$name/cpuset.cpus" ]; then
        for file in cpuset.cpus cpuset.mems; do cat "$1/$file" >"$1/sentinel-test-$name/$file"; done
    fi
    echo $$ >"$1/sentinel-test-$name/cgroup.procs"
}

if [ -f "$state/outer.img" ]; then
    mount -o loop,noatime "$state/outer.img" "$state/outer"
    mount -o loop "$state/outer/disk.img" "$state/disk"
    # A copy taken at a power cut may hold the address of another host.
    mkdir -p "$state/disk/upper/etc/network/interfaces.d"
    cp "$state/interfaces" "$state/disk/upper/etc/network/interfaces.d/50-cloud-init"
fi
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$state/disk/upper,workdir=$state/disk/work" "$state/root"

for tree in /sys/fs/cgroup /sys/fs/cgroup/*; do
    if [ -f "$tree/cgroup.procs" ] && mountpoint -q "$tree"; then join_cgroup "$tree"; fi
done
if [ "$hierarchy" = unified ] && [ ! -f /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
mkdir -p /run/systemd/nspawn
mount -t tmpfs -o mode=0755 tmpfs /run/systemd/nspawn

while :; do
    code=0
    "$@" || code=$?
    # 133: systemd-nspawn's word for "the container asked for a reboot".
    [ "$code" = 133 ] || exit "$code"
done
