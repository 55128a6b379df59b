"""Projects that are not Python's: the same ends, by what their own runners tell of each test."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.repo_config import read, recipes
from pipeline.environment.provision import Provisioner
from pipeline.environment.supply import Supply, supplied
from pipeline.sandbox.base import Sandbox
from pipeline.verification.decide import decide
from pipeline.verification.kinds import Claim, Kind
from pipeline.verification.placing import test_path as path_of
from pipeline.verification.verifier import Verifier
from pipeline.workspace.repository import Repository
from pipeline.workspace.workspace import Workspace
from tests.e2e.evidence.harness import Coder, House, commit, end_of, stopped_by
from tests.e2e.evidence.stacks import ATTACKS, COMPLETED, ISSUE, ROWS, STACKS, Stack

pytestmark = pytest.mark.needs_bubblewrap
PROGRAMS = {"node": ("node",), "make": ("node", "make"), "go": ("go",)}
EVERY = [(stack, name) for stack, rows in ROWS.items() for name in rows]


@pytest.fixture(scope="module")
def supply(tmp_path_factory: pytest.TempPathFactory) -> Supply:
    """Environments for other languages, as the repository's settings say."""
    home = tmp_path_factory.mktemp("environments")
    home.chmod(0o711)
    return Supply(Provisioner(home), reads=lambda data: recipes(read(data)))


def needs(stack: str) -> None:
    if missing := [program for program in PROGRAMS[stack] if shutil.which(program) is None]:
        pytest.skip(f"{missing[0]} is not on this machine")


def lay_out(where: Path, stack: Stack, more: dict[str, str] | None = None) -> Path:
    where.mkdir()
    return commit(where, {**stack.files, **(more or {})})


@pytest.mark.parametrize(("stack", "name"), EVERY, ids=[": ".join(one) for one in EVERY])
def test_another_stack_has_its_end(
    stack: str, name: str, house: House, supply: Supply, tmp_path: Path
) -> None:
    needs(stack)
    project, row = STACKS[stack], ROWS[stack][name]
    repository = lay_out(tmp_path / "calc", project)
    state = replace(house, supply=supply).run(ISSUE, repository, row.coder, project.test)
    assert end_of(state) == row.end, state.get("feedback")
    if row.rule:
        assert stopped_by(state) == row.rule


@asynccontextmanager
async def judge(
    sandbox: Sandbox, supply: Supply, source: Path, scratch: Path
) -> AsyncIterator[tuple[Repository, Workspace, Verifier, str]]:
    """One verifier for many patches, and the tester's path."""
    repository = await Repository.open(str(source), scratch=scratch)
    async with supplied(supply, sandbox, repository, str(source), None) as environment:
        workspace = await Workspace.open(
            repository,
            repository.base_tree,
            lambda tree: sandbox.open(environment.spec(tree)),
            scratch=scratch,
        )
        paths = await repository.paths(repository.base_tree)
        verifier = Verifier(workspace, environment, task=ISSUE)
        yield repository, workspace, verifier, path_of(paths, "acp add", environment)
        await workspace.close()
    await repository.close()


async def patch_of(workspace: Workspace, coder: Coder) -> str:
    """What the coder leaves, and the checkout as it was."""
    base = workspace.repository.base_tree
    async with await workspace.fork(base) as checkout:
        await coder.run({"task": ISSUE}, checkout)
        return await checkout.diff()


@pytest.mark.parametrize("stack", ATTACKS)
async def test_no_attack_on_another_stack_completes(
    stack: str, house: House, supply: Supply, tmp_path: Path
) -> None:
    needs(stack)
    project = STACKS[stack]
    source = lay_out(tmp_path / "calc", project, dict([project.known]))
    (tmp_path / "scratch").mkdir()
    ends = {}
    async with judge(house.sandbox, supply, source, tmp_path / "scratch") as court:
        repository, workspace, verifier, path = court
        tree = await repository.write(repository.base_tree, path, project.test.encode())
        tests = await repository.diff(repository.base_tree, tree)
        for name, row in ATTACKS[stack].items():
            patch = await patch_of(workspace, row.coder)
            evidence = await verifier.judge(patch, tests, Claim(Kind.BUG, ISSUE.splitlines()[-1]))
            verdict = decide(evidence)
            end = COMPLETED if verdict.passed else f"failed - {verdict.reason}"
            told = {**evidence.to_dict(), "reason": verdict.reason}
            ends[name] = (end, stopped_by({"task": ISSUE, "evidence": told}))
    assert ends == {name: (row.end, row.rule) for name, row in ATTACKS[stack].items()}
