# SPDX-License-Identifier: Apache-2.0
"""Disposable real Debian hosts for tests. README.md beside this file is the guide; Host is the API."""

from .host import Host, fleet
from .images import SUITES, image
from .lifetime import clean
from .prepared import Base, prepared
from .relay import Relay
from .state import HostError

__all__ = ["Base", "Host", "HostError", "Relay", "SUITES", "clean", "fleet", "image", "prepared"]
