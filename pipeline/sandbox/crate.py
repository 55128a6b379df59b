"""What a container of ours looks like: the request by which an engine makes one."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pipeline.errors import SandboxError
from pipeline.sandbox import layout, seccomp
from pipeline.sandbox.base import Limits, Spec
from pipeline.sandbox.engine import Runner, label
from pipeline.sandbox.local import Job

# Of whatever version of Python the image has.
_PYTHON = ("python3", "-I", "-S", "-B", "-c")
_SHM_BYTES = 512 << 20
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
# How much longer than its command a container may last, should nobody be there to end it.
_GRACE_S = 30.0


@dataclass(frozen=True, slots=True)
class Crate:
    """What all containers of a session have in common.

    `image` are the image's own settings, `etc` the directory of what `made_up` made.
    """

    runner: Runner
    image: Mapping[str, Any]
    spec: Spec
    etc: Path
    uid: int

    def request(self, limits: Limits) -> dict[str, Any]:
        """The engine's request for one container."""
        return {
            "Image": self.runner.image,
            "Entrypoint": [*_PYTHON, _program("keeper")],
            "Cmd": [],
            "Env": [f"PATH={layout.environment((), {})['PATH']}"],
            "User": f"{self.uid}:{self.uid}",
            "WorkingDir": "/",
            "Hostname": layout.HOSTNAME,
            "Healthcheck": {"Test": ["NONE"]},
            "Labels": label(limits.wall_s + 2 * _GRACE_S),
            "OpenStdin": True,
            "StdinOnce": True,
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
            "HostConfig": self._confined(limits),
        }

    def orders(self, job: Job) -> dict[str, Any]:
        """What the first process needs to know to start the command."""
        spec, proxy = self.spec, self.spec.proxy_socket
        return {
            "argv": job.argv,
            "env": layout.environment(spec.path, job.env),
            "cwd": layout.WORKDIR if job.cwd == "." else f"{layout.WORKDIR}/{job.cwd}",
            "home": layout.HOME,
            "limits": layout.rlimits(job.limits, grouped=True),
            "processes": job.limits.processes,
            "places": [layout.WORKDIR, *(one.target or str(one.source) for one in spec.writable)],
            "seconds": job.limits.wall_s + _GRACE_S,
            "seccomp": base64.b64encode(seccomp.namespaced()).decode(),
            "proxy": str(proxy) if proxy else "",
            "relay": _program("relay") if proxy else "",
        }

    def _confined(self, limits: Limits) -> dict[str, Any]:
        memory = limits.memory_mb << 20
        # Room for its first process besides the command's own.
        processes = limits.processes + 1
        return {
            "NetworkMode": "none",
            "IpcMode": "private",
            "CapDrop": ["ALL"],
            # Nothing is said of its filter of system calls: the engine's own holds besides ours.
            "SecurityOpt": ["no-new-privileges"],
            "ReadonlyRootfs": True,
            "PidsLimit": processes,
            "Memory": memory,
            "MemorySwap": memory,
            "ShmSize": _SHM_BYTES,
            "Tmpfs": {
                **dict.fromkeys(self.image.get("Volumes") or (), "size=4k,mode=0555"),
                "/tmp": f"exec,size={limits.tmp_mb << 20},mode=1777",
            },
            "Mounts": list(self._mounts()),
            "AutoRemove": True,
            # What a command writes goes to us alone, and not to the engine's disk as well.
            "LogConfig": {"Type": "none"},
            **({"Runtime": self.runner.runtime} if self.runner.runtime else {}),
        }

    def _mounts(self) -> Iterator[dict[str, Any]]:
        spec = self.spec
        yield _bound(spec.tree.resolve(), layout.WORKDIR, read_only=False)
        for file in self.etc.rglob("*"):
            if file.is_file():
                yield _bound(file, f"/etc/{file.relative_to(self.etc)}", read_only=True)
        for mount in spec.read_only:
            if _sees(self.runner, mount.source):
                yield _bound(mount.source, mount.target or str(mount.source), read_only=True)
        for place in spec.writable:
            yield _bound(place.source, place.target or str(place.source), read_only=False)
        if spec.proxy_socket:
            yield _bound(spec.proxy_socket, str(spec.proxy_socket), read_only=True)


def made_up(spec: Spec, uid: int) -> Path:
    """A directory with files for /etc, beside the tree: it goes with the run's own."""
    place = Path(tempfile.mkdtemp(prefix="etc-", dir=spec.tree.resolve().parent))
    place.chmod(0o711)
    contents = {**layout.etc(uid), "/etc/resolv.conf": b""}
    # Whom this machine trusts, as in bubblewrap: its registries may have an authority of their own.
    if spec.proxy_socket and _AUTHORITIES.is_file():
        contents[str(_AUTHORITIES)] = _AUTHORITIES.read_bytes()
    for name, content in contents.items():
        file = place / Path(name).relative_to("/etc")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o444)
    return place


def check_shared(runner: Runner, spec: Spec) -> None:
    """Refuse what the runner could not see. Raises SandboxError."""
    needed = [spec.tree, *(place.source for place in spec.writable)]
    needed += [spec.proxy_socket] if spec.proxy_socket else []
    needed += [one.source for one in spec.read_only if one.target not in ("", str(one.source))]
    for path in needed:
        if not _sees(runner, path):
            shared = ", ".join(map(str, runner.shared))
            raise SandboxError(
                f"the runner does not see {path}, only what is below {shared}: put TMPDIR and "
                "ACP_DATA_DIR there, or set ACP_RUNNER_SHARED"
            )


def _sees(runner: Runner, path: Path) -> bool:
    return any(path.resolve().is_relative_to(shared) for shared in runner.shared)


def _bound(source: Path, target: str, *, read_only: bool) -> dict[str, Any]:
    # What is mounted below a source would stay writable on older kernels.
    options = {"NonRecursive": True} if read_only else {}
    return {
        "Type": "bind",
        "Source": os.fspath(source),
        "Target": target,
        "ReadOnly": read_only,
        "BindOptions": options,
    }


@cache
def _program(name: str) -> str:
    return files("pipeline.sandbox").joinpath(f"{name}.py").read_text("utf-8")
