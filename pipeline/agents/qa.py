"""The reviewer: a structured verdict on the change, read by code and failing closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipeline.agents import prompts
from pipeline.agents.base import Seat
from pipeline.agents.seated import ModelAgent
from pipeline.agents.toolbox import clip
from pipeline.agents.verdict import SCHEMA, ReviewVerdict, read_verdict
from pipeline.errors import LLMIncomplete, LLMRefused
from pipeline.llm.base import LLMRequest, LLMResponse, Message, OutputSchema
from pipeline.progress import Kind
from pipeline.state import PipelineState
from pipeline.verification.evidence import Evidence
from pipeline.workspace.workspace import Workspace

_OUTPUT = OutputSchema("verdict", SCHEMA)
_DIFF_CHARS = 60_000
_FILE_CHARS = 12_000
_FILES_CHARS = 60_000
_EVIDENCE_CHARS = 8_000


@dataclass
class QAAgent(ModelAgent):
    """Reads the task, the change and the evidence; blocks only with a cited defect."""

    role: ClassVar[str] = "reviewer"
    preferred: ClassVar[Sequence[str]] = ("google", "anthropic", "openai")

    async def run(self, state: PipelineState, workspace: Workspace, seat: Seat) -> PipelineState:
        """One verdict, with one repair turn where its form is not valid."""
        files = await self._changed(workspace)
        lines = {path: len(text.splitlines()) for path, text in files.items()}
        messages = [Message.user(_opening(state, files))]
        verdict = ReviewVerdict("FAIL", (), "the reviewer gave no verdict")
        for _ in range(2):
            try:
                response = await seat.ask(self.client, _request(self.system, messages))
            except (LLMIncomplete, LLMRefused) as error:
                verdict = ReviewVerdict("FAIL", (), f"the reviewer gave no verdict: {error}")
                break
            verdict = read_verdict(response.text, lines)
            if not verdict.problem:
                break
            messages += _repair(response, verdict)
        seat.report(Kind.VERDICT, verdict.render().splitlines()[0])
        state["qa_passed"] = verdict.passed
        state["qa_output"] = verdict.render()
        if not verdict.passed:
            state["feedback"] = f"The review did not pass.\n{_blocking(verdict)}"
        return state

    async def _changed(self, workspace: Workspace) -> Mapping[str, str]:
        """Path -> text after the change, for every touched file that is text."""
        repository = workspace.repository
        tree = await workspace.snapshot()
        files: dict[str, str] = {}
        for change in await repository.changes(repository.base_tree, tree):
            if change.status == "D":
                continue
            data = await repository.read(tree, change.path)
            if b"\0" not in data:
                files[change.path] = data.decode("utf-8", "replace")
        return files


def _request(system: str, messages: Sequence[Message]) -> LLMRequest:
    return LLMRequest(system=system, messages=tuple(messages), output=_OUTPUT)


def _opening(state: PipelineState, files: Mapping[str, str]) -> str:
    shown, left = [], _FILES_CHARS
    for path, text in files.items():
        if left > 0:
            shown.append({"path": path, "text": clip(_numbered(text), min(_FILE_CHARS, left))})
            left -= len(text)
    evidence = Evidence.from_dict(state["evidence"]).render() if state.get("evidence") else ""
    return prompts.opening(
        "reviewer",
        task=state["task"],
        diff=clip(state.get("proposed_code", ""), _DIFF_CHARS),
        shown=shown,
        evidence=clip(evidence, _EVIDENCE_CHARS),
    )


def _numbered(text: str) -> str:
    return "\n".join(f"{n}| {line}" for n, line in enumerate(text.splitlines(), 1))


def _repair(response: LLMResponse, verdict: ReviewVerdict) -> list[Message]:
    wish = f"That is not a valid verdict: {verdict.problem}. Answer again with the whole object."
    return [response.message, Message.user(wish)]


def _blocking(verdict: ReviewVerdict) -> str:
    points = [point.render() for point in verdict.points if point.blocks]
    return "\n".join(points) or verdict.problem
