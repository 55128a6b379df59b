"""The coder: a bounded tool loop in the real checkout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from typing_extensions import override

from pipeline.agents import prompts
from pipeline.agents.base import Seat
from pipeline.agents.loop import Closing, Talk, converse
from pipeline.agents.seated import ModelAgent
from pipeline.agents.toolbox import READERS, WRITERS, Toolbox, clip, spec
from pipeline.errors import EditRejected
from pipeline.llm import vendors
from pipeline.progress import Kind
from pipeline.state import Expectation, PipelineState
from pipeline.workspace import context
from pipeline.workspace.workspace import Workspace

FINISH = spec(
    "finish",
    "End your work.",
    {"summary": "string"},
    nothing_to_change="string",
    keep={"type": "array", "items": {"type": "string"}},
    expectations={
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"test": {"type": "string"}, "quote": {"type": "string"}},
            "required": ["test", "quote"],
            "additionalProperties": False,
        },
    },
)
TOOLS = (*READERS, *WRITERS)
_VENDOR_OF_NAME = {"gpt": "openai", "claude": "anthropic", "gemini": "google"}
_DRAFT_CHARS = 40_000
_FEEDBACK_CHARS = 12_000
_SHOWN = 8


@dataclass
class CodingAgent(ModelAgent):
    """Edits the checkout until the task is done. "gpt" is OpenAI, "claude" is Anthropic.

    A later coder of the same iteration sees the earlier one's draft and improves it; after a failed
    gate the work starts from its feedback.
    """

    role: ClassVar[str] = "coder"
    preferred: ClassVar[Sequence[str]] = ("openai", "anthropic", "google")

    async def run(self, state: PipelineState, workspace: Workspace, seat: Seat) -> PipelineState:
        """Work on the checkout; the host makes the diff of what is left there."""
        toolbox = Toolbox(workspace, protected=tuple(state.get("test_paths", ())))
        tidy = NoScratch(toolbox, await workspace.snapshot())
        talk = Talk(
            client=self.client,
            system=self.system,
            opening=await self._opening(state, workspace),
            present=_present(state),
            tools=TOOLS,
            finish=FINISH,
            max_turns=self.max_turns or vendors.max_turns(self.client.provider),
        )
        ended = await converse(talk, toolbox, seat, tidy) or {}
        if removed := await tidy.sweep(ended.get("keep", ())):
            seat.report(
                Kind.NOTE, f"removed what commands have left: {', '.join(removed[:_SHOWN])}"
            )
        if named := _expectations(ended.get("expectations", ())):
            state["expectations"] = named
        state["summary"] = ended.get("summary", "")
        state.pop("nothing_to_change", None)
        if ended.get("nothing_to_change"):
            state["nothing_to_change"] = ended["nothing_to_change"]
        return state

    async def _opening(self, state: PipelineState, workspace: Workspace) -> str:
        """The same in every iteration, so that a vendor's cache holds it."""
        repository = workspace.repository
        return prompts.opening(
            "coder",
            instructions=await context.instructions(repository),
            listing=context.listing(await repository.paths(repository.base_tree)),
            task=state["task"],
        )

    @override
    def _preference(self) -> Sequence[str]:
        first = _VENDOR_OF_NAME.get(self.name, self.preferred[0])
        return (first, *(vendor for vendor in self.preferred if vendor != first))


def _present(state: PipelineState) -> str:
    return prompts.present(
        "coder",
        draft=clip(state.get("proposed_code", ""), _DRAFT_CHARS),
        feedback=clip(state.get("feedback", ""), _FEEDBACK_CHARS),
        tried=len(state.get("attempts", ())),
    )


def _expectations(said: Sequence[Any]) -> list[Expectation]:
    """What the model has named, as far as it has the form."""
    return [
        Expectation(test=str(one["test"]), quote=str(one["quote"]))
        for one in said
        if isinstance(one, Mapping) and {"test", "quote"} <= one.keys()
    ]


class NoScratch(Closing):
    """Lets a coder finish only when it has said which new files of commands are meant."""

    def __init__(self, toolbox: Toolbox, start: str) -> None:
        self._bench = toolbox
        self._start = start

    @override
    async def accept(self, arguments: Mapping[str, Any]) -> None:
        """Send the model back once, with the list, if commands have left new files."""
        left = await self.left_behind()
        if left and "keep" not in arguments:
            shown = ", ".join(left[:_SHOWN])
            raise EditRejected(
                f"commands have left {len(left)} new files: {shown}. Call finish again with keep: "
                "the list of those that belong to the change; the others will be removed."
            )

    async def left_behind(self) -> list[str]:
        """New files that `create` has not made, sorted."""
        workspace = self._bench.workspace
        changes = await workspace.repository.changes(self._start, await workspace.snapshot())
        return sorted({c.path for c in changes if c.status in "AR"} - self._bench.created)

    async def sweep(self, keep: Sequence[str]) -> list[str]:
        """Delete what was left behind, but for `keep`; returns what was deleted."""
        removed = [path for path in await self.left_behind() if path not in keep]
        for path in removed:
            await self._bench.workspace.delete(path)
        return removed
