"""Runs on a small machine: commands that take too much, and hosts that die, under cgroups."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.sandbox.base import ExecResult, Limits, Mount, Sandbox, Session, Spec
from pipeline.sandbox.bubblewrap import Bubblewrap
from pipeline.sandbox.cgroup import Groups, delegated
from pipeline.sandbox.landlock import Landlock
from pipeline.sandbox.selftest import anybodys_python

BASE = Path(sys.base_prefix).resolve()
BACKENDS = {"bubblewrap": Bubblewrap, "landlock": Landlock}
# Four children that take too much together; whoever started them would go on.
MEMORY = """
for _ in range(4):
    if os.fork() == 0:
        held = bytearray(40 << 20)
        for at in range(0, len(held), 4096): held[at] = 1
        time.sleep(300)
try: os.wait()
finally: print("survived")
time.sleep(2)
"""
# Each is refused a further one by itself, so it counts what it got.
FORK = """
born = 0
try:
    while born < 200:
        if os.fork() == 0: time.sleep(300)
        born += 1
except BlockingIOError: pass
try: where = open('/proc/self/cgroup').read()
except OSError: where = ""
print(json.dumps([born, where]), flush=True)
os._exit(0)
"""
CROWD = """
while True:
    try: os.fork()
    except OSError: pass
"""
HOST = """
import asyncio, os, sys
from pipeline.sandbox.base import Limits
from pipeline.sandbox.cgroup import delegated

async def main():
    groups = await delegated()
    async with groups.one(Limits()) as group:
        child = await asyncio.create_subprocess_exec(
            "/bin/sleep", "300", stdout=asyncio.subprocess.DEVNULL
        )
        group.enter(child.pid)
        print(child.pid, flush=True)
        await asyncio.sleep(300)

asyncio.run(main())
"""


@asynccontextmanager
async def opened(sandbox: Sandbox) -> AsyncIterator[Session]:
    with tempfile.TemporaryDirectory(prefix="acp-held-") as place:
        tree = Path(place, "tree")
        await asyncio.to_thread(lay_out, tree)
        shown = () if Path("/usr") in (BASE, *BASE.parents) else (Mount(BASE),)
        session = await sandbox.open(Spec(tree, shown, limits=Limits(wall_s=120)))
        try:
            yield session
        finally:
            await session.close()


def lay_out(tree: Path) -> None:
    tree.parent.chmod(0o755)
    tree.mkdir()


async def python(session: Session, program: str, **limits: Any) -> ExecResult:
    argv = [anybodys_python(), "-I", "-S", "-c", f"import json, os, time\n{program}"]
    return await session.exec(argv, limits=replace(Limits(wall_s=120), **limits))


async def bounds(sandbox: Sandbox) -> dict[str, Any]:
    caps = await sandbox.probe()
    async with opened(sandbox) as session:
        memory = await python(session, MEMORY, memory_mb=96)
        fork = await python(session, FORK, processes=40)
        born, where = json.loads(fork.text)
        crowd = await python(session, CROWD, processes=40)
    return {
        "grade": caps.grade,
        "held by": caps.memory,
        "memory": memory.reason,
        "survived": "survived" in memory.text,
        "born": born,
        "crowd": crowd.reason,
        "in a group from its start": "acp-command-" in where,
    }


def left(groups: Groups) -> list[str]:
    return [path.name for path in groups.place.glob("acp-command-*")]


def own() -> str:
    return Path("/proc/self/cgroup").read_text().strip()


def gone(pid: int) -> bool:
    """Whether it is dead; nobody may have reaped it."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True


async def lifetime(groups: Groups) -> dict[str, Any]:
    """Who is left in a group dies with it, and what a dead host left is swept: nothing else is."""
    async with groups.one(Limits()) as group:
        stray = await create_subprocess_exec("/bin/sleep", "300", start_new_session=True)
        group.enter(stray.pid)
    stray_code = await stray.wait()
    async with groups.one(Limits()) as living:
        host = await create_subprocess_exec(sys.executable, "-c", HOST, stdout=PIPE)
        assert host.stdout
        orphan = int(await host.stdout.readline())
        among = len(left(groups))
        host.kill()
        await host.wait()
        orphaned = not gone(orphan)
        await delegated()
        swept = left(groups) == [living.path.name] and gone(orphan)
    return {
        "whoever is left is killed": stray_code == -signal.SIGKILL,
        "two hosts side by side": among == 2,
        "outlives its host": orphaned,
        "swept afterwards": swept,
    }


async def main(names: list[str]) -> dict[str, Any]:
    found = {name: await bounds(BACKENDS[name]()) for name in names}
    groups = await delegated()
    ends = {} if groups is None else {"lifetime": await lifetime(groups), "left": left(groups)}
    return {**found, **ends, "moved to": own()}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1:]))))
