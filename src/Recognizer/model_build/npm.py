"""A package of npm's registry at a pinned version and digest, fetched by npm itself.

Owns the call of npm and what is said while it runs and when it fails. Other content than was pinned is never used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from model_build import digests
from model_build.errors import FetchFailed, WrongDigest

_TIMEOUT_S = 600
_TICK_S = 0.5
_WAY_OUT = "or set MODEL_URL to a folder or .tar.gz with a detection model in TF Hub layout"


@dataclass(frozen=True, slots=True)
class Package:
    """A package as it is pinned.

    Attributes:
        name: with its scope.
        version: its version.
        sha256: digest of its tarball, in hexadecimal.
        size_mb: of its tarball, for people.
    """

    name: str
    version: str
    sha256: str
    size_mb: int

    @property
    def tarball(self) -> str:
        """The file that ``npm pack`` makes."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


def fetch(package: Package, folder: Path) -> Path:
    """The package's tarball in a folder: one that is there already, or fetched now.

    Raises:
        FetchFailed: npm is missing, or cannot fetch the package.
        WrongDigest: npm delivered something else than was pinned.
    """
    tarball = folder / package.tarball
    if tarball.is_file() and digests.of_file(tarball) == package.sha256:
        return tarball
    npm = shutil.which("npm")
    if npm is None:
        raise FetchFailed(f"the fallback model comes from npm, which is not on the PATH: install Node.js, {_WAY_OUT}")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".npm-") as temporary:
        _pack(npm, package, Path(temporary))
        fetched = Path(temporary, package.tarball)
        digest = digests.of_file(fetched) if fetched.is_file() else "missing"
        if digest != package.sha256:
            raise WrongDigest(
                f"the tarball of {package} that npm delivered has SHA-256 {digest}, not {package.sha256}, and is not"
                f" used: check npm's registry setting and whatever stands between it and the registry, {_WAY_OUT}"
            )
        fetched.replace(tarball)
    return tarball


def _pack(npm: str, package: Package, folder: Path) -> None:
    """Have npm put the package's tarball into ``folder``, from its own cache where it has it."""
    # One retry, not npm's two: the second waits a minute, too long to learn that there is no network.
    options = ["--pack-destination", os.fspath(folder), "--prefer-offline", "--ignore-scripts", "--fetch-retries=1"]
    command = [npm, "pack", str(package), *options]
    advice = f"check the network and npm's proxy and registry settings, {_WAY_OUT}"
    # In that folder, so that no .npmrc or package.json of the caller's has a say.
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            said = _said(process, f"npm pack {package} ({package.size_mb} MB)")
        except BaseException:
            process.kill()
            raise
    if said is None:
        raise FetchFailed(f"npm took over {_TIMEOUT_S} s to fetch {package}: {advice}")
    if process.returncode != 0:
        errors = [line for line in said.splitlines() if line.lower().startswith("npm err")]
        raise FetchFailed(f"npm could not fetch {package} ({'; '.join(errors[:4])}): {advice}")


def _said(process: subprocess.Popen[str], doing: str) -> str | None:
    """What a process said on stderr before it ended, its seconds counted for people; None if its time was up.

    Seconds, because npm does not tell how many bytes it has.
    """
    until_s = time.monotonic() + _TIMEOUT_S
    with tqdm(desc=doing, bar_format="{desc}: {elapsed}") as clock:
        while time.monotonic() < until_s:
            try:
                return process.communicate(timeout=min(_TICK_S, _TIMEOUT_S))[1]
            except subprocess.TimeoutExpired:
                clock.refresh()
    process.kill()
    return None
