"""Debian packages for small machines, unpacked beside the checkout: kernels, other architectures.

They come through apt from wherever this system's own come, with a state of its own: nothing of the
system changes.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

KEPT = Path(__file__).parents[2] / ".machines"


class Missing(Exception):
    """What a small machine needs is not here, and cannot be fetched."""


@dataclass(frozen=True)
class Shelf:
    """One architecture of one release; without a name the release that the system has."""

    architecture: str
    release: str = ""

    @property
    def place(self) -> Path:
        return KEPT / f"{self.release or 'own'}-{self.architecture}"

    def kernel(self) -> Path:
        """The directory in which the newest small kernel and its modules lie."""
        with self._alone():
            unpacked = self.place / "kernel"
            if not unpacked.exists():
                self._updated()
                meta = f"linux-image-cloud-{self.architecture}"
                depends = self._asked("apt-cache", "depends", meta).splitlines()
                names = [line.split()[-1] for line in depends if "Depends: linux-image" in line]
                self._unpacked(names[:1] or [meta], unpacked)
            return unpacked

    def root(self, names: Sequence[str]) -> Path:
        """The files of those packages and of all that they need, as they lie in a root."""
        with self._alone():
            unpacked = self.place / "root"
            if not unpacked.exists():
                self._updated()
                install = ("apt-get", "install", "-y", "--print-uris", "--no-install-recommends")
                words = self._asked(*install, *names).split()
                debs = [word for word in words if word.endswith(f"_{self.architecture}.deb")]
                self._unpacked(sorted({*(deb.split("_")[0] for deb in debs), *names}), unpacked)
            return unpacked

    def _unpacked(self, names: Sequence[str], target: Path) -> None:
        debs, aside = self.place / "debs", target.with_suffix(".part")
        shutil.rmtree(debs, ignore_errors=True)
        shutil.rmtree(aside, ignore_errors=True)
        debs.mkdir()
        self._asked("apt-get", "download", *names, cwd=debs)
        for deb in debs.glob("*.deb"):
            _run("dpkg-deb", "-x", str(deb), str(aside))
        shutil.rmtree(debs)
        aside.rename(target)

    def _updated(self) -> None:
        for name in ("lists/partial", "cache/archives/partial"):
            (self.place / name).mkdir(parents=True, exist_ok=True)
        (self.place / "status").touch()
        if self.release:
            form = ("--format", "$(REPO_URI)", "Created-By: Packages")
            (mirror, *_) = _run("apt-get", "indextargets", *form).split() or [""]
            (self.place / "sources.list").write_text(f"deb {mirror} {self.release} main\n")
        self._asked("apt-get", "update")

    def _asked(self, program: str, *words: str, cwd: Path | None = None) -> str:
        place = self.place
        settings = {
            "APT::Architecture": self.architecture,
            "APT::Architectures::": self.architecture,
            "APT::Sandbox::User": "root",
            "Dir::State::Lists": place / "lists",
            "Dir::State::status": place / "status",
            "Dir::Cache": place / "cache",
        }
        if self.release:
            settings |= {"Dir::Etc::sourcelist": place / "sources.list"}
            settings |= {"Dir::Etc::sourceparts": "-"}
        options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
        return _run(program, "-qq", *options, *words, cwd=cwd)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.place.mkdir(parents=True, exist_ok=True)
        with (self.place / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _run(*argv: str, cwd: Path | None = None) -> str:
    if not shutil.which(argv[0]):
        raise Missing(f"there is no {argv[0]} here: small machines are made of Debian's packages")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"{argv[0]} failed: {done.stderr.strip()[-300:]}")
    return done.stdout
