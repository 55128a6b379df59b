"""Runs Node's own test runner so that it tells of each test, with one test planted that fails."""

from __future__ import annotations

import secrets
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pipeline.environment.reports import files_named
from pipeline.verification.report import parse
from pipeline.verification.runner import take, told
from pipeline.verification.whole import line_of, named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.environment import Environment
    from pipeline.sandbox.base import Limits
    from pipeline.verification.report import TestRun
    from pipeline.verification.runner import Place, Selection

_PLANTED = "import { test } from 'node:test';\n\ntest('%s', () => {\n  throw new Error();\n});\n"


async def run_node(
    session: Place,
    environment: Environment,
    selection: Selection,
    *,
    canary: str,
    limits: Limits | None = None,
) -> TestRun:
    """Run the suite, or the files of the selection. Raises SandboxError if nothing could start.

    The reporter lies outside of the tree and runs in a process that loads nothing of the tree.
    """
    folder, token = environment.folder, secrets.token_hex(8)
    # Node's own search finds this name.
    planted, report = f"acp-{token}.test.mjs", f".acp-{token}.jsonl"
    where = planted if folder == "." else f"{folder}/{planted}"
    chosen = [_below(path, folder) for path in selection.paths]
    line = _line(environment, f"{session.workdir}/{report}", chosen, planted)
    await session.put(where, (_PLANTED % canary).encode())
    argv = (*environment.prefix, "sh", "-c", line)
    done = await session.exec(argv, cwd=folder, limits=limits, env={"ACP_TREE": session.workdir})
    data = await take(session, report)
    await take(session, where)
    command = _shown(environment, chosen)
    return told(command, done, data, parse(data or b"", canary), canary)


def _line(environment: Environment, report: str, chosen: Sequence[str], planted: str) -> str:
    """The command of the tests with our reporter, and the planted file where any is named."""
    line, probe = line_of(environment), PurePosixPath(environment.launcher).parent
    held = shlex.quote(str(probe / "acp_node_held.mjs"))
    ours = shlex.quote(str(probe / "acp_node.mjs"))
    flags = (
        f"--import={held} --test --test-reporter=spec --test-reporter-destination=stdout "
        f"--test-reporter={ours} --test-reporter-destination={shlex.quote(report)}"
    )
    files = files_named(line)
    start, _, rest = line.partition("--test")
    if chosen:
        return " ".join((f"{start}{flags}{_options(rest)}", *map(shlex.quote, chosen), planted))
    return f"{start}{flags}{rest}" + (f" {planted}" if files else "")


def _options(rest: str) -> str:
    """What stands behind `--test`, without the files."""
    words, files = shlex.split(rest), set(files_named(f"node --test {rest}"))
    return "".join(f" {shlex.quote(word)}" for word in words if word not in files)


def _shown(environment: Environment, chosen: Sequence[str]) -> str:
    """What a person types to see the same."""
    if not chosen:
        return named(environment)
    start, _, rest = line_of(environment).partition("--test")
    line = " ".join((f"{start}--test{_options(rest)}", *map(shlex.quote, chosen)))
    return line if environment.folder == "." else f"cd {environment.folder} && {line}"


def is_script(path: str) -> bool:
    """Whether a file is one that Node runs."""
    return path.endswith((".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"))


def _below(path: str, folder: str) -> str:
    return path if folder == "." else path.removeprefix(f"{folder}/")
