"""Small real projects in real git repositories, and a verifier that judges changes of them."""

from __future__ import annotations

import subprocess
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.environment import find_environment
from pipeline.errors import SandboxUnavailable
from pipeline.sandbox.base import Limits, Sandbox
from pipeline.sandbox.bubblewrap import Bubblewrap
from pipeline.sandbox.none import NoSandbox
from pipeline.verification.decide import decide
from pipeline.verification.kinds import Claim, Kind
from pipeline.verification.verifier import Bounds, Verifier
from pipeline.workspace.repository import Repository
from pipeline.workspace.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

TASK = "add() is wrong\n\nIt returns the difference of its\narguments."
CALC = {
    "calc/__init__.py": "def add(a, b):\n    return a - b\n\n\ndef one():\n    return 1\n",
    "tests/test_one.py": "from calc import one\n\n\ndef test_one():\n    assert one() == 1\n",
}
TRUE_FIX = {"calc/__init__.py": "def add(a, b):\n    return a + b\n\n\ndef one():\n    return 1\n"}
TEST = "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
TEST_PATH = "tests/test_acp_add.py"

_sandboxes: list[Sandbox] = []


async def strongest() -> Any:
    """Bubblewrap where it works, else none; probed once."""
    if not _sandboxes:
        bubblewrap = Bubblewrap()
        try:
            await bubblewrap.probe()
            _sandboxes.append(bubblewrap)
        except SandboxUnavailable:
            _sandboxes.append(NoSandbox())
    return _sandboxes[0]


def commit(directory: Any, files: Any) -> None:
    for path, text in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for args in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *args], cwd=directory, check=True)


@dataclass
class Court:
    repository: Repository
    workspace: Workspace
    verifier: Verifier

    async def patch(self, files: Any) -> Any:
        tree = base = self.repository.base_tree
        for path, text in files.items():
            data = None if text is None else text.encode()
            tree = await self.repository.write(tree, path, data)
        return await self.repository.diff(base, tree)

    async def check(self, test: Any, kind: Any = Kind.BUG, path: Any = TEST_PATH) -> Any:
        claim = Claim(kind, "add() is wrong")
        return await self.verifier.check_reproduction(await self.patch({path: test}), claim)

    async def judge(
        self,
        change: Any,
        test: Any = TEST,
        kind: Any = Kind.BUG,
        quote: Any = "add() is wrong",
        expected: Any = None,
    ) -> Any:
        tests = await self.patch({TEST_PATH: test}) if test else ""
        claim = Claim(kind, quote)
        return await self.verifier.judge(await self.patch(change), tests, claim, expected)

    async def verdict(
        self,
        change: Any,
        test: Any = TEST,
        kind: Any = Kind.BUG,
        quote: Any = "add() is wrong",
        expected: Any = None,
    ) -> Any:
        return decide(await self.judge(change, test, kind, quote, expected))


@asynccontextmanager
async def court(
    tmp_path: Path,
    files: Any = None,
    *,
    sandbox: Any = None,
    environment: Any = None,
    task: Any = TASK,
    wall_s: Any = 60.0,
    source: Any = True,
    more: Any = None,
) -> Any:
    """A verifier over a repository of `files`; without `source` the task has no repository."""
    home = tmp_path / "project"
    home.mkdir()
    if source:
        commit(home, CALC if files is None else files)
    sandbox = sandbox or await strongest()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    repository = await Repository.open(str(home) if source else None, scratch=scratch)
    environment = environment or find_environment(str(home))
    workspace = await Workspace.open(
        repository,
        repository.base_tree,
        lambda tree: sandbox.open(environment.spec(tree)),
        scratch=scratch,
    )
    bounds = Bounds(Limits(wall_s=wall_s), **(more or {}))
    verifier = Verifier(workspace, environment, task=task, bounds=bounds)
    try:
        yield Court(repository, workspace, verifier)
    finally:
        await workspace.close()
        await repository.close()
