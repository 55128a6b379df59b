"""Runs pytest over a tree in a sandbox."""

from __future__ import annotations

import json
import secrets
import shlex
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol

from pipeline.errors import WorkspaceError
from pipeline.verification import whole
from pipeline.verification.report import Log, TestRun, clean, parse
from pipeline.verification.trust import Heard, problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.environment import Environment
    from pipeline.sandbox.base import Entry, ExecResult, Limits

_REPORT_BYTES = 256 * 2**20
_CACHE = "pytest-cache-"
# Appended last, so that they win over a project's addopts.
_FIXED = (
    "--maxfail=0",
    "--continue-on-collection-errors",
    "--tb=short",
    "--color=no",
)


class Place(Protocol):
    """The part of a sandbox session that a test run needs."""

    @property
    def workdir(self) -> str:
        """Where commands see the tree."""

    async def exec(
        self,
        argv: Sequence[str],
        *,
        cwd: str = ".",
        limits: Limits | None = None,
        env: Mapping[str, str] | None = None,
    ) -> ExecResult:
        """Run a command in the tree."""

    async def get(self, path: str, max_bytes: int) -> bytes:
        """A file's bytes."""

    async def put(self, path: str, data: bytes, mode: int = 0o100644) -> None:
        """Write a file."""

    async def delete(self, path: str) -> None:
        """Remove a file."""

    async def entries(self) -> Sequence[Entry]:
        """Every file and link of the tree."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What of the suite to run; empty fields mean all of it.

    `paths` replace the project's testpaths without changing which configuration applies; of what
    they collect, `ids` are kept, and with `near` those whose imports lead to one of these files.
    `lines` (path -> line numbers) asks which ids run these lines; `cover` (test files) asks which
    lines their tests run. After `budget_s` seconds the rest is counted instead of run (0: no end).
    """

    paths: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    lines: Mapping[str, tuple[int, ...]] | None = None
    cover: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    budget_s: float = 0.0

    @classmethod
    def of_ids(cls, ids: Sequence[str]) -> Selection:
        """Just these ids. An id of a whole file (it could not be collected) selects the file."""
        paths = tuple(sorted({key.partition("::")[0] for key in ids}))
        whole = any("::" not in key for key in ids)
        return cls(paths, () if whole else tuple(ids))

    def to_json(self) -> bytes:
        """As the plugin reads it."""
        return json.dumps(asdict(self)).encode()


def canary_name() -> str:
    """A name for the test that must fail; nobody can know it before the run."""
    return f"test_{secrets.token_hex(8)}"


async def run_tests(
    session: Place,
    environment: Environment,
    selection: Selection | None = None,
    *,
    args: Sequence[str] = (),
    canary: str = "",
    limits: Limits | None = None,
) -> TestRun:
    """Run pytest in the session's tree. Raises SandboxError only if nothing could start."""
    selection = selection or Selection()
    if environment.problem:
        return whole.not_set_up(environment)
    if environment.test and not selection.paths:
        return await whole.run_command(session, environment, selection, limits)
    root = session.workdir
    argv = [*environment.prefix, environment.python, environment.launcher, environment.order]
    argv += ["-p", "no:reportlog", "-p", "pytest_reportlog.plugin", "-p", "acp_probe"]
    argv += [*args, f"--rootdir={root}", f"--report-log={root}/{{report}}"]
    argv += [f"--acp-canary={canary}", f"--acp-select={root}/{{wanted}}", *_FIXED]
    # As an argument a project's folder also says which configuration applies.
    argv += [environment.folder] if environment.folder != "." else []
    command = shlex.join(["python", "-m", "pytest", *selection.paths, *args])
    return await _run(session, argv, command, selection, canary, limits)


async def run_unittest(
    session: Place,
    environment: Environment,
    selection: Selection | None = None,
    *,
    canary: str = "",
    limits: Limits | None = None,
) -> TestRun:
    """As `run_tests`, by unittest's own discovery, for what pytest does not find."""
    launcher = str(PurePosixPath(environment.launcher).with_name("acp_unittest.py"))
    argv = [environment.python, launcher, environment.order, "{report}", "{wanted}", canary]
    wanted = selection or Selection()
    return await _run(session, argv, "python -m unittest", wanted, canary, limits)


async def _run(  # noqa: PLR0917 - one call each of the two above
    session: Place,
    argv: Sequence[str],
    command: str,
    selection: Selection,
    canary: str,
    limits: Limits | None,
) -> TestRun:
    """Run `argv` with the names of the report and of the selection put in.

    Both lie in the tree under random hidden names, since a session can read nothing else, and are
    removed before this returns.
    """
    token = secrets.token_hex(8)
    report, wanted = f".acp-{token}.jsonl", f".acp-{token}.json"
    await session.put(wanted, selection.to_json())
    named = [part.replace("{report}", report).replace("{wanted}", wanted) for part in argv]
    done = await session.exec(named, limits=limits)
    data = await take(session, report)
    await take(session, wanted)
    return told(command, done, data, parse(data or b"", canary), canary)


def told(command: str, done: ExecResult, data: bytes | None, log: Log, canary: str) -> TestRun:
    """A command's run with what its report says; `data` None is a report that is not there."""
    return TestRun(
        command=command,
        exit_code=done.code,
        reason=done.reason,
        results=log.results,
        output=_without(clean(done.text), (".acp-", _CACHE)),
        seconds=done.wall_s,
        problem=problem(Heard(done, data, log, canary)),
        canary=canary,
        python=str(log.facts.get("python", "")),
        reached=frozenset(map(str, log.facts.get("reached") or ())),
        ran=log.facts.get("ran") or {},
        unreached=tuple(map(str, log.facts.get("unreached") or ())),
    )


def _without(text: str, words: Sequence[str]) -> str:
    """Without the lines that speak of files of ours, which differ from run to run."""
    return "\n".join(line for line in text.split("\n") if not any(word in line for word in words))


async def take(session: Place, name: str) -> bytes | None:
    """A file's bytes, and the file gone; None if it is not there or not readable."""
    try:
        data = await session.get(name, _REPORT_BYTES)
        await session.delete(name)
    except (FileNotFoundError, WorkspaceError):
        return None
    return data
