"""A container engine of the tests' own: a real `dockerd` with its own data, and a small image.

`engine` is a fixture for the whole session. It needs root and Debian's `docker.io` (no registry, no
bridge, no systemd). Where it cannot run, tests are skipped with the reason.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.sandbox.container import Container
from pipeline.sandbox.engine import Runner
from pipeline.sandbox.selftest import anybodys_python

IMAGE = "acp-test:latest"
_UP_WITHIN_S = 30.0
# What the image holds besides Python and git, each with the libraries that it needs.
_PROGRAMS = (
    *("sh", "bash", "env", "cat", "ls", "cp", "mv", "rm", "mkdir", "rmdir", "ln", "chmod", "touch"),
    *("mktemp", "mkfifo", "true", "false", "sleep", "echo", "printf", "seq", "yes", "head", "tail"),
    *(
        "tr",
        "wc",
        "id",
        "stat",
        "sort",
        "uname",
        "dd",
        "test",
        "pwd",
        "basename",
        "dirname",
        "kill",
    ),
    *("grep", "sed", "find", "flock", "setsid", "unshare", "setpriv", "git", "make", "tar", "gzip"),
)
_NOT_OF_PYTHON = {"test", "site-packages", "dist-packages", "idlelib", "tkinter", "lib2to3"}
# What every distribution has for programs that come along with a session.
_USUAL = ("gcc_s", "stdc++", "rt", "pthread", "dl", "m", "util", "resolv", "nss_files")
_TOP_LEVEL = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine: the path of its socket, and the name of an image that it has."""

    socket: Path
    image: str = IMAGE

    @property
    def url(self) -> str:
        """As `DOCKER_HOST` and the SDK want it."""
        return f"unix://{self.socket}"

    @contextmanager
    def client(self) -> Iterator[Any]:
        """The SDK's client."""
        from docker.client import DockerClient

        with closing(DockerClient(base_url=self.url)) as client:
            yield client


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """An engine with the image, for the whole session."""
    if why := missing():
        pytest.skip(why)
    with ExitStack() as stack:
        try:
            found = stack.enter_context(loaded())
        except DidNotStart as error:
            pytest.skip(f"dockerd does not start here: {str(error).splitlines()[-1]}")
        yield found


class DidNotStart(Exception):
    """The engine ended instead of listening, such as in a container without rights."""


@contextmanager
def loaded() -> Iterator[Engine]:
    """An engine that has the image."""
    with running() as found:
        load(found)
        yield found


def contained(engine: Engine) -> Container:
    """The backend that runs commands there; it sees this machine's files."""
    return Container(Runner(engine.socket, engine.image))


def missing() -> str:
    """Why no engine can be started here; empty where one can."""
    if os.geteuid():
        return "a container engine of our own needs root"
    absent = [name for name in ("dockerd", "containerd", "runc") if not shutil.which(name)]
    return f"no container engine here: {', '.join(absent)} not found" if absent else ""


@contextmanager
def running(*options: str, below: Path | None = None) -> Iterator[Engine]:
    """A `dockerd` over an empty directory; gone with all it made at the end."""
    with tempfile.TemporaryDirectory(
        prefix="acp-engine-", dir=below, ignore_cleanup_errors=True
    ) as name:
        place = Path(name)
        found = Engine(place / "docker.sock")
        # With us it ends as well, should nobody be left to end it.
        command = ["setpriv", "--pdeathsig", "TERM"]
        command += ["dockerd", "--iptables=false", "--bridge=none", "-H", found.url, *options]
        command += ["--data-root", f"{place}/data", "--exec-root", f"{place}/exec"]
        log = (place / "log").open("wb")
        with (
            log,
            subprocess.Popen(
                [*command, "--pidfile", f"{place}/pid"], stdout=log, stderr=log, cwd="/"
            ) as process,
        ):
            try:
                _wait(found, process, place / "log")
                yield found
            finally:
                process.terminate()
                process.wait()
                _unmount(place)


def _unmount(place: Path) -> None:
    """What an engine leaves mounted below its place, so that it can be removed."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for point in reversed([point for point in mounts if point.startswith(f"{place}/")]):
        subprocess.run(["umount", "-l", point], check=False)


def _wait(engine: Engine, process: subprocess.Popen[bytes], log: Path) -> None:
    from docker.errors import DockerException

    deadline = time.monotonic() + _UP_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with socket.socket(socket.AF_UNIX) as asking:
            if asking.connect_ex(str(engine.socket)) == 0:
                break
        time.sleep(0.05)
    try:
        with engine.client() as client:
            client.ping()
    except DockerException as error:
        raise DidNotStart(log.read_text()[-2000:] or "it said nothing") from error


def load(engine: Engine, image: str = IMAGE) -> None:
    """Give the engine an image of this machine's own programs: no registry is asked."""
    with tempfile.TemporaryDirectory(prefix="acp-image-") as place:
        archive = f"{place}/image.tar"
        names = "\0".join(sorted(files_of())).encode()
        pack = ["tar", "-cf", archive, "-P", "--no-recursion", "--null", "-T", "-"]
        subprocess.run(pack, input=names, check=True)
        with engine.client() as client:
            client.api.import_image_from_file(archive, *image.split(":"))


def files_of(programs: Iterable[str] = (), directories: Iterable[str] = ()) -> set[str]:
    """Programs, Python's standard library and every library they need, links and their targets.

    `programs` and `directories` come on top.
    """
    everywhere = "/usr/bin:/bin:/usr/sbin:/sbin"
    wanted = (*_PROGRAMS, *programs)
    named = [found for name in wanted if (found := shutil.which(name, path=everywhere))]
    named += [str(path) for one in directories for path in Path(one).rglob("*") if path.is_file()]
    python = Path(anybodys_python()).resolve()
    library = python.parents[1] / "lib" / python.name
    modules = [
        str(path)
        for path in library.rglob("*")
        if path.is_file() and not _NOT_OF_PYTHON & set(path.parts)
    ]
    programs = [*named, str(python), *(name for name in modules if name.endswith(".so"))]
    usual = [one for name in _USUAL for one in Path("/usr/lib").glob(f"*-linux-gnu/lib{name}.so.*")]
    more = [*Path("/usr/share/git-core/templates").rglob("*"), *usual]
    every = {
        *programs,
        *map(str, more),
        *modules,
        *_libraries(programs),
        str(python.with_name("python3")),
    }
    links = {name for name in _TOP_LEVEL if Path(name).is_symlink()}
    return links | {_placed(name) for name in every} | {os.path.realpath(name) for name in every}


def _placed(name: str) -> str:
    """The name without links on the way to it; it may be a link itself."""
    return str(Path(name).parent.resolve() / Path(name).name)


def _libraries(programs: Iterable[str]) -> set[str]:
    said = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    return {
        word
        for line in said.splitlines()
        for word in line.split()
        if word.startswith("/") and not word.endswith(":")
    }


if __name__ == "__main__":
    with loaded() as started:
        print(started.url, started.image, flush=True)
        sys.stdin.read()
