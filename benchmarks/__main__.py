"""Run every benchmark, one table each: start, sandbox, checkout, a webhook, money, a demo run."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from benchmarks.gate import gate
from benchmarks.mirrors import mirrors
from benchmarks.money import money
from benchmarks.receiver import receiver
from benchmarks.timing import Work, race, show
from bot import demo
from pipeline.defaults import build_pipeline
from pipeline.environment import find_environment
from pipeline.errors import SandboxUnavailable
from pipeline.sandbox.base import Sandbox, Session, Spec
from pipeline.sandbox.none import NoSandbox
from pipeline.sandbox.select import installed, strongest
from pipeline.workspace.repository import Repository
from pipeline.workspace.workspace import Workspace
from tests.engines import contained, loaded, missing

FILES = 2000
SANDBOX_GOAL_MS = 40.0


def command(*argv: str) -> Work:
    """A whole process, from start to exit."""

    async def work() -> None:
        await asyncio.to_thread(subprocess.run, argv, check=True, capture_output=True)

    return work


@asynccontextmanager
async def session_of(sandbox: Sandbox) -> AsyncIterator[Session]:
    with tempfile.TemporaryDirectory() as tree:
        session = await sandbox.open(Spec(Path(tree)))
        try:
            yield session
        finally:
            await session.close()


async def start() -> None:
    acp = str(Path(sys.executable).with_name("acp"))
    rows = await race(
        {
            "python -c pass": command(sys.executable, "-c", "pass"),
            "acp --help": command(acp, "--help"),
        },
        rounds=15,
    )
    show("start", rows, goal_ms=150)


async def sandbox() -> None:
    """One command in every sandbox that works here, beside the same command without one.

    Containers are those of an engine of our own, where one can be started.
    """
    async with AsyncExitStack() as sessions:
        runner = () if missing() else (contained(sessions.enter_context(loaded())),)
        plain = await sessions.enter_async_context(session_of(NoSandbox()))
        contestants: dict[str, Work] = {"no sandbox: true": lambda: plain.exec(["true"])}
        contestants["subprocess: true"] = command("true")
        for backend in (*installed(), *runner):
            try:
                caps = await backend.probe()
            except SandboxUnavailable as error:
                print(f"\nnot measured: {str(error).splitlines()[0]}")
                continue
            session = await sessions.enter_async_context(session_of(backend))
            contestants[f"{caps.backend} ({caps.grade}): true"] = partial(session.exec, ["true"])
        rows = await race(contestants, rounds=50)
    show("one command", rows)
    for row in rows:
        if row.name.startswith("bubblewrap"):
            over = row.median - rows[0].median
            print(f"  {row.name}: {over:.1f} ms over none (goal: at most {SANDBOX_GOAL_MS:g} ms)")


def many_files(source: Path) -> None:
    """A repository of FILES small modules in 50 packages."""
    for number in range(FILES):
        path = source / f"pkg{number % 50}" / f"module{number}.py"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(f"value = {number}\n" * 40, "utf-8")
    identity = ("-c", "user.name=B", "-c", "user.email=b@example.invalid")
    for words in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-qm", "base")):
        subprocess.run(["git", *words], cwd=source, check=True)


async def checkout() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "source"
        many_files(source)
        counter = iter(range(10_000))

        async def plain() -> None:
            target = str(Path(scratch) / f"clone{next(counter)}")
            url = source.as_uri()
            await command("git", "clone", "-q", "--depth", "1", "--no-tags", url, target)()

        async def ours() -> None:
            room = Path(scratch) / f"room{next(counter)}"
            room.mkdir()
            repository = await Repository.open(str(source), scratch=room)
            bare = NoSandbox()
            workspace = await Workspace.open(
                repository, repository.base_tree, lambda t: bare.open(Spec(t)), scratch=room
            )
            await workspace.write("pkg0/module0.py", "value = -1\n")
            await workspace.diff()
            await workspace.close()
            await repository.close()

        rows = await race(
            {"git clone --depth 1": plain, "clone, checkout, edit, diff": ours}, rounds=5
        )
        show(f"a workspace of {FILES} files", rows)


async def whole_run() -> None:
    try:
        strong = await strongest()
    except SandboxUnavailable:
        strong = NoSandbox()
    find_environment(None)  # the first use of a machine lays the support directory out
    with tempfile.TemporaryDirectory() as scratch:
        repository = demo.lay_out(Path(scratch))
        state = await build_pipeline(clients=demo.clients(), sandbox=strong).arun(
            demo.issue(), repository
        )
    seconds = state["usage"]["seconds"]
    ours = seconds["total"] - seconds["model"] - seconds["tests"] - seconds["tools"]
    print(f"\nthe demo's run ({(await strong.probe()).backend}): {state['status']}")
    print(f"  {'total':10} {seconds['total'] * 1000:7.0f}ms")
    for name, spent in (("tests", seconds["tests"]), ("tools", seconds["tools"]), ("us", ours)):
        print(f"  {name:10} {spent * 1000:7.0f}ms  {spent / seconds['total']:6.0%}")


async def gate_overhead() -> None:
    try:
        await gate(await strongest())
    except SandboxUnavailable:
        await gate(NoSandbox())


async def main() -> None:
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {load}")
    await start()
    await sandbox()
    await checkout()
    await mirrors()
    await receiver()
    await money()
    await gate_overhead()
    await whole_run()


if __name__ == "__main__":
    asyncio.run(main())
