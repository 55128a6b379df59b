"""What the gate costs beside the test runs themselves: trees, checkouts, reports, the verdict."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pipeline.environment import find_environment
from pipeline.sandbox.base import Sandbox
from pipeline.verification.decide import decide
from pipeline.verification.evidence import Evidence
from pipeline.verification.kinds import Claim, Kind
from pipeline.verification.verifier import Verifier
from pipeline.workspace.repository import Repository
from pipeline.workspace.workspace import Workspace

PROJECT = Path(__file__).parents[1] / "tests/data/projects/spans"
IDENTITY = ("-c", "user.name=B", "-c", "user.email=b@example.invalid")
TASK = 'show(0) is empty\n\nshow(0) must be "0s".'
TEST = 'import spans\n\n\ndef test_zero():\n    assert spans.show(0) == "0s"\n'
OLD, NEW = 'return " ".join(parts)', 'return " ".join(parts) or "0s"'
GOAL_MS = 150


def lay_out(source: Path) -> Path:
    """The project as a repository with one commit."""
    shutil.copytree(PROJECT, source, ignore=shutil.ignore_patterns("__pycache__"))
    for words in (("init", "-q"), ("add", "-A"), (*IDENTITY, "commit", "-qm", "base")):
        subprocess.run(["git", *words], cwd=source, check=True)
    return source


@asynccontextmanager
async def judged(sandbox: Sandbox) -> AsyncIterator[tuple[Verifier, str, str]]:
    """A verifier whose baseline is known, a true fix and its test."""
    with tempfile.TemporaryDirectory() as scratch:
        source = lay_out(Path(scratch) / "source")
        repository = await Repository.open(str(source), scratch=Path(scratch))
        environment = find_environment(str(source))
        base = repository.base_tree
        workspace = await Workspace.open(
            repository, base, lambda t: sandbox.open(environment.spec(t)), scratch=Path(scratch)
        )
        text = (await repository.read(base, "spans.py")).decode().replace(OLD, NEW)
        fixed = await repository.write(base, "spans.py", text.encode())
        tested = await repository.write(base, "test_acp.py", TEST.encode())
        verifier = Verifier(workspace, environment, task=TASK)
        yield verifier, await repository.diff(base, fixed), await repository.diff(base, tested)
        await workspace.close()
        await repository.close()


async def gate(sandbox: Sandbox, rounds: int = 9) -> None:
    """Print the overhead of an iteration whose baseline and red run are known already."""
    claim = Claim(Kind.BUG, TASK.splitlines()[-1])
    seen: list[Evidence] = []
    async with judged(sandbox) as (verifier, patch, tests):
        for number in range(rounds + 1):
            evidence = await verifier.judge(patch, tests, claim)
            if not decide(evidence).passed:
                raise SystemExit(f"the true fix did not pass:\n{evidence.render()}")
            seen += [evidence] if number else []
    ours = [evidence.overhead_s * 1000 for evidence in seen]
    runs = [sum(r.seconds for r in evidence.runs[2:]) * 1000 for evidence in seen]
    print(f"\nan iteration's gate (goal for its own part: at most {GOAL_MS} ms)")
    print(f"  {'':34} {'median':>9} {'min':>9} {'max':>9}")
    for name, taken in (("test runs", runs), ("everything else", ours)):
        times = (statistics.median(taken), min(taken), max(taken))
        print(f"  {name:34}" + "".join(f" {ms:7.1f}ms" for ms in times))
