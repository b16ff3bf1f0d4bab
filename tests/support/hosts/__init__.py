# SPDX-License-Identifier: Apache-2.0
"""Disposable real Debian hosts for tests. README.md beside this file is the guide; Host is the API."""

from .host import Host, clean
from .images import SUITES, image
from .prepared import Base, prepared
from .relay import Relay
from .state import HostError

__all__ = ["Base", "Host", "HostError", "Relay", "SUITES", "clean", "image", "prepared"]
