"""A run cut off after any model call goes on from its journal: what is finished is not redone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from pipeline import Checkpoint, NoSandbox, PipelineState
from pipeline.defaults import build_pipeline
from pipeline.errors import PipelineError
from pipeline.journal import Entry, MemoryJournal
from pipeline.llm.base import LLMRequest, LLMResponse
from pipeline.llm.scripted import ScriptedClient, Turn, load_script, read_turn

DEMO = Path(__file__).parents[2] / "bot/demo"
TASK = (DEMO / "issue.md").read_text("utf-8")


NO = {
    "json": {
        "criteria": [],
        "findings": [
            {
                "severity": "blocking",
                "message": "a rest that is no duration: DID NOT RAISE ValueError",
                "file": "timespan/reading.py",
                "line": 21,
            }
        ],
        "verdict": "FAIL",
    }
}
CALLS = 19


class PowerCut(PipelineError):
    """The machine goes dark."""


class Counted(ScriptedClient):
    """A seat's model on a shared counter that cuts the power before, or after, one call."""

    def __init__(self, turns: list[Turn], counter: list[int], cut: int, *, paid: bool) -> None:
        super().__init__(turns)
        self._counter = counter
        self._cut = cut
        self._paid = paid

    @override
    async def complete(self, request: LLMRequest) -> LLMResponse:
        if len(self._counter) + 1 == self._cut and not self._paid:
            raise PowerCut
        response = await super().complete(request)
        self._counter.append(1)
        if len(self._counter) == self._cut and self._paid:
            raise PowerCut
        return response


class House:
    """One run's durable things: journal and last checkpoint; the rest dies with the power."""

    def __init__(self, repository: Path, *, testers: bool = False) -> None:
        self._testers = testers
        self.journal = MemoryJournal()
        self.paid: list[int] = []
        self._script = load_script(DEMO / "script.json")
        if not testers:  # the reviewer alone sends the first draft back, in the test's words
            self._script["qa"] = [read_turn(NO), *self._script["qa"]]
            self._script["qa"][1] = replace(self._script["qa"][1], expect="")
        self._repository = repository
        self._last: Checkpoint | None = None

    def _answered(self, seat: str) -> int:
        stage = f".{seat}.model."
        return sum(stage in key and e.reply is not None for key, e in self.journal.entries.items())

    async def run(self, cut: int = 0, *, paid: bool = True) -> PipelineState | None:
        """From where it stands to the end, or to the power cut (None)."""
        clients: Mapping[str, Any] = {
            seat: Counted(turns[self._answered(seat) :], self.paid, cut, paid=paid)
            for seat, turns in self._script.items()
        }
        pipeline = build_pipeline(clients=clients, sandbox=NoSandbox(), testers=self._testers)
        state = self._last.state if self._last else pipeline.start(TASK, self._repository)
        cursor = self._last.cursor if self._last else None
        try:
            async for checkpoint in pipeline.steps(state, cursor, journal=self.journal):
                self._last = Checkpoint.from_json(checkpoint.to_json())
                state = self._last.state
        except PowerCut:
            return None
        return state


@pytest.mark.slow
async def test_a_power_cut_after_a_call_costs_at_most_that_call(patient: Path) -> None:
    straight = House(patient)
    whole = await straight.run()
    assert whole is not None
    calls = len(straight.paid)
    assert calls == CALLS
    for cut in (1, 7, 13, calls):  # tests/resilience kills a real process around every call
        house = House(patient)
        assert await house.run(cut, paid=True) is None
        state = await house.run()
        assert state is not None
        assert state["status"] == "completed"
        assert state["proposed_code"] == whole["proposed_code"]
        assert len(house.paid) == calls + 1  # the one in flight, whose answer nobody kept
        assert sum(seat["lost"] for seat in state["usage"]["agents"].values()) == 1


async def test_a_power_cut_between_calls_costs_nothing(patient: Path) -> None:
    for cut in (3, 12):
        house = House(patient)
        assert await house.run(cut, paid=False) is None
        state = await house.run()
        assert state is not None
        assert state["status"] == "completed"
        assert len(house.paid) == CALLS


async def test_a_journal_out_of_step_makes_the_seat_work_anew_and_what_was_paid_stays_paid(
    patient: Path,
) -> None:
    house = House(patient)
    await house.run(3, paid=False)
    entries = house.journal.entries
    first = next(key for key in entries if ".model." in key)
    reply = entries[first].reply
    assert reply is not None
    another = {**reply, "asked": {**reply["asked"], "system": "another question"}}
    entries[first] = Entry("another question", another)
    answered = house._answered
    house._answered = lambda seat: 0  # type: ignore[method-assign]
    assert await house.run(4, paid=False) is None
    house._answered = answered  # type: ignore[method-assign]
    state = await house.run()
    assert state is not None
    assert state["status"] == "completed"
    assert len(house.paid) == CALLS + 2
    # What was torn out stays paid, though the power was cut after that as well.
    assert sum(seat["calls"] for seat in state["usage"]["agents"].values()) == CALLS + 2
    lost = next(entry for key, entry in house.journal.entries.items() if ".gpt.torn." in key)
    assert lost.reply is not None
    assert lost.reply["calls"] == 2


async def test_a_seat_that_works_anew_says_so(patient: Path) -> None:
    house = House(patient)
    await house.run(2, paid=False)
    key, entry = next((k, e) for k, e in house.journal.entries.items() if ".model." in k)
    assert entry.reply is not None
    asked = {**entry.reply["asked"], "system": "another question"}
    house.journal.entries[key] = Entry("another question", {**entry.reply, "asked": asked})
    house._answered = lambda seat: 0  # type: ignore[method-assign]
    state = await house.run()
    assert state is not None
    assert any("gpt worked anew in iteration 1" in note for note in state["notes"])


async def test_the_whole_lineup_goes_on_from_its_journal(patient: Path) -> None:
    house = House(patient, testers=True)
    assert await house.run(10) is None
    state = await house.run()
    assert state is not None
    assert (state["status"], len(house.paid)) == ("completed", 21 + 1)


async def test_a_cancel_is_no_answer(patient: Path) -> None:
    house = House(patient)
    task = asyncio.create_task(house.run())
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    state = await house.run()
    assert state is not None
    assert state["status"] == "completed"
