"""Runs a project's suite in its own way: pytest, unittest, a runner that we know, or a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.verification.golang import run_go
from pipeline.verification.node import is_script, run_node
from pipeline.verification.reported import run_reported
from pipeline.verification.runner import Selection, run_tests, run_unittest
from pipeline.verification.whole import named, run_command

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipeline.environment import Environment
    from pipeline.sandbox.base import Limits
    from pipeline.verification.report import TestRun
    from pipeline.verification.runner import Place


@dataclass(frozen=True, slots=True)
class Way:
    """How the suite is run: by "pytest", "unittest", or the environment's "command".

    `args` are pytest's.
    """

    args: tuple[str, ...] = ()
    engine: str = "pytest"

    @classmethod
    def of(cls, environment: Environment) -> Way:
        """How an environment's suite is run before anything is known of it."""
        return cls(engine="command") if environment.test else cls()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is asked for. `before` are the ids of the base, `canary` the test that must fail.

    Without a selection it is the whole suite.
    """

    selection: Selection | None
    canary: str
    limits: Limits
    before: Collection[str] = ()


async def run_suite(session: Place, known: Environment, way: Way, asked: Asked) -> TestRun:
    """One run in the session's tree. Raises SandboxError only if nothing could start."""
    selection = asked.selection or Selection()
    canary, limits = asked.canary, asked.limits
    # The tester's own file.
    mine = bool(selection.paths) and not selection.ids
    if known.report and not is_for_pytest(selection.paths):
        kind = known.report[0]
        if kind == "node":
            return await run_node(session, known, selection, canary=canary, limits=limits)
        if kind == "go":
            return await run_go(session, known, selection, canary=canary, limits=limits)
        before = asked.before
        return await run_reported(session, known, selection, before=before, limits=limits)
    if way.engine == "command" and not mine:
        return await run_command(session, known, Selection(), limits)
    if way.engine == "unittest" and not mine:
        return await run_unittest(session, known, selection, canary=canary, limits=limits)
    return await run_tests(session, known, selection, args=way.args, canary=canary, limits=limits)


def is_for_pytest(paths: Collection[str]) -> bool:
    """Whether these are files of Python: pytest runs them whatever else the project has."""
    return bool(paths) and all(path.endswith(".py") for path in paths)


def chooses(known: Environment) -> bool:
    """Whether single tests of the suite can be run."""
    return not known.test or known.report[:1] in {("node",), ("go",)}


def remarks(known: Environment, before: Collection[str]) -> list[str]:
    """What a reader must know of what the tests tell; `before` are the ids of the base."""
    if not known.test:
        return []
    name = named(known)
    if not known.report:
        return [f"single tests: {name} tells of none, so it counts as one"]
    said = [f"which tests run which lines: {name} does not tell"]
    if known.report[0] == "junit":
        files = ", ".join(known.report[1:])
        said.append(
            f"the report of {name} ({files}): it is the repository's own runner that says what its "
            "tests did, as no test that must fail can be planted there"
        )
    silent = sorted(key for key in before if "::" not in key and is_script(key))
    if silent:
        said.append(
            f"single tests of {len(silent)} file(s) that tell of none, such as {silent[0]}: how "
            "they end counts"
        )
    return said


def how_to_write(known: Environment, path: str) -> str:
    """What the author of a test is told where it is not one for pytest; "" where it is."""
    if not known.report or is_for_pytest([path]):
        return ""
    if known.report[0] == "node":
        return (
            "It is run by Node's own test runner (node:test with node:assert/strict). Give each "
            "test a name, and import the code under test as the tests beside it do."
        )
    if known.report[0] == "go":
        return (
            "It is run by `go test`: functions Test...(t *testing.T) that fail by t.Errorf or "
            "t.Fatalf, in the package of its folder or in that package's _test package."
        )
    return (
        f"It is run by `{named(known)}` together with the others: use the framework and the "
        "imports of the tests beside it, and give each test a name that no other test has."
    )
