#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs on the finished tree of a base image (argument 1), as a customize hook of mmdebstrap: first fetches the offline
# repository with the image's own apt, then makes the tree look like a cloud image. What may differ from host to host
# (name, keys, machine id, address) is not decided here.
# Environment: TESTHOST_OFFLINE packages of the repository, TESTHOST_REPOSITORY where they go, TESTHOST_FILES files to lay over.
set -eu
root=$1

# shellcheck disable=SC2086 # a list of names
chroot "$root" apt-get install --yes --quiet=2 --download-only --install-recommends $TESTHOST_OFFLINE
for archive in "$root"/var/cache/apt/archives/*.deb; do
    # An epoch is written "_1%3a" in the name; apt's file: method would look for a colon.
    mv "$archive" "$TESTHOST_REPOSITORY/$(basename "$archive" | sed 's/_[0-9]*%3a/_/')"
done

rm -rf "$root"/etc/apt/sources.list.d/* "$root"/etc/ssh/ssh_host_*
cp -a --no-preserve=ownership "$TESTHOST_FILES/." "$root/"
chmod 0440 "$root/etc/sudoers.d/90-cloud-init-users"
sed -i -E 's/^(passwd|group|shadow|gshadow):.*/\1: files systemd/; s/^hosts:.*/hosts: files myhostname dns/' "$root/etc/nsswitch.conf"
chroot "$root" useradd --create-home --shell /bin/bash --comment Debian debian
ln -s ../testhost-cgroups.service "$root/etc/systemd/system/sysinit.target.wants/testhost-cgroups.service"
# No name server is reachable: an empty list fails at once where an unreachable one would cost every lookup 10 s.
: >"$root/etc/resolv.conf"
