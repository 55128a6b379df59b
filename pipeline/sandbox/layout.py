"""What a sandbox looks like inside: mounts from an allow-list, a made-up /etc, and limits."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath

from pipeline.sandbox.base import Limits, Spec
from pipeline.sandbox.cgroup import Group

WORKDIR = "/workspace"
HOME = "/tmp/home"
RELAY = "/run/acp/relay.py"
HOSTNAME = "sandbox"
_PATH = ("/usr/local/bin", "/usr/bin", "/bin")
_SHM_BYTES = 512 << 20
_OPEN_FILES = 4096

_NAMESPACES = (
    *("--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    *("--die-with-parent", "--new-session", "--clearenv", "--hostname", HOSTNAME),
)
_TOP_LEVEL = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# Besides these the host's /etc stays outside: it may hold keys and names of other machines.
_ETC = ("ld.so.cache", "alternatives", "localtime", "mime.types", "ssl/certs", "ssl/openssl.cnf")


def etc(uid: int) -> Mapping[str, bytes]:
    """The made-up files of /etc for a job with that user id."""
    passwd = f"root:x:0:0:root:/:/bin/sh\nacp:x:{uid}:{uid}:acp:{HOME}:/bin/sh\n"
    nobody = "nobody:x:65534:65534:nobody:/:/bin/false\n"
    hosts = f"127.0.0.1 localhost {HOSTNAME}\n::1 localhost ip6-localhost\n"
    switch = "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n"
    return {
        "/etc/passwd": (passwd + nobody).encode(),
        "/etc/group": f"root:x:0:\nacp:x:{uid}:\nnogroup:x:65534:\n".encode(),
        "/etc/hosts": hosts.encode(),
        "/etc/nsswitch.conf": switch.encode(),
    }


@cache
def relay() -> Mapping[str, bytes]:
    """The program that leads to the proxy."""
    return {RELAY: files("pipeline.sandbox").joinpath("relay.py").read_bytes()}


def memory_files(contents: Iterable[bytes]) -> tuple[int, ...]:
    """Descriptors from which bubblewrap can read `contents`; no file of the host is involved."""
    return tuple(_memory_file(content) for content in contents)


def _memory_file(content: bytes) -> int:
    descriptor = os.memfd_create("acp-etc")
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def view(spec: Spec, limits: Limits, made_up: Mapping[str, int]) -> list[str]:
    """Bubblewrap's arguments for the root: read-only but for what the session may write, and /tmp.

    `made_up` are descriptors with the content of files that the host does not have.
    """
    args = [*_NAMESPACES, *_system(), "--dev", "/dev", "--proc", "/proc"]
    args += _tmpfs("/dev/shm", _SHM_BYTES) + _tmpfs("/tmp", limits.tmp_mb << 20)
    args += ["--perms", "1777", "--dir", HOME]
    for name, descriptor in made_up.items():
        args += [*_directories(name), "--perms", "0444", "--file", str(descriptor), name]
    args += ["--bind", str(spec.tree.resolve()), WORKDIR]
    for target, word, source in sorted(_shown(spec)):
        args += [*_directories(target), word, source, target]
    return [*args, "--remount-ro", "/dev", "--remount-ro", "/"]


def _shown(spec: Spec) -> Iterator[tuple[str, str, str]]:
    """Target, kind and source of each mount; what a mount lies in has to come first."""
    for mount in spec.read_only:
        yield mount.target or str(mount.source), "--ro-bind", str(mount.source)
    for place in spec.writable:
        yield place.target or str(place.source), "--bind", str(place.source)
    if spec.proxy_socket:
        yield str(spec.proxy_socket), "--ro-bind", str(spec.proxy_socket)
        base = str(Path(sys.base_prefix).resolve())
        yield base, "--ro-bind", base


@cache
def _system() -> tuple[str, ...]:
    args = ["--ro-bind", "/usr", "/usr"]
    for name in _TOP_LEVEL:
        path = Path("/", name)
        if path.is_symlink():
            args += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            args += ["--ro-bind", str(path), str(path)]
    args += ["--perms", "0755", "--dir", "/etc"]
    for name in _ETC:
        path = Path("/etc", name)
        if path.exists():
            args += [*_directories(str(path)), "--ro-bind", str(path), str(path)]
    return tuple(args)


def _tmpfs(path: str, size: int) -> list[str]:
    return ["--perms", "1777", "--size", str(size), "--tmpfs", path]


def _directories(target: str) -> list[str]:
    # Left to itself bubblewrap may make a parent that only root can enter.
    above = reversed(PurePosixPath(target).parents[:-1])
    return [word for path in above for word in ("--perms", "0755", "--dir", str(path))]


def environment(path: Sequence[str], extra: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a command."""
    basics = {"PATH": ":".join((*path, *_PATH)), "HOME": HOME, "LANG": "C.UTF-8"}
    return {**basics, "TMPDIR": "/tmp", **extra}


def confined(argv: Sequence[str], env: Mapping[str, str], uid: int | None) -> list[str]:
    """`argv` behind the programs that give it its own uid and its environment.

    The environment comes last, so that no variable of a job reaches a program that still has
    the right to change its user id.
    """
    args: list[str] = []
    if uid is not None:
        args += ["/usr/bin/setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups"]
        args += ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]
    return [*args, "/usr/bin/env", "-i", *(f"{key}={value}" for key, value in env.items()), *argv]


def limit(pid: int, limits: Limits, group: Group | None) -> None:
    """Take the process into its group, if there is one, and set its limits. Raises OSError.

    It becomes the first to die of memory.
    """
    if group:
        group.enter(pid)
    Path(f"/proc/{pid}/oom_score_adj").write_text("1000")
    for name, value in rlimits(limits, grouped=group is not None).items():
        resource.prlimit(pid, getattr(resource, f"RLIMIT_{name.upper()}"), (value, value))


def rlimits(limits: Limits, *, grouped: bool = False) -> dict[str, int]:
    """Limits of one process each, except `nproc`, which counts the whole user id.

    Where a group counts them, that count holds and not the user's, in which other commands are too.

    Memory is RLIMIT_DATA (private writable pages), not RLIMIT_AS: Go, Node, Java and sanitizers
    reserve far more address space than they use, and would not start.
    """
    wanted = {
        **({} if grouped else {"nproc": limits.processes}),
        "data": limits.memory_mb << 20,
        "fsize": limits.file_mb << 20,
        "cpu": limits.cpu_s,
        "nofile": _OPEN_FILES,
        "core": 0,
    }
    return {name: _allowed(name, value) for name, value in wanted.items()}


def _allowed(name: str, value: int) -> int:
    hard = resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}"))[1]
    return value if hard == resource.RLIM_INFINITY else min(value, hard)
