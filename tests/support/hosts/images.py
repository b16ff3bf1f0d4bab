# SPDX-License-Identifier: Apache-2.0
"""Base images of Debian releases and their offline package repositories, built once and cached.

An image is named by a digest of its recipe (the folder recipe/), so a changed recipe is a new image. It is built in a
temporary directory and renamed, so what has the final name is complete.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import state

SUITES = ("bullseye", "bookworm", "trixie")
RECIPE = Path(__file__).resolve().parent / "recipe"
POCKETS = ("", "-updates", "-security")


class Image:
    """A base tree (`root`, never written after building) and the packages a host may install (`repository`)."""

    def __init__(self, suite, directory):
        self.suite = suite
        self.directory = directory
        self.root = directory / "root"
        self.repository = directory / "repository"


def _names(file, suite):
    """The package names of a recipe file that hold for `suite`."""
    chosen = []
    for line in (RECIPE / file).read_text().splitlines():
        for word in line.partition("#")[0].split():
            package, _, suites = word.partition(":")
            if not suites or suite in suites.split(","):
                chosen.append(package)
    return chosen


def _digest(suite):
    digest = hashlib.sha256(suite.encode())
    for path in sorted(path for path in RECIPE.rglob("*") if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"\n{path.relative_to(RECIPE)} {path.stat().st_mode & 0o777:o} {content}".encode())
    return digest.hexdigest()[:16]


def _sources(suite):
    """apt lines for `suite` from the mirrors this machine uses for its own release."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    own = release.get("VERSION_CODENAME", "")
    listed = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
                            check=True, capture_output=True, text=True).stdout
    lines = []
    for uri, name, component in (line.split() for line in listed.splitlines()):
        if component == "main" and own and name in [own + pocket for pocket in POCKETS]:
            line = f"deb {uri} {suite}{name.removeprefix(own)} main"
            if line not in lines:
                lines.append(line)
    if not lines:
        raise state.HostError("this machine's apt sources name no Debian mirror (expected its own release, component main)")
    return lines


def download(suite, status, names, directory):
    """Fetches into `directory` what installing `names` takes where `status` is dpkg's status file, recommended packages left out: for what
    the offline repository hasn't got. Uses this machine's apt and mirrors, with lists of its own."""
    (directory / "partial").mkdir(parents=True, exist_ok=True)
    (directory / "status").write_bytes(status)
    (directory / "sources.list").write_text("".join(f"{line}\n" for line in _sources(suite)))
    apt = ["apt-get", "-q", "-y", "-o", "APT::Sandbox::User=root", "-o", "Dir::Etc::sourceparts=-", "-o", f"Dir::Etc::sourcelist={directory}/sources.list", "-o",
           f"Dir::State={directory}", "-o", f"Dir::State::status={directory}/status", "-o", f"Dir::Cache={directory}", "-o", f"Dir::Cache::archives={directory}"]
    for words in (["update"], ["--no-install-recommends", "--download-only", "install", *names]):
        done = subprocess.run([*apt, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise state.HostError(f"fetching {' '.join(names)} for {suite} failed: {done.stderr.strip()}")


def _directory(suite):
    return state.CACHE / "images" / f"{suite}-{_digest(suite)}"


def _build(suite, directory):
    directory.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{suite}-", dir=directory.parent))
    work.chmod(0o755)
    try:
        repository = work / "repository"
        repository.mkdir()
        environment = dict(os.environ, LC_ALL="C.UTF-8", TESTHOST_REPOSITORY=str(repository),
                           TESTHOST_OFFLINE=" ".join(_names("packages.offline", suite)), TESTHOST_FILES=str(RECIPE / "files"))
        log = directory.parent / f"{suite}.log"
        with open(log, "w") as output:
            # In a mount namespace of its own: what an interrupted build had mounted must not be there when it is deleted.
            done = subprocess.run(
                ["unshare", "--mount", "--propagation=private", "--", "mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(_names('packages.base', suite))}",
                 f"--customize-hook={RECIPE / 'customize.sh'}", suite, str(work / "root"), *_sources(suite)],
                env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise state.HostError(f"building the {suite} image failed; the last of {log}:\n" + "\n".join(log.read_text().splitlines()[-15:]))
        index = subprocess.run(["apt-ftparchive", "packages", "."], cwd=repository, check=True, capture_output=True).stdout
        (repository / "Packages").write_bytes(index)
        release = subprocess.run(["apt-ftparchive", "-c", RECIPE / "release.conf", "-o", f"APT::FTPArchive::Release::Codename={suite}-security", "release", "."], cwd=repository, check=True, capture_output=True).stdout
        (repository / "Release").write_bytes(release)
        work.rename(directory)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def image(suite):
    """The image of `suite`, built now when it is missing; concurrent callers wait for the one that builds."""
    if suite not in SUITES:
        raise state.HostError(f"unknown suite '{suite}' (there are {', '.join(SUITES)})")
    directory = _directory(suite)
    if not directory.exists():
        state.require_root()
        with state.lock(f"image-{suite}", waiting=f"another process builds the {suite} image; waiting"):
            if not directory.exists():
                print(f"building the {suite} image (once; a minute or two)", flush=True)
                _build(suite, directory)
    return Image(suite, directory)


def remove_stale():
    """Removes the images of recipes that are no more and what interrupted builds left; what a host uses stays. Returns the paths."""
    removed = []
    for suite in SUITES:
        with state.lock(f"image-{suite}"), state.lock("hosts"):
            used = {record["image"] for record in map(state.read_record, state.names()) if record}
            for path in [*(state.CACHE / "images").glob(f"{suite}-*"), *(state.CACHE / "images").glob(f".{suite}-*")]:
                if path != _directory(suite) and str(path) not in used:
                    shutil.rmtree(path)
                    removed.append(path)
    return removed
