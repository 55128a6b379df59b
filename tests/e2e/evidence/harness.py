"""Scripted seats around a real pipeline: what a coder leaves is given, code decides the rest."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import AgenticCodingPipeline
from pipeline.agents import QAAgent, TestingAgent
from pipeline.environment.supply import Supply
from pipeline.llm.scripted import ScriptedClient
from pipeline.sandbox.base import Sandbox
from pipeline.state import Expectation, PipelineState
from pipeline.verification.decide import RULES, SUITE, decide
from pipeline.verification.evidence import Evidence
from pipeline.verification.verifier import BOUNDS, Bounds
from pipeline.workspace.workspace import Workspace
from tests.e2e.evidence.bugs import Edit

PROJECTS = Path(__file__).parents[2] / "data/projects"
IDENTITY = ("-c", "user.name=T", "-c", "user.email=t@example.invalid")
# After a red reproduction no suite is run: were the first rule gone, the second would stop it.
SECOND = {"still_red": ("no_run",)}
PASS = {
    "criteria": [{"criterion": "done", "verdict": "PASS", "why": "", "file": "", "line": 0}],
    "findings": [],
    "verdict": "PASS",
}


def lay_out(where: Path, project: str, more: Mapping[str, str] | None = None) -> Path:
    """A project as a repository with one commit; `more` are further files of its base."""
    shutil.copytree(PROJECTS / project, where, ignore=shutil.ignore_patterns("__pycache__"))
    return commit(where, more or {})


def commit(where: Path, files: Mapping[str, str]) -> Path:
    """A repository with one commit of what lies there and of `files`."""
    for path, text in files.items():
        (where / path).parent.mkdir(parents=True, exist_ok=True)
        (where / path).write_text(text, "utf-8")
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), (*IDENTITY, "commit", "-qm", "b")):
        subprocess.run(["git", *words], cwd=where, check=True)
    return where


@dataclass
class Coder:
    """Leaves `edits` and `files` (None deletes) in the checkout; once told no, `later`."""

    edits: Sequence[Edit] = ()
    files: Mapping[str, str | bytes | None] | None = None
    expectations: Sequence[Expectation] = ()
    name: str = "coder"
    later: Sequence[Edit] = ()
    nothing: str = ""

    async def run(self, state: PipelineState, workspace: Workspace) -> PipelineState:
        edits = self.later if self.later and state.get("attempts") else self.edits
        for path, old, new in edits:
            text = await workspace.read(path)
            if text.count(old) == 1:
                await workspace.write(path, text.replace(old, new))
        for path, content in (self.files or {}).items():
            if content is not None:
                await workspace.write(path, content)
            elif path in await workspace.files():
                await workspace.delete(path)
        if self.nothing:
            state["nothing_to_change"] = self.nothing
        if self.expectations:
            state["expectations"] = list(self.expectations)
        return state


@dataclass
class House:
    """What a run needs: a sandbox, and a directory for runs of bases that are met again."""

    sandbox: Sandbox
    kept: Path
    max_iterations: int = 1
    bounds: Bounds = BOUNDS
    supply: Supply | None = None

    def run(
        self, task: str, repository: Path, coder: Any, test: str, kind: str = "bug", **more: Any
    ) -> PipelineState:
        """One run; the tester hands in `test`, the reviewer answers with `review`."""
        quote = more.get("quote", task.splitlines()[-1])
        submit = {"name": "submit", "args": {"kind": kind, "quote": quote, "test": test}}
        tests = ScriptedClient([{"tools": [submit]}, *["No other test."] * 9])
        review = ScriptedClient([{"json": more.get("review", PASS)}] * 3)
        pipeline = AgenticCodingPipeline(
            [coder],
            testers=[TestingAgent("tests", llm=tests)],
            reviewers=[QAAgent("qa", llm=review)],
            max_iterations=self.max_iterations,
            sandbox=self.sandbox,
            kept=self.kept,
            bounds=self.bounds,
            supply=self.supply,
        )
        return pipeline.run(task, repository)


def end_of(state: PipelineState) -> str:
    """Status, and the reason where there is one."""
    return " ".join(
        filter(None, (state["status"], state.get("reason", "") and "-", state.get("reason", "")))
    )


def stopped_by(state: PipelineState) -> str:
    """The rule that stopped the patch at the gate; "" if none did.

    Each rule is there for a row: with it switched off, the row comes to another end.
    """
    evidence = Evidence.from_dict(state["evidence"])
    objecting = [rule for rule in RULES if rule(evidence)]
    if not objecting:
        return ""
    others = [rule for rule in RULES if rule is not objecting[0]]
    without = decide(evidence, others)
    assert (without.passed, without.reason) != (False, state["evidence"]["reason"])
    second = [rule.__name__ for rule in objecting[1:]]
    if evidence.run(SUITE) is None:
        assert set(SECOND.get(objecting[0].__name__, ())) <= set(second)
    assert decide(evidence, [rule for rule in RULES if rule not in objecting]).passed
    return objecting[0].__name__
