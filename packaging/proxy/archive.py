# SPDX-License-Identifier: Apache-2.0
"""Tar archives that depend on nothing but their contents: the same input gives the same bytes."""

import hashlib
import io
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path


def stripped(program):
    """The program's bytes without debug information."""
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "program"
        subprocess.run(["strip", "-o", target, program], check=True)
        return target.read_bytes()


def digest(data):
    return hashlib.sha256(data).hexdigest()


def tar(files):
    """`files`: name -> (bytes, mode). Parent folders are added."""
    stamp = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.GNU_FORMAT) as archive:
        folders = {str(parent) for name in files for parent in Path(name).parents if str(parent) != "."}
        for name in sorted({*files, *folders}):
            entry = tarfile.TarInfo(name)
            entry.mtime = stamp
            entry.uname = entry.gname = "root"
            if name in files:
                data, entry.mode = files[name]
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
            else:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
    return output.getvalue()
