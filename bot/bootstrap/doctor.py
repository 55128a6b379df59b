"""The areas that `acp doctor` looks at. To add one, write its check and list it in `areas`."""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING

from bot.services.doctor import Area, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.settings import Settings
    from pipeline.sandbox.base import Caps
    from pipeline.sandbox.engine import Runner

_FLOOR_BYTES = 1 << 30
_MEMORY = {
    "cgroup": "held by the kernel (cgroup)",
    "watchdog": "looked at by a watchdog, which detects an excess and does not prevent it",
    "none": "not held",
}


def areas(settings: Settings) -> tuple[Area, ...]:
    """Every area, in the order in which it is shown."""

    async def disk() -> tuple[Finding, ...]:
        return (await asyncio.to_thread(_disk, settings.data_dir),)

    async def jira() -> tuple[Finding, ...]:
        return await _jira(settings)

    async def sandboxes() -> tuple[Finding, ...]:
        return await sandbox(settings.runner(), settings.cgroup)

    return (Area("sandbox", sandboxes), Area("disk", disk), Area("jira", jira))


async def sandbox(runner: Runner | None = None, cgroup: Path | None = None) -> tuple[Finding, ...]:
    """Each backend as its self-test measured it, and what follows for runs."""
    from pipeline.sandbox.select import examined

    found = await examined(runner, cgroup)
    works = [one.caps for one in found if one.caps]
    lines: list[Finding] = []
    for one in found:
        if one.caps:
            lines.append(Finding(ok=True, said=one.caps.describe()))
        else:
            # Whoever has a better one need not mend the others.
            lines.append(Finding(ok=False, said=one.why, grave=False))
    if not works:
        return (*lines, Finding(ok=False, said="no sandbox works: runs are refused", mend=_mend()))
    return (*lines, *_consequences(works[0]))


async def _jira(settings: Settings) -> tuple[Finding, ...]:
    """Whether tickets can be taken in; nothing is asked where Jira is not set up."""
    from bot.bootstrap.jira import jira_lacks, jira_lock

    if jira_lock(settings) is None:
        return (Finding(ok=True, said="not set up: no tickets are taken in"),)
    if lacks := await jira_lacks(settings):
        return tuple(Finding(ok=False, said=lack) for lack in lacks)
    return (Finding(ok=True, said=f"tickets of {settings.jira_base_url} are taken in"),)


def _mend() -> str:
    from pipeline.sandbox.select import WAYS_OUT

    return WAYS_OUT


def _consequences(caps: Caps) -> Iterator[Finding]:
    yield Finding(ok=True, said=f"runs use {caps.backend}")
    yield Finding(
        ok=caps.memory == "cgroup",
        said=f"memory is {_MEMORY[caps.memory]}",
        mend="leave a cgroup to us: docs/how-to/hosts.md",
        grave=False,
    )
    if not caps.loopback:
        yield Finding(
            ok=False,
            said="tests that open local servers cannot be verified here",
            mend="allow user namespaces, so that bubblewrap works; "
            "in a container by its options: docs/how-to/docker.md",
            grave=False,
        )


def _disk(data_dir: Path) -> Finding:
    there = next(path for path in (data_dir, *data_dir.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if not os.access(there, os.W_OK):
        return Finding(ok=False, said=f"{there} cannot be written", mend="set ACP_DATA_DIR")
    said = f"{free >> 20} MiB are free where {data_dir} lies"
    return Finding(ok=free >= _FLOOR_BYTES, said=said, mend="free some, or set ACP_DATA_DIR")
