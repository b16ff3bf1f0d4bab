# SPDX-License-Identifier: Apache-2.0
"""The bridge all test hosts of this machine share: its address, the hosts' addresses, and how a host is cut off.

Call everything that makes or removes something under state.lock("hosts").
"""

import ipaddress
import json
import subprocess

from . import state

BRIDGE = "sentinel-test"
# Its own, as RFC 7042 section 2.1 leaves them to anybody. Without one the kernel gives a bridge the lowest address of its ports: with a
# host that comes or goes it becomes another, and the packets of all other hosts are lost until they ask for it again (half a minute).
BRIDGE_MAC = "02:00:00:5e:00:01"
CANDIDATES = [ipaddress.ip_network(f"10.{second}.0.0/20") for second in range(213, 223)]


def ip(*arguments, check=True):
    return subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True)


def _bridge_exists():
    return ip("link", "show", BRIDGE, check=False).returncode == 0


def _free_network():
    routes = json.loads(ip("-json", "route", "show", "table", "all").stdout)
    taken = [ipaddress.ip_network(route["dst"], strict=False) for route in routes
             if route["dst"] != "default" and ":" not in route["dst"] and route.get("dev") != BRIDGE]
    for network in CANDIDATES:
        if not any(network.overlaps(other) for other in taken):
            return network
    raise state.HostError(f"no free network for the test hosts: all of {', '.join(map(str, CANDIDATES))} are in use")


def ensure_bridge():
    """Makes the bridge when it is missing; returns (this machine's address on it, prefix length)."""
    if not _bridge_exists():
        network = _free_network()
        ip("link", "add", BRIDGE, "address", BRIDGE_MAC, "type", "bridge", "stp_state", "0", "forward_delay", "0")
        ip("address", "add", f"{network[1]}/{network.prefixlen}", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
    described = json.loads(ip("-json", "-4", "address", "show", BRIDGE).stdout)[0]["addr_info"][0]
    return described["local"], described["prefixlen"]


def take_address(in_use):
    """The next address that no host has. Addresses are handed out in turn, so one is not reused at once."""
    gateway, prefix = ensure_bridge()
    network = ipaddress.ip_network(f"{gateway}/{prefix}", strict=False)
    counter = state.CACHE / "next-address"
    first = int(counter.read_text()) if counter.exists() else 0
    usable = network.num_addresses - 12
    for offset in range(usable):
        number = (first + offset) % usable
        address = str(network[10 + number])
        if address not in in_use:
            counter.write_text(str(number + 1))
            return address
    raise state.HostError(f"no free address left in {network}")


def remove_bridge_if_unused():
    if _bridge_exists() and not json.loads(ip("-json", "link", "show", "master", BRIDGE).stdout):
        ip("link", "delete", BRIDGE)


def port(name):
    """The machine's end of a host's link, as systemd-nspawn names it."""
    return f"vb-{name}"


def remove_port(name):
    """Removes a dead host's link at once; by itself it would go when the kernel gets round to the dead network namespace."""
    if ip("link", "delete", port(name), check=False).returncode != 0 and ip("link", "show", port(name), check=False).returncode == 0:
        raise state.HostError(f"the network link {port(name)} can't be removed")


def cut(name, address, mac, enter):
    """Drops every packet of a host silently, in both directions, as a broken path does.

    The neighbour entries are pinned first: without answers to ARP both kernels would report "no route" after
    three seconds, which tells a program more than a real outage does. `enter` runs a command in the host's network.
    """
    gateway, _ = ensure_bridge()
    own_mac = json.loads(ip("-json", "link", "show", BRIDGE).stdout)[0]["address"]
    ip("neighbour", "replace", address, "lladdr", mac, "nud", "permanent", "dev", BRIDGE)
    enter(["ip", "neighbour", "replace", gateway, "lladdr", own_mac, "nud", "permanent", "dev", "host0"])
    subprocess.run(["bridge", "link", "set", "dev", port(name), "state", "disabled"], check=True)


def restore(name, address, enter):
    gateway, _ = ensure_bridge()
    subprocess.run(["bridge", "link", "set", "dev", port(name), "state", "forwarding"], check=True)
    ip("neighbour", "del", address, "dev", BRIDGE, check=False)
    enter(["ip", "neighbour", "del", gateway, "dev", "host0"])
