"""Runs a project's tests from anywhere: `exit_code, output = run_pytest("path/to/project")`."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.environment import find_environment
from pipeline.errors import WorkspaceError
from pipeline.sandbox.base import Limits
from pipeline.sandbox.none import NoSandbox
from pipeline.verification.runner import run_tests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.verification.report import TestRun


def run_pytest(
    path: str | Path = ".",
    args: Sequence[str] = (),
    python: str | Path | None = None,
    timeout_s: float = 600.0,
) -> TestRun:
    """Run pytest in the directory `path` and return what each test did.

    For code that you trust: it runs as you, without a sandbox, in place. `python` is an interpreter
    to use instead of the project's `.venv` or a bare one; `args` are pytest's. The result unpacks
    as `exit_code, output`; `exit_code` is None after a timeout. Raises WorkspaceError if `path` is
    not a directory or `python` cannot be used. Works inside a running event loop, too.
    """
    root, chosen = Path(path).resolve(), Path(python) if python else None
    if not root.is_dir():
        raise WorkspaceError(f"{root} is not a directory; name the project's root")
    # A thread of its own, as a running loop of the caller cannot be entered again.
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, _run(root, args, chosen, timeout_s)).result()


async def _run(root: Path, args: Sequence[str], python: Path | None, timeout_s: float) -> TestRun:
    environment = find_environment(str(root), python)
    limits = Limits(wall_s=timeout_s)
    session = await NoSandbox().open(environment.spec(root, limits))
    try:
        return await run_tests(session, environment, args=args)
    finally:
        await session.close()
