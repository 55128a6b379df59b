"""Runs a command that writes JUnit's XML, and takes from it what each test did."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from pipeline.environment.reports import matches
from pipeline.errors import WorkspaceError
from pipeline.verification import junit
from pipeline.verification.report import TestResult, TestRun, clean, merge
from pipeline.verification.trust import stopped
from pipeline.verification.whole import named

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pipeline.environment import Environment
    from pipeline.sandbox.base import ExecResult, Limits
    from pipeline.verification.runner import Place, Selection

_MOST_FILES = 5000
_MOST_BYTES = 64 * 2**20
_TAIL = 1500
_HEAD = 4096
_REPORT = re.compile(rb"<testsuites?[\s/>]")
_LINK = 0o120000


async def run_reported(
    session: Place,
    environment: Environment,
    selection: Selection,
    *,
    before: Collection[str] = (),
    limits: Limits | None = None,
) -> TestRun:
    """Run the whole command, whatever is selected, and keep what was asked for.

    Of `ids` these, of `paths` what is not among `before`: the ids without those files. What the
    tree holds of reports is removed first, so that what is read was written by this run.
    Raises SandboxError only if nothing could start.
    """
    files = _Files(session, environment)
    await files.remove()
    argv = (*environment.prefix, *environment.test)
    done = await session.exec(argv, cwd=environment.folder, limits=limits)
    await files.read()
    text = clean(done.text)
    why = stopped(done) or files.problem or _disagrees(done, files.results)
    return TestRun(
        command=named(environment),
        exit_code=done.code,
        reason=done.reason,
        results=_chosen(files.results, selection, before),
        output=text,
        seconds=done.wall_s,
        problem=f"{why}\n{text[-_TAIL:].strip()}".strip() if why else "",
    )


@dataclass
class _Files:
    """The report of one run; with a `problem` there is none that could be trusted.

    `others` are files that the glob means and that are no reports: digests from before the run.
    """

    session: Place
    environment: Environment
    results: dict[str, TestResult] = field(default_factory=dict)
    problem: str = ""
    others: dict[str, bytes] = field(default_factory=dict)

    @property
    def _globs(self) -> tuple[str, ...]:
        folder = self.environment.folder
        start = "" if folder == "." else f"{folder}/"
        return tuple(start + glob for glob in self.environment.report[1:])

    async def _found(self) -> Sequence[tuple[str, int, int]]:
        entries = await self.session.entries()
        meant = [e for e in entries if any(matches(e.path, glob) for glob in self._globs)]
        return [(entry.path, entry.mode, entry.size) for entry in meant]

    async def remove(self) -> None:
        """Whatever report the tree holds is none of this run. What is no report stays."""
        for path, mode, size in await self._found():
            data = await self.session.get(path, _MOST_BYTES) if size <= _MOST_BYTES else b""
            if mode == _LINK or not data or _REPORT.search(data[:_HEAD]):
                await self.session.delete(path)
            else:
                self.others[path] = sha256(data).digest()

    async def read(self) -> None:
        """All files of the report; the first one that cannot be read spoils it."""
        found = [one for one in await self._found() if not await self._stayed(one[0], one[2])]
        shown = ", ".join(self.environment.report[1:])
        if not found:
            self.problem = f"the tests left no report ({shown})"
        elif len(found) > _MOST_FILES or sum(size for _, _, size in found) > _MOST_BYTES:
            self.problem = f"the test report is too large ({shown}: {len(found)} files)"
        elif any(mode == _LINK for _, mode, _ in found):
            self.problem = f"the test report is a link ({shown})"
        else:
            for path, _, _ in found:
                await self._one(path)

    async def _stayed(self, path: str, size: int) -> bool:
        """Whether a file is no report, and was not touched."""
        old = self.others.get(path)
        if old is None or size > _MOST_BYTES:
            return False
        return sha256(await self.session.get(path, _MOST_BYTES)).digest() == old

    async def _one(self, path: str) -> None:
        folder, root = self.environment.folder, self.session.workdir
        try:
            data = await self.session.get(path, _MOST_BYTES)
            told = junit.read(data, root, folder)
        except (junit.DamagedReport, FileNotFoundError, WorkspaceError) as error:
            self.problem = self.problem or f"the test report {path} is damaged: {error}"
            return
        for result in told.values():
            merge(self.results, result)


def _disagrees(done: ExecResult, results: Mapping[str, TestResult]) -> str:
    red = [key for key, one in results.items() if one.red]
    if bool(red) == (done.code != 0):
        return ""
    said = f"{len(red)} test(s) failed, such as {red[0]}" if red else "no test failed"
    return f"the report says that {said}, but the command ended with exit code {done.code}"


def _chosen(
    results: Mapping[str, TestResult], selection: Selection, before: Collection[str]
) -> Mapping[str, TestResult]:
    if selection.ids:
        return {key: one for key, one in results.items() if key in selection.ids}
    if not selection.paths:
        return results
    new = {key: one for key, one in results.items() if key not in before}
    mine = {key: one for key, one in new.items() if any(is_of(key, p) for p in selection.paths)}
    return mine or new


def is_of(key: str, path: str) -> bool:
    """Whether an id names that file: as a path, or as a class named like it."""
    place = key.partition("::")[0]
    words = path.rpartition(".")[0].replace("/", ".")
    return place == path or f".{words}".endswith(f".{place}")
