"""Test commands that tell no single test apart: the whole command counts as one id."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pipeline.verification.report import Outcome, TestResult, TestRun, clean

if TYPE_CHECKING:
    from pipeline.environment import Environment
    from pipeline.sandbox.base import ExecResult, Limits
    from pipeline.verification.runner import Place, Selection

_MESSAGE_CHARS = 2000
_NOT_FOUND = (126, 127)


def not_set_up(environment: Environment) -> TestRun:
    """The run that there cannot be, as the environment could not be set up."""
    return TestRun(
        command="",
        exit_code=None,
        reason="exit",
        results={},
        output=clean(environment.problem),
        seconds=0.0,
        problem=clean(environment.problem),
    )


async def run_command(
    session: Place, environment: Environment, selection: Selection, limits: Limits | None
) -> TestRun:
    """Run the environment's test command. Its exit code is all that it tells.

    Raises SandboxError only if nothing could start.
    """
    command = named(environment)
    if not {command}.issuperset((*selection.paths, *selection.ids)):
        why = f"`{command}` runs as a whole: no single test of it can be chosen"
        return TestRun(command, None, "exit", {}, "", 0.0, problem=why)
    argv = (*environment.prefix, *environment.test)
    done = await session.exec(argv, cwd=environment.folder, limits=limits)
    text = clean(done.text)
    return TestRun(
        command=command,
        exit_code=done.code,
        reason=done.reason,
        results={command: _result(command, done, text)},
        output=text,
        seconds=done.wall_s,
        problem=_problem(command, done, text),
    )


def named(environment: Environment) -> str:
    """The command as a person types it, which is the id of its only result."""
    line = line_of(environment)
    return line if environment.folder == "." else f"cd {environment.folder} && {line}"


def line_of(environment: Environment) -> str:
    """The command as a line for a shell in the project's folder."""
    argv = environment.test
    return argv[2] if argv[:2] == ("sh", "-c") else shlex.join(argv)


def _result(command: str, done: ExecResult, text: str) -> TestResult:
    outcome: Outcome = "passed" if done.ok else "failed"
    message = "" if done.ok else text[-_MESSAGE_CHARS:].strip()
    return TestResult(command, outcome, message=message, seconds=done.wall_s)


def _problem(command: str, done: ExecResult, text: str) -> str:
    end = text[-_MESSAGE_CHARS:].strip()
    if done.reason != "exit" or done.code is None:
        return f"`{command}` did not end by itself ({done.reason})\n{end}"
    if done.code in _NOT_FOUND:
        return f"`{command}` could not be started\n{end}"
    return ""
