"""Attempts to outlive a command or its host, and to outgrow the limits."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import SandboxUnavailable
from pipeline.sandbox.base import Writable
from pipeline.sandbox.landlock import Landlock
from pipeline.sandbox.selftest import anybodys_python
from tests.security.sandbox import bombs
from tests.security.sandbox.conftest import in_container, leave_out

if TYPE_CHECKING:
    from pipeline.sandbox.bubblewrap import Bubblewrap
    from tests.security.sandbox.conftest import Cell, Opener

HOST = """
import asyncio, sys
from pathlib import Path
from pipeline.sandbox.base import Spec
from pipeline.sandbox.bubblewrap import Bubblewrap

async def main():
    session = await Bubblewrap().open(Spec(Path(sys.argv[1])))
    script = "exec 9>lock; flock 9; setsid sleep 300 & exec 9>lock2; echo ready; sleep 300"
    say = lambda data: print(data.decode(), end="", flush=True)
    await session.exec(["/bin/sh", "-c", script], on_output=say)

asyncio.run(main())
"""


STARTING = HOST.replace("script = ", "print('starting', flush=True); script = ")

WATCHED = """
import asyncio, subprocess, sys, time
from pipeline.sandbox.lifeline import Lifeline

async def main():
    line = Lifeline()
    waiting = line.watching(["/bin/sh", "-c", "sleep 300 & sleep 300", sys.argv[1]])
    subprocess.Popen(waiting, start_new_session=True, stdout=subprocess.DEVNULL)
    print("starting", flush=True)
    await asyncio.sleep(300)

asyncio.run(main())
"""


async def test_a_daemon_dies_with_its_command(cell: Cell) -> None:
    result = await cell.sh(
        "setsid sh -c '(exec 9>lock; flock 9; touch up; exec sleep 300) >&- 2>&- &' & "
        "until test -e up; do sleep 0.01; done"
    )
    assert result.ok
    assert cell.free()


@contextmanager
def host(tree: Path) -> Iterator[None]:
    """Another process like ours, with a command of minutes running in its sandbox."""
    command = [sys.executable, "-c", HOST, str(tree)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield
        process.kill()


async def test_everything_dies_when_the_host_process_is_killed(cell: Cell) -> None:
    await cell.session.close()
    with host(cell.tree):
        assert not cell.free()
    for _ in range(1000):
        if cell.free():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the sandbox outlived its host")


async def test_a_fork_bomb_stops_at_the_limit(cell: Cell) -> None:
    program = (
        "born = 0\n"
        "try:\n"
        "    while born < 1000:\n"
        "        if os.fork() == 0:\n"
        "            time.sleep(300)\n"
        "        born += 1\n"
        "except BlockingIOError:\n"
        "    print(born, flush=True)\n"
        "os._exit(0)"
    )
    result = await cell.python(program, processes=40)
    assert result.ok
    assert 20 <= int(result.text) <= 40


async def test_memory_stops_at_the_limit_and_reserving_does_not(cell: Cell) -> None:
    result = await cell.python("bytearray(600 << 20)", memory_mb=256)
    assert "MemoryError" in result.text
    reserve = "import mmap; mmap.mmap(-1, 64 << 30, prot=mmap.PROT_READ, flags=mmap.MAP_PRIVATE)"
    assert (await cell.python(reserve, memory_mb=256)).ok


async def test_a_file_stops_growing_at_the_limit(cell: Cell) -> None:
    program = (
        "import signal; signal.signal(25, signal.SIG_IGN)\nopen('big', 'wb').write(bytes(3 << 20))"
    )
    result = await cell.python(program, file_mb=2)
    assert "File too large" in result.text
    assert (cell.tree / "big").stat().st_size == 2 << 20


async def test_processor_time_stops_at_the_limit(cell: Cell) -> None:
    result = await cell.python("while True: pass", cpu_s=1)
    assert (result.reason, result.signal) in {("killed", 9), ("killed", 24)}


async def test_temporary_space_is_bounded(cell: Cell) -> None:
    result = await cell.python(
        "sizes = [os.statvfs(p) for p in ('/tmp', '/dev/shm')]\n"
        "print(json.dumps([s.f_blocks * s.f_frsize for s in sizes]))"
    )
    assert all(0 < size <= 1 << 30 for size in json.loads(result.output))


async def test_no_core_is_dumped(cell: Cell) -> None:
    result = await cell.sh("ulimit -c; kill -ABRT $$")
    assert result.output.startswith(b"0\n")
    assert (result.signal, list(cell.tree.iterdir())) == (6, [])


@pytest.mark.parametrize("where", ["strong", "in a container"])
async def test_a_bomb_ends_with_its_reason_and_leaves_nothing(
    sandbox: Bubblewrap, shared: Path, where: str
) -> None:
    if where == "strong":
        found = await bombs.explode(sandbox)
    else:
        found = await asyncio.to_thread(in_container, shared, str(shared / "bombs.py"))
    assert found["reasons"] == {name: name.split()[0] for name in bombs.BOMBS}
    assert not found["left"]


async def test_what_is_written_beside_the_tree_counts_as_well(
    opened: Opener, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    cell = await opened(writable=(Writable(cache, "/cache", most_mb=4),))
    program = "open('/cache/x', 'wb').write(bytes(8 << 20)); time.sleep(60)"
    assert (await cell.python(program)).reason == "disk"


@pytest.mark.parametrize("delay", [0.0, 0.004, 0.012])
async def test_nothing_is_left_when_the_host_is_killed_while_it_starts(
    tmp_path: Path, delay: float
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    with talking(STARTING, tree) as process:
        await asyncio.sleep(delay)
        process.kill()
    await nobody_mentions(tree)


async def test_whoever_is_only_starting_is_killed_with_its_group(tmp_path: Path) -> None:
    with talking(WATCHED, tmp_path / "mark") as process:
        assert mentioning(tmp_path / "mark")
        process.kill()
    await nobody_mentions(tmp_path / "mark")


@contextmanager
def talking(program: str, mark: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process like ours that has said its first line."""
    command = [sys.executable, "-c", program, str(mark)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"starting\n"
        yield process


async def nobody_mentions(mark: Path) -> None:
    for _ in range(500):
        if not mentioning(mark):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(mentioning(mark))


def mentioning(mark: Path) -> list[str]:
    """Command lines of the processes that were told of it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_text()
            if str(mark) in words.split("\0"):
                found.append(words)
    return found


async def test_a_degraded_command_gives_way_to_the_watchdog(outside: Path) -> None:
    tree = outside.parent / "tree"
    tree.mkdir()
    try:
        session = await Landlock().open(bombs.spec(tree, {}))
    except SandboxUnavailable as error:
        leave_out(str(error))
    nice = await session.exec([anybodys_python(), "-I", "-S", "-c", "import os; print(os.nice(0))"])
    await session.close()
    assert int(nice.text) > os.nice(0)
