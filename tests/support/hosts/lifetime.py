# SPDX-License-Identifier: Apache-2.0
"""The end of hosts: with their test, with the process that made them, or by whoever comes next."""

import atexit
import os
import signal
import sys
import threading

from . import container, limits, network, state

_alive = {}
_guarded = []


def guard():
    """Lets this process, however it ends short of SIGKILL, take its hosts along. Signals are only handled in the main thread."""
    if not _guarded:
        _guarded.append(os.getpid())
        atexit.register(_destroy_all)
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, lambda number, _: sys.exit(128 + number))


def register(host):
    guard()
    _alive[id(host)] = host


def unregister(host):
    _alive.pop(id(host), None)


def _destroy_all():
    if os.getpid() in _guarded:
        for host in reversed(list(_alive.values())):
            host.destroy()


def remove(name, supervisor=None):
    """Ends a host and removes its state; the bridge goes with the last host."""
    record = state.read_record(name)
    for identity in {supervisor, record and record["supervisor"]} - {None}:
        container.kill(identity)
    container.remove_cgroups(name)
    with state.lock("hosts"):
        network.remove_port(name)
        state.remove_directory(name)
        if not state.names():
            network.remove_bridge_if_unused()
            limits.put_back()


def clean():
    """Removes what runs that were killed have left; returns the names."""
    with state.lock("clean"):
        with state.lock("hosts"):
            leftovers = [name for name in state.names() if state.is_leftover(name)]
        for name in leftovers:
            remove(name)
        state.empty_trash()
    return leftovers
