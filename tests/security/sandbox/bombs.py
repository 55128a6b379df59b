"""Bombs, each in a real sandbox with small limits: what ended it, and what is left afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.sandbox.base import Limits, Mount, Sandbox, Spec
from pipeline.sandbox.landlock import Landlock
from pipeline.sandbox.selftest import anybodys_python

BASE = Path(sys.base_prefix).resolve()
MARK = "acp-bomb"
FORK = """
while True:
    try: os.fork()
    except OSError: pass
"""
MEMORY = """
for _ in range(4):
    if os.fork() == 0: break
held = bytearray(80 << 20)
for at in range(0, len(held), 4096): held[at] = 1
"""
NAMELESS_MEMORY = "for n in range(8): os.write(os.memfd_create('x'), bytes(40 << 20))"
DISK = "for n in range(40): open(f'f{n}', 'wb').write(bytes(2 << 20))"
NAMELESS_DISK = """
held = []
for n in range(40):
    held.append(open('f', 'wb', buffering=0)); os.unlink('f'); held[-1].write(bytes(2 << 20))
"""
OUTPUT = "while True: os.write(1, bytes(1 << 20))"
BOMBS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "processes": (FORK, {"processes": 60}),
    "memory": (MEMORY, {"memory_mb": 200}),
    "memory without a name": (NAMELESS_MEMORY, {"memory_mb": 200}),
    "disk": (DISK, {"disk_mb": 32}),
    "disk without a name": (NAMELESS_DISK, {"disk_mb": 32}),
    "output": (OUTPUT, {"output_mb": 8}),
}


async def explode(sandbox: Sandbox) -> dict[str, Any]:
    """The reason of each, and the processes and bytes that are left."""
    reasons, left = {}, []
    for name, (bomb, limits) in BOMBS.items():
        with tempfile.TemporaryDirectory(prefix="acp-bombs-") as place:
            tree = Path(place, "tree")
            await asyncio.to_thread(_opened, tree)
            session = await sandbox.open(spec(tree, limits))
            program = f"import os, time\n{bomb}\ntime.sleep(300)  # {MARK}-{tree}"
            done = await session.exec([anybodys_python(), "-I", "-S", "-c", program])
            await session.close()
            left += _living(str(tree))
            reasons[name] = done.reason
    return {"reasons": reasons, "left": left}


def _opened(tree: Path) -> None:
    tree.parent.chmod(0o755)
    tree.mkdir()


def spec(tree: Path, limits: dict[str, Any]) -> Spec:
    shown = () if Path("/usr") in (BASE, *BASE.parents) else (Mount(BASE),)
    return Spec(tree, shown, limits=replace(Limits(wall_s=60), **limits))


def _living(mark: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"{MARK}-{mark}" in (words := (process / "cmdline").read_text()):
                found.append(words)
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(explode(Landlock()))))
