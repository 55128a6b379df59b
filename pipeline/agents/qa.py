"""The reviewer: a structured verdict on the change, read by code and failing closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipeline.agents import prompts
from pipeline.agents.base import Seat
from pipeline.agents.ruling import SCHEMA as ruling_schema  # noqa: N811 - two schemas meet here
from pipeline.agents.ruling import no_ruling, read_ruling, render
from pipeline.agents.seated import ModelAgent
from pipeline.agents.toolbox import clip
from pipeline.agents.verdict import SCHEMA, ReviewVerdict, read_verdict
from pipeline.errors import LLMIncomplete, LLMRefused
from pipeline.llm.base import LLMRequest, LLMResponse, Message, OutputSchema
from pipeline.progress import Kind
from pipeline.state import PipelineState
from pipeline.transitions import is_disputed
from pipeline.verification.evidence import Evidence, Expected
from pipeline.workspace.workspace import Workspace

_OUTPUT = OutputSchema("verdict", SCHEMA)
_RULING = OutputSchema("ruling", ruling_schema)
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
        """One verdict, with one repair turn where its form is not valid; or a ruling."""
        if is_disputed(state):
            return await self._arbitrate(state, seat)
        files = await self._changed(workspace)
        lines = {path: len(text.splitlines()) for path, text in files.items()}
        asked = _expected(state)
        messages = [Message.user(_opening(state, files))]
        verdict = ReviewVerdict("FAIL", (), "the reviewer gave no verdict")
        for _ in range(2):
            try:
                response = await seat.ask(self.client, _request(self.system, messages))
            except (LLMIncomplete, LLMRefused) as error:
                verdict = ReviewVerdict("FAIL", (), f"the reviewer gave no verdict: {error}")
                break
            verdict = read_verdict(response.text, lines, asked)
            if not verdict.problem:
                break
            messages += _repair(response, verdict)
        seat.report(Kind.VERDICT, verdict.render().splitlines()[0])
        state["qa_passed"] = verdict.passed
        state["qa_output"] = verdict.render()
        if not verdict.passed:
            state["feedback"] = f"The review did not pass.\n{_blocking(verdict)}"
        return state

    async def _arbitrate(self, state: PipelineState, seat: Seat) -> PipelineState:
        """Rule which of test and change contradicts the task; if that fails the test stands."""
        system = prompts.role_text("arbiter")
        messages = [Message.user(_dispute(state))]
        ruling = no_ruling(self.name, "no answer")
        for _ in range(2):
            request = LLMRequest(system=system, messages=tuple(messages), output=_RULING)
            try:
                response = await seat.ask(self.client, request)
            except (LLMIncomplete, LLMRefused) as error:
                ruling = no_ruling(self.name, str(error))
                break
            ruling = read_ruling(response.text, state["task"], self.name)
            if not ruling["problem"]:
                break
            wish = f"That is not a valid ruling: {ruling['problem']}. Answer again."
            messages += [response.message, Message.user(wish)]
        seat.report(Kind.VERDICT, render(ruling).splitlines()[0])
        dispute = state["dispute"]
        state["dispute"] = {**dispute, "rulings": [*dispute["rulings"], ruling]}
        state["qa_passed"] = False
        state["qa_output"] = render(ruling)
        state["feedback"] = f"{state.get('feedback', '')}\n\n{render(ruling)}".strip()
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
        expectations=_held(state),
    )


def _held(state: PipelineState) -> Sequence[Expected]:
    """The changed expectations that hold as far as running can tell."""
    if "kind" not in state.get("evidence", {}):
        return ()
    return [one for one in Evidence.from_dict(state["evidence"]).expected if not one.problem]


def _expected(state: PipelineState) -> tuple[str, ...]:
    return tuple(one.id for one in _held(state))


def _dispute(state: PipelineState) -> str:
    return prompts.opening(
        "arbiter",
        task=state["task"],
        diff=clip(state.get("proposed_code", ""), _DIFF_CHARS),
        test=clip(state.get("proposed_tests", ""), _FILE_CHARS),
        failure=clip(state.get("feedback", ""), _EVIDENCE_CHARS),
    )


def _numbered(text: str) -> str:
    return "\n".join(f"{n}| {line}" for n, line in enumerate(text.splitlines(), 1))


def _repair(response: LLMResponse, verdict: ReviewVerdict) -> list[Message]:
    wish = f"That is not a valid verdict: {verdict.problem}. Answer again with the whole object."
    return [response.message, Message.user(wish)]


def _blocking(verdict: ReviewVerdict) -> str:
    points = [point.render() for point in verdict.points if point.blocks]
    return "\n".join(points) or verdict.problem
